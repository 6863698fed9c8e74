//! Tests of a spool that cannot be opened: an error is returned, and the folder is not changed.

use super::super::support::client;
use mparticle_client::ErrorKind;
use mparticle_client::testing::Emulator;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn everything(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let name = |entry: &fs::DirEntry| entry.file_name().into_string().unwrap();
    entries.map(|entry| (name(&entry), fs::read(entry.path()).unwrap())).collect()
}

async fn assert_refused(emulator: &Emulator, path: &Path) {
    let error = client(emulator).queue().spool(path).build().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
}

#[tokio::test]
async fn a_file_in_place_of_the_folder() {
    let emulator = Emulator::in_memory();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "mine").unwrap();
    assert_refused(&emulator, &file).await;
    assert_refused(&emulator, &file.join("below")).await;
    assert_eq!(fs::read(&file).unwrap(), b"mine");
}

#[tokio::test]
async fn a_database_of_an_earlier_version() {
    let emulator = Emulator::in_memory();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("spool.db"), "SQLite format 3").unwrap();
    let before = everything(folder.path());
    assert_refused(&emulator, folder.path()).await;
    assert_eq!(everything(folder.path()), before);
}

#[cfg(unix)]
mod permissions {
    use super::super::super::support::{LONG, batch, client};
    use super::{assert_refused, everything};
    use mparticle_client::testing::{Answer, Emulator};
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::time::Duration;

    /// Leaves a batch in a folder.
    async fn leave_one(emulator: &Emulator, folder: &Path) {
        emulator.always(Answer::status(503));
        let queue = client(emulator).queue().spool(folder).build().await.unwrap();
        queue.send(batch("1", "a")).await.unwrap();
        assert_eq!(queue.shutdown(Duration::ZERO).await.left_in_spool, 1);
        emulator.always(Answer::normal());
    }

    /// Checks that the batch that was left is found and delivered.
    async fn assert_delivered(emulator: &Emulator, folder: &Path) {
        let queue = client(emulator).queue().spool(folder).build().await.unwrap();
        assert_eq!(queue.recovery().recovered, 1);
        assert!(queue.shutdown(LONG).await.is_complete());
        assert_eq!(emulator.batches().len(), 1);
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_written_to() {
        let emulator = Emulator::in_memory();
        let folder = tempfile::tempdir().unwrap();
        leave_one(&emulator, folder.path()).await;
        let before = everything(folder.path());
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).unwrap();
        if fs::write(folder.path().join("probe"), "").is_ok() {
            println!("skipped: this user, root it seems, may write to every folder");
            return;
        }
        assert_refused(&emulator, folder.path()).await;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(everything(folder.path()), before);
        assert_delivered(&emulator, folder.path()).await;
    }
}
