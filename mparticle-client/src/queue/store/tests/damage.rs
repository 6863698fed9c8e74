//! Thousands of damaged copies: each opens, and no record is missing without being counted.
//!
//! The seeds are fixed. The sums that are asserted were measured, with some room above.

use super::{Files, Opened, Records, Store, folder, payload, reopen, restore, snapshot};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// Files as they were at a moment, and what a store has to make of them.
struct Case {
    files: Files,
    live: Records,
    /// All that was ever put, by number: what may come back.
    ever: BTreeMap<u64, Vec<Vec<u8>>>,
    /// How many records were deleted after the last synced commit: the mark counts them.
    unsynced: u64,
}

/// What became of all copies of one kind.
#[derive(Default)]
struct Sums {
    damaged: AtomicU64,
    missing: AtomicU64,
    most_missing: AtomicU64,
    returned: AtomicU64,
}

/// A store with small and large records, puts, replacements and deletes, closed or killed.
fn case(is_killed: bool) -> Case {
    let folder = folder();
    let (mut store, _) = reopen(folder.path());
    let mut rng = fastrand::Rng::with_seed(7);
    let mut unsynced = 0;
    let (mut live, mut ever) = (Records::new(), BTreeMap::<u64, Vec<Vec<u8>>>::new());
    for round in 0..60_u64 {
        let mut puts = Records::new();
        for number in 0..4 {
            let seq = round * 4 + number;
            let length =
                if rng.u32(..12) == 0 { rng.usize(5_000..20_000) } else { rng.usize(200..1_800) };
            puts.insert(seq, payload(seq, 0, length));
        }
        if round % 10 == 9 {
            let seq = round * 4 - 2;
            puts.insert(seq, payload(seq, 1, 900));
        }
        let deletes: Vec<u64> = if round % 2 == 0 {
            Vec::new()
        } else {
            (0..3).map(|_| rng.u64(0..round * 4)).collect()
        };
        let slices: Vec<_> = puts.iter().map(|(seq, payload)| (*seq, payload.as_slice())).collect();
        store.commit(&slices, &[]).unwrap();
        store.commit(&[], &deletes).unwrap();
        for (seq, payload) in puts {
            ever.entry(seq).or_default().push(payload.clone());
            live.insert(seq, payload);
        }
        let before = live.len();
        live.retain(|seq, _| !deletes.contains(seq));
        unsynced = (before - live.len()) as u64;
        if round == 40 {
            store.close().unwrap();
            store = reopen(folder.path()).0;
        }
    }
    if !is_killed {
        store.close().unwrap();
        return Case { files: snapshot(folder.path()), live, ever, unsynced: 0 };
    }
    assert!(unsynced > 0);
    Case { files: snapshot(folder.path()), live, ever, unsynced }
}

/// Opens a damaged copy and checks what it is said to be. Then it has to be a store like any other.
fn examine(case: &Case, files: &Files, sums: &Sums, seed: u64, name: &str) {
    let folder = folder();
    restore(folder.path(), files);
    let Opened { mut store, entries, damage } =
        Store::open(folder.path()).unwrap_or_else(|error| panic!("{name}: {error:?}"));
    assert!(entries.windows(2).all(|two| two[0].0 < two[1].0), "{name}: order");
    let found: Records = entries.into_iter().collect();
    let mut returned = 0;
    for (seq, payload) in &found {
        if case.live.get(seq) != Some(payload) {
            returned += 1;
            let was_put = case.ever.get(seq).is_some_and(|versions| versions.contains(payload));
            assert!(was_put, "{name}: record {seq} was never put like this");
        }
    }
    let missing =
        case.live.iter().filter(|(seq, payload)| found.get(seq) != Some(payload)).count() as u64;
    let unreadable = damage.as_ref().map_or(0, |damage| damage.unreadable);
    if returned == 0 {
        let bounds = missing..=missing + case.unsynced;
        assert!(bounds.contains(&unreadable), "{name}: {missing} are missing: {damage:?}");
    } else {
        assert!(missing <= unreadable + returned, "{name}: {damage:?}");
        assert!(missing == 0 || unreadable > 0, "{name}: {damage:?}");
    }
    sums.damaged.fetch_add(u64::from(damage.is_some()), Ordering::Relaxed);
    sums.missing.fetch_add(missing, Ordering::Relaxed);
    sums.most_missing.fetch_max(missing, Ordering::Relaxed);
    sums.returned.fetch_add(returned, Ordering::Relaxed);

    // This takes as long as all the rest.
    if seed % 4 > 0 {
        return;
    }
    let mut expected = found;
    store
        .commit(&[(1_000_000, b"one more")], &[])
        .unwrap_or_else(|error| panic!("{name}: {error:?}"));
    expected.insert(1_000_000, b"one more".to_vec());
    store.close().unwrap_or_else(|error| panic!("{name}: {error:?}"));
    assert_eq!(reopen(folder.path()).1, expected, "{name}");
}

/// Examines copies that `harm` damaged, each with a seed of its own, on as many threads as there are processors.
fn examine_all(
    case: &Case,
    copies: u64,
    harm: impl Fn(&mut Files, &mut fastrand::Rng) -> String + Sync,
) -> Sums {
    let (sums, next) = (Sums::default(), AtomicU64::new(0));
    let threads = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= copies {
                        break;
                    }
                    let mut files = case.files.clone();
                    let what = harm(&mut files, &mut fastrand::Rng::with_seed(seed));
                    examine(case, &files, &sums, seed, &format!("seed {seed}, {what}"));
                }
            });
        }
    });
    println!(
        "{copies} copies of {} records: {} damaged, {} missing (at most {}), {} returned",
        case.live.len(),
        sums.damaged.load(Ordering::Relaxed),
        sums.missing.load(Ordering::Relaxed),
        sums.most_missing.load(Ordering::Relaxed),
        sums.returned.load(Ordering::Relaxed),
    );
    sums
}

/// A place in one of the files: anywhere by size, or where it hurts, at the beginning of a file or of a page.
fn place(files: &Files, rng: &mut fastrand::Rng) -> (String, usize) {
    let files: Vec<_> = files.iter().filter(|(_, content)| !content.is_empty()).collect();
    let (name, content) = files[rng.usize(..files.len())];
    let at = match rng.u32(..4) {
        0 => rng.usize(..content.len().min(4_096)),
        1 => {
            let (header, page) = if name.ends_with("-wal") { (32, 4_120) } else { (0, 4_096) };
            header + rng.usize(..content.len().div_ceil(page)) * page + rng.usize(..64)
        }
        _ => {
            let total: usize = files.iter().map(|(_, content)| content.len()).sum();
            let mut at = rng.usize(..total);
            for (name, content) in files {
                match at.checked_sub(content.len()) {
                    Some(rest) => at = rest,
                    None => return (name.clone(), at),
                }
            }
            unreachable!()
        }
    };
    (name.clone(), at.min(content.len() - 1))
}

fn flip(files: &mut Files, rng: &mut fastrand::Rng) -> String {
    let (name, at) = place(files, rng);
    let bit = rng.u32(..8);
    files.get_mut(&name).unwrap()[at] ^= 1 << bit;
    format!("{name}: bit {bit} of byte {at}")
}

fn cut(files: &mut Files, rng: &mut fastrand::Rng) -> String {
    let (name, at) = place(files, rng);
    files.get_mut(&name).unwrap().truncate(at);
    format!("{name}: cut at {at}")
}

fn zero_a_sector(files: &mut Files, rng: &mut fastrand::Rng) -> String {
    let (name, at) = place(files, rng);
    let start = at / 512 * 512;
    let content = files.get_mut(&name).unwrap();
    let end = content.len().min(start + 512);
    content[start..end].fill(0);
    format!("{name}: zeros from {start}")
}

#[track_caller]
fn assert_few_missing(sums: &Sums, in_all: u64, in_one: u64) {
    assert!(sums.damaged.load(Ordering::Relaxed) > 0);
    let (missing, most) = (&sums.missing, &sums.most_missing);
    assert!(missing.load(Ordering::Relaxed) <= in_all, "{missing:?}");
    assert!(most.load(Ordering::Relaxed) <= in_one, "{most:?}");
}

#[test]
fn a_flipped_bit_in_a_closed_store_costs_few_records() {
    assert_few_missing(&examine_all(&case(false), 2_500, flip), 2_500, 8);
}

#[test]
fn a_flipped_bit_in_a_killed_store_costs_few_records() {
    assert_few_missing(&examine_all(&case(true), 2_500, flip), 2_500, 8);
}

#[test]
fn a_zeroed_sector_costs_few_records() {
    assert_few_missing(&examine_all(&case(false), 250, zero_a_sector), 500, 16);
    assert_few_missing(&examine_all(&case(true), 250, zero_a_sector), 500, 16);
}

#[test]
fn a_cut_loses_nothing_in_silence() {
    examine_all(&case(false), 250, cut);
    examine_all(&case(true), 250, cut);
}
