//! Records come back, deleted ones do not, and space is given back.

use super::{
    Records, folder, open, payload, put, records, reopen, restore, size_of, snapshot, tidy,
};
use std::fs;

#[test]
fn records_come_back_in_order_after_closing() {
    let folder = folder();
    let opened = open(folder.path());
    assert!(opened.entries.is_empty() && opened.damage.is_none());
    let mut store = opened.store;
    let mut kept = Records::new();
    for (seq, length) in [(7, 0), (3, 1), (u64::MAX, 1_500), (0, 130_000), (i64::MAX as u64, 5_000)]
    {
        kept.insert(seq, payload(seq, 0, length));
    }
    put(&mut store, &kept).unwrap();
    store.close().unwrap();
    let opened = open(folder.path());
    assert_eq!(opened.entries, kept.into_iter().collect::<Vec<_>>());
}

#[test]
fn what_was_committed_is_there_after_a_kill() {
    let (folder, copy) = (folder(), super::folder());
    let (mut store, _) = reopen(folder.path());
    let mut kept = records(0..50, 1_500);
    put(&mut store, &kept).unwrap();
    store.commit(&[(50, b"new"), (3, b"changed")], &[4, 5, 999]).unwrap();
    kept.insert(50, b"new".to_vec());
    kept.insert(3, b"changed".to_vec());
    kept.remove(&4);
    kept.remove(&5);
    // Deletes alone, last: the mark lags behind now.
    store.commit(&[], &[6, 50]).unwrap();
    kept.remove(&6);
    kept.remove(&50);
    restore(copy.path(), &snapshot(folder.path()));
    assert_eq!(reopen(copy.path()).1, kept);
    drop(store);
    assert_eq!(reopen(folder.path()).1, kept);
}

#[test]
fn a_delete_in_the_same_commit_comes_after_the_put() {
    let folder = folder();
    let (mut store, _) = reopen(folder.path());
    store.commit(&[(1, b"a"), (2, b"b"), (2, b"c")], &[1]).unwrap();
    store.commit(&[], &[]).unwrap();
    drop(store);
    assert_eq!(reopen(folder.path()).1, Records::from([(2, b"c".to_vec())]));
}

#[test]
fn space_is_given_back_after_draining() {
    let folder = folder();
    let (mut store, _) = reopen(folder.path());
    let all: Vec<u64> = (0..400).collect();
    for seq in &all {
        store.commit(&[(*seq, &payload(*seq, 0, 125_000))], &[]).unwrap();
    }
    assert!(size_of(folder.path()) > 50_000_000);
    for some in all.chunks(50) {
        store.commit(&[], some).unwrap();
    }
    tidy(&mut store);
    // The reserve, some free pages, an empty log.
    let size = size_of(folder.path());
    assert!((4_000_000..6_000_000).contains(&size), "{size} bytes are left");
    store.close().unwrap();
    assert_eq!(reopen(folder.path()).1, Records::new());
}

#[test]
fn a_tidy_store_has_nothing_to_do() {
    let folder = folder();
    let (mut store, _) = reopen(folder.path());
    put(&mut store, &records(0..10, 1_500)).unwrap();
    tidy(&mut store);
    let before = snapshot(folder.path());
    assert!(!store.tidy().unwrap());
    assert_eq!(snapshot(folder.path()), before);
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let outer = folder();
    let folder = outer.path().join("a").join("b");
    let (mut store, _) = reopen(&folder);
    put(&mut store, &records(0..10, 1_500)).unwrap();
    tidy(&mut store);
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let entries: Vec<_> = fs::read_dir(&folder).unwrap().map(|it| it.unwrap().path()).collect();
    assert_eq!(entries.len(), 5, "{entries:?}");
    for path in entries {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}
