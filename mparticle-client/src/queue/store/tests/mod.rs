//! A store on a real disk: what it keeps, what it refuses, and what it makes of damage.

mod basics;
mod checks;
mod damage;
mod full_disk;
mod refusals;
mod rescue;

use super::{Opened, Store, StoreError, files};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use tempfile::TempDir;

/// Records by number.
type Records = BTreeMap<u64, Vec<u8>>;
/// The files of a folder by name.
type Files = BTreeMap<String, Vec<u8>>;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(folder: &Path) -> Opened {
    Store::open(folder).unwrap()
}

/// Opens a folder that has to be in order.
fn reopen(folder: &Path) -> (Store, Records) {
    let Opened { store, entries, damage } = open(folder);
    assert_eq!(damage, None);
    (store, entries.into_iter().collect())
}

/// Bytes that are different for every number and version.
fn payload(seq: u64, version: u64, length: usize) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(seq.wrapping_mul(1_000_003).wrapping_add(version));
    std::iter::repeat_with(|| rng.u8(..)).take(length).collect()
}

fn put(store: &mut Store, records: &Records) -> Result<(), StoreError> {
    let puts: Vec<(u64, &[u8])> =
        records.iter().map(|(seq, payload)| (*seq, payload.as_slice())).collect();
    store.commit(&puts, &[])
}

fn records(seqs: std::ops::Range<u64>, length: usize) -> Records {
    seqs.map(|seq| (seq, payload(seq, 0, length))).collect()
}

/// The files as they are, but for lock and reserve: what is left when the process is killed now.
fn snapshot(folder: &Path) -> Files {
    [files::DATABASE, files::LOG, files::MARK]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), fs::read(folder.join(name)).ok()?)))
        .collect()
}

fn restore(folder: &Path, files: &Files) {
    for (name, content) in files {
        fs::write(folder.join(name), content).unwrap();
    }
}

fn size_of(folder: &Path) -> u64 {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
}

fn tidy(store: &mut Store) {
    while store.tidy().unwrap() {}
}
