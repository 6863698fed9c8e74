//! Tests of damaged spools: each can be opened, the damage is reported, and missing batches are counted.
//!
//! The tests of the spool damage thousands of copies. These tests use a queue with some copies. The seeds are fixed.

use super::super::support::{LONG, assert_law, batch, client};
use mparticle_client::Client;
use mparticle_client::testing::{Answer, Emulator};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// The files of a spool: the content up to the last byte that is not zero, and the length of each file.
type Files = BTreeMap<String, (Vec<u8>, u64)>;

/// The number of copies of a spool that are damaged in each way.
const COPIES: u64 = 60;

/// The content of the folder of a queue that could not deliver because of an outage.
async fn left_by_an_outage(is_killed: bool) -> Files {
    let folder = tempfile::tempdir().unwrap();
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(503));
    let queue = client(&emulator).queue().spool(folder.path()).build().await.unwrap();
    for number in 0..80 {
        let mut batch = batch(&(number % 30).to_string(), &number.to_string());
        batch.source_request_id = (number % 3 == 0).then(|| format!("own-{number}"));
        queue.send(batch).await.unwrap();
    }
    // The batches of one user are joined.
    assert_eq!(queue.flush(Duration::from_millis(200)).await.pending, 80);
    if is_killed {
        // Nothing writes to the folder any more, and the watermark was written, too.
        tokio::time::sleep(Duration::from_millis(1500)).await;
    } else {
        assert_eq!(queue.shutdown(Duration::ZERO).await.left_in_spool, 80);
    }
    let entries = fs::read_dir(folder.path()).unwrap().map(Result::unwrap);
    let file = |entry: fs::DirEntry| {
        let mut content = fs::read(entry.path()).unwrap();
        let length = content.len() as u64;
        content.truncate(content.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1));
        (entry.file_name().into_string().unwrap(), (content, length))
    };
    entries.map(file).collect()
}

/// The recovery report of a queue with these files, and the batches that arrived, by id.
struct Delivered {
    unreadable: u64,
    is_clean: bool,
    batches: HashMap<String, String>,
}

async fn deliver(files: &Files, name: &str) -> Delivered {
    let folder = tempfile::tempdir().unwrap();
    for (name, (content, length)) in files {
        fs::write(folder.path().join(name), content).unwrap();
        let file = fs::OpenOptions::new().write(true).open(folder.path().join(name)).unwrap();
        file.set_len(*length).unwrap();
    }
    let emulator = Emulator::in_memory();
    let client = client(&emulator);
    let queue = open(&client, folder.path(), name).await;
    let recovery = queue.recovery().clone();
    assert_eq!(recovery.is_clean(), recovery.damage.is_none(), "{name}: {recovery:?}");
    assert_eq!(queue.stats().recovered, recovery.recovered, "{name}");
    assert_law(&queue.stats());
    let new = batch("new", "new").with_source_request_id("new");
    queue.send(new).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    let report = queue.shutdown(LONG).await;
    assert!(report.is_complete() && report.rejected == 0, "{name}: {report:?}");
    assert_eq!(queue.stats().delivered, recovery.recovered + 1, "{name}");
    assert_law(&queue.stats());
    drop(queue);
    assert_eq!(emulator.duplicates().len(), 0, "{name}");

    // The next queue finds an empty spool without damage.
    let queue = open(&client, folder.path(), name).await;
    let again = queue.recovery();
    assert!(again.is_clean() && again.recovered == 0, "{name}: {again:?}");
    let batches = emulator.batches().into_iter().map(|batch| {
        (batch.id.unwrap_or_default(), String::from_utf8(batch.raw.to_vec()).unwrap())
    });
    Delivered {
        unreadable: recovery.unreadable,
        is_clean: recovery.is_clean(),
        batches: batches.filter(|(id, _)| id != "new").collect(),
    }
}

async fn open(client: &Client, folder: &Path, name: &str) -> mparticle_client::queue::Queue {
    let queue = client.queue().spool(folder).build().await;
    queue.unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

fn flip(content: &mut [u8], rng: &mut fastrand::Rng) -> String {
    let (at, bit) = (rng.usize(..content.len()), rng.u32(..8));
    content[at] ^= 1 << bit;
    format!("bit {bit} of byte {at}")
}

fn cut(content: &mut Vec<u8>, rng: &mut fastrand::Rng) -> String {
    let at = rng.usize(..content.len());
    content.truncate(at);
    format!("cut at {at}")
}

/// Damages copies, and compares their deliveries with those of the undamaged spool.
async fn examine(is_killed: bool, harm: impl Fn(&mut Vec<u8>, &mut fastrand::Rng) -> String) {
    let whole_files = left_by_an_outage(is_killed).await;
    let whole = deliver(&whole_files, "undamaged").await;
    assert!(whole.is_clean && whole.batches.len() > 30, "{}", whole.batches.len());
    let (mut damaged, mut missing) = (0, 0);
    for seed in 0..COPIES {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut files = whole_files.clone();
        let mut contents: Vec<_> = files.iter_mut().filter(|file| !file.1.0.is_empty()).collect();
        let at = rng.usize(..contents.len());
        let (name, content) = &mut contents[at];
        let name = format!("seed {seed}: {name}, {}", harm(&mut content.0, &mut rng));
        let delivered = deliver(&files, &name).await;
        for (id, raw) in &delivered.batches {
            // Batches that were joined may be delivered separately. Other batches must not appear.
            let original = whole.batches.get(id);
            let is_returned = original.is_none() && !delivered.is_clean && is_in(raw, &whole);
            assert!(original == Some(raw) || is_returned, "{name}: {id}");
        }
        let gone = whole.batches.keys().filter(|id| !delivered.batches.contains_key(*id)).count();
        assert!(
            gone == 0 || delivered.unreadable > 0,
            "{name}: {gone} are missing, and no damage is reported"
        );
        damaged += u32::from(!delivered.is_clean);
        missing += gone;
    }
    println!("{COPIES} copies of {}: {damaged} damaged, {missing} missing", whole.batches.len());
    assert!(damaged > 0);
}

/// Whether all events of this batch are events of the others.
fn is_in(raw: &str, whole: &Delivered) -> bool {
    let events = |raw: &str| {
        let batch: serde_json::Value = serde_json::from_str(raw).unwrap();
        batch["events"].as_array().unwrap().clone()
    };
    let others: Vec<_> = whole.batches.values().flat_map(|raw| events(raw)).collect();
    events(raw).iter().all(|event| others.contains(event))
}

#[tokio::test]
async fn a_flipped_bit_in_the_files_of_a_closed_queue_is_reported() {
    examine(false, |content, rng| flip(content, rng)).await;
}

#[tokio::test]
async fn a_flipped_bit_in_the_files_of_a_killed_process_is_reported() {
    examine(true, |content, rng| flip(content, rng)).await;
}

#[tokio::test]
async fn truncated_files_of_a_closed_queue_are_reported() {
    examine(false, cut).await;
}

#[tokio::test]
async fn truncated_files_of_a_killed_process_are_reported() {
    examine(true, cut).await;
}
