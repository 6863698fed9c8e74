//! Tests of the folder on a real disk: refused folders, permissions, and folders that are moved.

#[cfg(unix)]
use super::model::read_folder;
use super::model::{OPTIONS, SharedModel, Workload, close};
use super::unnumbered;
use crate::spool::files::Disk;
use crate::spool::frame::Head;
#[cfg(unix)]
use crate::spool::log::LOCK;
use crate::spool::log::segment_path;
use crate::spool::{Durability, Opened, Spool};
use crate::{Error, ErrorKind};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

fn refusal(folder: &Path) -> String {
    let error = Spool::open(folder).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Storage);
    let text = error.to_string();
    assert!(text.contains(&folder.display().to_string()), "{text}");
    text
}

fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

fn workload(folder: &Path, model: &SharedModel) -> Workload {
    Workload::start_in(Disk, folder, OPTIONS, model.clone(), 1)
}

/// Waits for the reply to one job.
fn answer(job: impl FnOnce(crate::spool::Done)) -> Result<(), Error> {
    let (sender, receiver) = mpsc::channel();
    job(Box::new(move |result| sender.send(result).unwrap()));
    receiver.recv_timeout(Duration::from_secs(20)).unwrap()
}

fn accept(spool: &Spool, durability: Durability) -> Result<(), Error> {
    answer(|done| _ = spool.accept(b"record".to_vec(), durability, unnumbered(done)))
}

#[test]
fn a_newer_version_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let Opened { spool, .. } = Spool::open(folder.path()).unwrap();
    accept(&spool, Durability::Awaited).unwrap();
    close(&spool);
    let path = segment_path(folder.path(), 1);
    let mut bytes = fs::read(&path).unwrap();
    let head = Head { version: 2, ..Head::decode(&bytes).unwrap() }.encode();
    bytes[..head.len()].copy_from_slice(&head);
    fs::write(&path, bytes).unwrap();
    let before = content(folder.path());
    assert!(refusal(folder.path()).contains("format 2, which is newer"));
    assert!(content(folder.path()) == before);
}

#[test]
fn a_database_of_an_earlier_version_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("spool.db"), "SQLite format 3").unwrap();
    let before = content(folder.path());
    assert!(refusal(folder.path()).contains("earlier version"));
    assert!(content(folder.path()) == before);
}

#[test]
fn a_file_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert!(refusal(file.path()).contains("check that it is a folder"));
    assert!(refusal(&file.path().join("below")).contains("check that it is a folder"));
}

/// Permissions do not restrict the superuser. The test therefore uses folders on read-only file systems.
#[cfg(target_os = "linux")]
#[test]
fn a_read_only_folder_is_refused() {
    assert!(refusal(Path::new("/proc/self/spool")).contains("may write to it"));
    assert!(refusal(Path::new("/sys/kernel")).contains("may write to it"));
}

#[test]
fn a_folder_has_one_spool() {
    let folder = tempfile::tempdir().unwrap();
    let Opened { spool, .. } = Spool::open(folder.path()).unwrap();
    assert!(refusal(folder.path()).contains("in use"));
    close(&spool);
    close(&Spool::open(folder.path()).unwrap().spool);
}

#[cfg(unix)]
#[test]
fn created_files_are_accessible_only_to_the_owner() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let above = tempfile::tempdir().unwrap();
    let folder = above.path().join("a/b");
    let Opened { spool, .. } = Spool::open(&folder).unwrap();
    accept(&spool, Durability::Awaited).unwrap();
    close(&spool);
    assert_eq!((mode(&folder), mode(&above.path().join("a"))), (0o700, 0o700));
    let files = content(&folder);
    assert!(files.len() >= 3);
    assert!(files.keys().all(|path| mode(path) == 0o600));
}

#[test]
fn other_files_are_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["segment-1", "segment-0000000g", "segment-0000000A", "segment-00000001.old", "x"];
    for name in names {
        fs::write(folder.path().join(name), "not ours").unwrap();
    }
    let model = SharedModel::default();
    let mut workload = workload(folder.path(), &model);
    (0..300).for_each(|_| workload.step());
    workload.close();
    for name in names {
        assert_eq!(fs::read(folder.path().join(name)).unwrap(), b"not ours");
    }
}

/// Moves the folder of an open spool, and checks the replies.
#[cfg(unix)]
fn check_gone(folder: &Path, workload: &mut Workload) {
    let gone = |result: Result<(), Error>| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage);
        assert!(error.to_string().contains("deleted, renamed or replaced"), "{error}");
    };
    let before = folder.exists().then(|| content(folder));
    let spool = &workload.spool;
    for _ in 0..3 {
        gone(accept(spool, Durability::Awaited));
        gone(accept(spool, Durability::Promised));
        gone(answer(|done| _ = spool.seal("1".to_owned(), Vec::new(), 1, done)));
        gone(answer(|done| spool.delete(vec![1], Some(done))));
        gone(spool.check());
    }
    std::thread::sleep(OPTIONS.poll * 5);
    assert!(folder.exists().then(|| content(folder)) == before, "the folder is not changed");
}

#[cfg(unix)]
#[test]
fn a_spool_whose_folder_was_deleted_or_replaced_accepts_nothing() {
    for is_replaced in [false, true] {
        let above = tempfile::tempdir().unwrap();
        let folder = above.path().join("spool");
        let model = SharedModel::default();
        let mut workload = workload(&folder, &model);
        workload.accept(10, Durability::Awaited);
        workload.wait();
        if is_replaced {
            let files = content(&folder);
            fs::rename(&folder, above.path().join("other")).unwrap();
            fs::create_dir(&folder).unwrap();
            for (path, bytes) in &files {
                fs::write(path, bytes).unwrap();
            }
        } else {
            fs::remove_dir_all(&folder).unwrap();
        }
        check_gone(&folder, &mut workload);
        workload.close();
    }
}

#[cfg(unix)]
#[test]
fn a_spool_continues_when_its_folder_is_moved_back() {
    let above = tempfile::tempdir().unwrap();
    let (folder, other) = (above.path().join("spool"), above.path().join("other"));
    let model = SharedModel::default();
    let mut workload = workload(&folder, &model);
    for round in 0..4 {
        (0..50).for_each(|_| _ = workload.accept(100, Durability::Awaited));
        workload.wait();
        assert!(model.lock().unwrap().refused.is_empty());
        fs::rename(&folder, &other).unwrap();
        if round % 2 == 1 {
            fs::create_dir(&folder).unwrap();
        }
        assert_eq!(accept_raw(&mut workload), Some(ErrorKind::Storage));
        let deleted = workload.living.split_off(workload.living.len() - 10);
        workload.delete(deleted);
        workload.wait();
        if round % 2 == 1 {
            // The spool may have begun a spare there, if the folder was replaced at that very moment.
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::rename(&other, &folder).unwrap();
        workload.wait_until_healed();
    }
    workload.close();
    let (batches, _, damage) = read_folder(&folder);
    assert_eq!(damage.description, None);
    let records: Vec<_> = batches.into_iter().filter(|batch| &*batch.record != b"record").collect();
    model.lock().unwrap().check(&records, &[]);
}

#[cfg(unix)]
fn accept_raw(workload: &mut Workload) -> Option<ErrorKind> {
    workload.last_number += 1;
    accept(&workload.spool, Durability::Awaited).err().map(|error| error.kind())
}

#[cfg(unix)]
#[test]
fn a_spool_whose_lock_file_was_replaced_accepts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let model = SharedModel::default();
    let mut workload = workload(folder.path(), &model);
    workload.accept(10, Durability::Awaited);
    workload.wait();
    fs::remove_file(folder.path().join(LOCK)).unwrap();
    let Opened { spool, .. } = Spool::open(folder.path()).unwrap();
    for _ in 0..20 {
        let error = accept(&workload.spool, Durability::Awaited).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage);
        accept(&spool, Durability::Awaited).unwrap();
    }
    close(&spool);
    workload.close();
    let (batches, _, damage) = read_folder(folder.path());
    assert_eq!((batches.len(), damage.description), (21, None));
}
