//! Damage of one kind each, made on purpose: what one check finds, and no other.

use super::{Records, files, folder, open, put, records, reopen};
use crate::queue::store::database::PAGE_SIZE;
use rusqlite::Connection;
use std::fs;
use std::path::Path;

/// A closed store with these records of 40.
fn closed(folder: &Path, deletes: &[u64]) -> Records {
    let (mut store, _) = reopen(folder);
    let mut kept = records(0..40, 1_500);
    put(&mut store, &kept).unwrap();
    store.commit(&[], deletes).unwrap();
    store.close().unwrap();
    kept.retain(|seq, _| !deletes.contains(seq));
    kept
}

fn behind_its_back(folder: &Path, sql: &str) {
    let database = Connection::open(folder.join(files::DATABASE)).unwrap();
    database.execute_batch(sql).unwrap();
    database.close().unwrap();
}

fn change(folder: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let path = folder.join(files::DATABASE);
    let mut content = fs::read(&path).unwrap();
    change(&mut content);
    fs::write(path, content).unwrap();
}

fn assert_opens(folder: &Path, kept: &Records, unreadable: u64) {
    let opened = open(folder);
    let damage = opened.damage.expect("the damage is found");
    assert_eq!(damage.unreadable, unreadable, "{damage:?}");
    assert_eq!(opened.entries.into_iter().collect::<Records>(), *kept);
}

#[test]
fn a_record_that_vanished_is_missed() {
    let folder = folder();
    let mut kept = closed(folder.path(), &[]);
    behind_its_back(folder.path(), "DELETE FROM record WHERE seq = 7");
    kept.remove(&7);
    assert_opens(folder.path(), &kept, 1);
}

#[test]
fn a_record_with_a_wrong_checksum_is_left_out() {
    let folder = folder();
    let mut kept = closed(folder.path(), &[]);
    behind_its_back(folder.path(), "UPDATE record SET checksum = checksum + 1 WHERE seq = 7");
    kept.remove(&7);
    assert_opens(folder.path(), &kept, 1);
}

#[test]
fn a_table_too_many_is_damage() {
    let folder = folder();
    let kept = closed(folder.path(), &[]);
    behind_its_back(folder.path(), "CREATE TABLE foreign_one(a)");
    assert_opens(folder.path(), &kept, 0);
}

#[test]
fn a_page_in_use_is_not_taken_for_free() {
    let folder = folder();
    let kept = closed(folder.path(), &(10..40).collect::<Vec<_>>());
    change(folder.path(), |content| {
        let trunk = u32::from_be_bytes(content[32..36].try_into().unwrap()) as usize;
        assert!(trunk > 0, "there are free pages");
        // The first free page that the list names is now one with records.
        let at = (trunk - 1) * PAGE_SIZE + 8;
        content[at..at + 4].copy_from_slice(&5_u32.to_be_bytes());
    });
    assert_opens(folder.path(), &kept, 0);
}

#[test]
fn records_are_found_without_the_root_and_deleted_ones_are_not() {
    let folder = folder();
    let kept = closed(folder.path(), &(10..40).collect::<Vec<_>>());
    // The root alone; then the first page, too.
    change(folder.path(), |content| content[2 * PAGE_SIZE..3 * PAGE_SIZE].fill(0));
    assert_opens(folder.path(), &kept, 0);
    change(folder.path(), |content| {
        content[..PAGE_SIZE].fill(0);
        content[2 * PAGE_SIZE..3 * PAGE_SIZE].fill(0);
    });
    let opened = open(folder.path());
    assert_eq!(opened.entries.into_iter().collect::<Records>(), kept);
}
