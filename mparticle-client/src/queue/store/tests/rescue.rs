//! A rescue that is interrupted is done again; not too much is kept.

use super::{Records, files, folder, open, put, records, reopen, restore, snapshot};
use crate::queue::store::rescue;
use std::fs;
use std::path::{Path, PathBuf};

fn sets(folder: &Path) -> Vec<PathBuf> {
    let mut sets: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    sets.sort();
    sets
}

/// A folder with a log, one record of which is damaged.
fn damaged(folder: &Path) -> Records {
    let source = super::folder();
    let (mut store, _) = reopen(source.path());
    let mut kept = records(0..40, 700);
    put(&mut store, &kept).unwrap();
    let mut files = snapshot(source.path());
    let wanted = kept.remove(&20).unwrap();
    let log = files.get_mut(files::LOG).unwrap();
    let at = log.windows(wanted.len()).position(|bytes| bytes == wanted).unwrap();
    log[at + 100] ^= 1;
    restore(folder, &files);
    kept
}

fn assert_rescued(folder: &Path, kept: &Records) {
    let opened = open(folder);
    let damage = opened.damage.unwrap();
    assert_eq!(damage.unreadable, 1, "{damage:?}");
    assert_eq!(damage.set_aside.len(), 2, "{damage:?}");
    assert!(damage.set_aside.iter().all(|path| path.is_file()), "{damage:?}");
    assert!(!damage.what.is_empty() && !damage.what.contains('\n'), "{damage:?}");
    assert_eq!(opened.entries.into_iter().collect::<Records>(), *kept);
    assert_eq!(sets(folder).len(), 1);
    opened.store.close().unwrap();
    assert_eq!(reopen(folder).1, *kept);
}

#[test]
fn one_damaged_record_costs_one_record() {
    let folder = folder();
    let kept = damaged(folder.path());
    assert_rescued(folder.path(), &kept);
}

#[test]
fn an_interrupted_rescue_is_done_again_and_reported() {
    // How many steps were done when the process ended; a half step moved one file only.
    for steps in [1.0, 2.0, 2.5, 3.0] {
        let folder = folder();
        let kept = damaged(folder.path());
        let set = rescue::begin_set(folder.path()).unwrap();
        if steps >= 2.0 {
            rescue::build(folder.path(), &set).unwrap();
        }
        if steps >= 3.0 {
            rescue::set_aside(folder.path(), &set).unwrap();
        } else if steps > 2.0 {
            fs::rename(folder.path().join(files::DATABASE), set.join(files::DATABASE)).unwrap();
        }
        assert_rescued(folder.path(), &kept);
    }
}

#[test]
fn a_rescue_interrupted_after_its_last_step_is_finished() {
    let folder = folder();
    let kept = damaged(folder.path());
    let set = rescue::begin_set(folder.path()).unwrap();
    rescue::build(folder.path(), &set).unwrap();
    rescue::set_aside(folder.path(), &set).unwrap();
    // The database is in its place, the mark is not yet.
    fs::rename(set.join("rescued.db"), folder.path().join(files::DATABASE)).unwrap();
    assert_eq!(reopen(folder.path()).1, kept);
}

#[test]
fn three_sets_of_damaged_files_are_kept() {
    let folder = folder();
    for _ in 0..12 {
        let (store, _) = {
            let opened = open(folder.path());
            (opened.store, opened.entries)
        };
        store.close().unwrap();
        let database = folder.path().join(files::DATABASE);
        let mut content = fs::read(&database).unwrap();
        content[0] ^= 1;
        fs::write(database, content).unwrap();
    }
    assert!(open(folder.path()).damage.is_some());
    let names: Vec<_> =
        sets(folder.path()).into_iter().map(|it| it.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["damaged-10", "damaged-11", "damaged-12"]);
}

#[test]
fn lost_files_are_told_from_a_new_folder() {
    for (lost, unreadable) in [(files::DATABASE, 40), (files::MARK, 0), (files::LOG, 0)] {
        let folder = folder();
        let (mut store, _) = reopen(folder.path());
        put(&mut store, &records(0..40, 700)).unwrap();
        store.close().unwrap();
        let was_there = fs::remove_file(folder.path().join(lost)).is_ok();
        let opened = open(folder.path());
        let damage = opened.damage.map(|damage| damage.unreadable);
        assert_eq!(damage, was_there.then_some(unreadable), "{lost}");
        assert_eq!(opened.entries.len() as u64, 40 - damage.unwrap_or(0), "{lost}");
    }
}
