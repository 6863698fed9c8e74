//! Trouble that is not damage: an error says what it is, and nothing is touched.

use super::{Files, Store, StoreError, folder, put, records, reopen, restore, snapshot};
use rusqlite::Connection;
use std::error::Error;
use std::fs;
use std::path::Path;

/// All files, with their content.
fn everything(folder: &Path) -> Files {
    let name = |entry: &fs::DirEntry| entry.file_name().into_string().unwrap();
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| (name(&entry), fs::read(entry.path()).unwrap())).collect()
}

#[test]
fn a_folder_in_use_is_refused_until_it_is_released() {
    let folder = folder();
    let (mut store, _) = reopen(folder.path());
    put(&mut store, &records(0..5, 100)).unwrap();
    let before = snapshot(folder.path());
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error:?}");
    assert!(error.to_string().contains(&folder.path().display().to_string()), "{error}");
    assert_eq!(snapshot(folder.path()), before);
    drop(store);
    assert_eq!(reopen(folder.path()).1.len(), 5);
}

#[test]
fn a_newer_format_is_refused_untouched() {
    let folder = folder();
    let (mut store, _) = reopen(folder.path());
    put(&mut store, &records(0..5, 100)).unwrap();
    store.close().unwrap();
    let database = Connection::open(folder.path().join("spool.db")).unwrap();
    database.execute_batch("PRAGMA user_version = 2").unwrap();
    database.close().unwrap();
    let before = everything(folder.path());
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 2, .. }), "{error:?}");
    assert_eq!(everything(folder.path()), before);
}

#[test]
fn a_newer_format_is_found_in_the_log() {
    let (folder, copy) = (folder(), super::folder());
    let (store, _) = reopen(folder.path());
    store.database.execute_batch("PRAGMA user_version = 2").unwrap();
    restore(copy.path(), &snapshot(folder.path()));
    let before = snapshot(copy.path());
    let error = Store::open(copy.path()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 2, .. }), "{error:?}");
    assert_eq!(snapshot(copy.path()), before);
}

#[test]
fn a_file_instead_of_a_folder_is_refused() {
    let folder = folder();
    let path = folder.path().join("file");
    fs::write(&path, "mine").unwrap();
    for path in [path.clone(), path.join("below")] {
        let error = Store::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::Io { .. }) && error.source().is_some(), "{error:?}");
    }
    assert_eq!(fs::read(&path).unwrap(), b"mine");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_to_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let (mut store, _) = reopen(folder.path());
    put(&mut store, &records(0..5, 100)).unwrap();
    store.close().unwrap();
    let before = everything(folder.path());
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(folder.path().join("probe"), "").is_ok() {
        println!("skipped: this user, root it seems, may write to every folder");
        return;
    }
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error:?}");
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(everything(folder.path()), before);
    assert_eq!(reopen(folder.path()).1.len(), 5);
}

#[test]
fn a_database_that_another_has_locked_is_refused_untouched() {
    let folder = folder();
    let (mut store, _) = reopen(folder.path());
    put(&mut store, &records(0..5, 100)).unwrap();
    store.close().unwrap();
    let other = Connection::open(folder.path().join("spool.db")).unwrap();
    other.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE").unwrap();
    // A database may be locked by this process, too; that a lock is shared then is a rule of POSIX, not of SQLite.
    let error = Store::open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::InUse { .. }), "{error:?}");
    assert!(
        fs::read_dir(folder.path())
            .unwrap()
            .all(|entry| { !entry.unwrap().file_name().to_string_lossy().starts_with("damaged") })
    );
}
