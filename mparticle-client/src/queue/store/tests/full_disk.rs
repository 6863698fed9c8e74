//! When there is no room: puts fail and nothing is lost, deletes go on.

use super::super::files;
use super::{Records, Store, StoreError, folder, payload, put, records, reopen};
use std::path::Path;

/// Puts until there is no room.
fn fill(store: &mut Store, from: u64) -> Records {
    let mut kept = Records::new();
    for seq in from..100_000 {
        let payload = payload(seq, 0, 1_500);
        match store.commit(&[(seq, &payload)], &[]) {
            Ok(()) => kept.insert(seq, payload),
            Err(StoreError::NoSpace { .. }) => return kept,
            Err(other) => panic!("{other:?}"),
        };
    }
    panic!("the disk does not become full")
}

#[test]
fn a_put_without_room_fails_and_the_store_works_on() {
    let folder = folder();
    let (mut store, _) = reopen(folder.path());
    store.database.query_row("PRAGMA max_page_count = 60", [], |_| Ok(())).unwrap();
    // All or nothing: some of these would fit.
    let too_many = records(5_000..5_400, 1_500);
    assert!(matches!(put(&mut store, &too_many), Err(StoreError::NoSpace { .. })));
    let mut kept = fill(&mut store, 0);
    assert!(kept.len() > 20);
    store.commit(&[], &[0, 1, 2, 3]).unwrap();
    store.commit(&[(9_000, b"fits")], &[4]).unwrap();
    kept.retain(|seq, _| *seq > 4);
    kept.insert(9_000, b"fits".to_vec());
    drop(store);
    assert_eq!(reopen(folder.path()).1, kept);
}

/// Wants a folder on a disk of some 12 MB, to be filled up: `mount -t tmpfs -o size=12m tmpfs FOLDER`.
#[test]
fn a_full_disk_lets_deletes_through() {
    let Some(disk) = std::env::var_os("MPARTICLE_SMALL_DISK") else {
        println!("skipped: MPARTICLE_SMALL_DISK does not name a folder on a small disk");
        return;
    };
    let folder = tempfile::tempdir_in(Path::new(&disk)).unwrap();
    let (mut store, _) = reopen(folder.path());
    let mut kept = fill(&mut store, 0);
    println!("{} records fit", kept.len());
    drop(store);
    // Opened and read on the full disk.
    let (mut store, found) = reopen(folder.path());
    assert_eq!(found, kept);
    assert!(matches!(
        store.commit(&[(9_999, &vec![0; 200_000])], &[]),
        Err(StoreError::NoSpace { .. })
    ));
    let all: Vec<u64> = kept.keys().copied().collect();
    for some in all.chunks(16) {
        store.commit(&[], some).unwrap();
    }
    let reserve = folder.path().join(files::RESERVE);
    assert!(!reserve.exists(), "the deletes took its room");
    // Without any housekeeping.
    kept = fill(&mut store, 20_000);
    assert!(reserve.exists(), "it is there before anything is put");
    assert!(kept.len() > 1_000);
    drop(store);
    assert_eq!(reopen(folder.path()).1, kept);
}
