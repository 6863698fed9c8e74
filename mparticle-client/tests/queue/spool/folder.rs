//! Tests of a folder that is deleted, renamed or replaced while the queue runs: no batch is accepted that a later queue
//! would not find.
#![cfg(unix)]

use super::super::support::{LONG, assert_law, batch, client};
use mparticle_client::ErrorKind;
use mparticle_client::queue::Queue;
use mparticle_client::testing::{Answer, Emulator};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Sends batches until one is refused. The batches that are accepted before were written to the old folder.
async fn send_until_refused(queue: &Queue) -> ErrorKind {
    for number in 0..1000 {
        if let Err(error) = queue.send(batch("new", &format!("new-{number}"))).await {
            return error.kind();
        }
    }
    panic!("the queue accepts batches without a folder");
}

async fn harm(harm: impl FnOnce(&Path)) -> (Emulator, Queue, tempfile::TempDir) {
    let emulator = Emulator::start().await.unwrap();
    emulator.always(Answer::status(503));
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("spool");
    let client = client(&emulator);
    let queue = client.queue().spool(&folder).flush_every(Duration::from_millis(5));
    let queue = queue.build().await.unwrap();
    for event in ["a", "b"] {
        queue.send(batch("1", event)).await.unwrap();
    }
    harm(&folder);
    (emulator, queue, parent)
}

/// Checks that the pending batches are delivered from memory.
async fn assert_delivers(emulator: &Emulator, queue: &Queue) {
    emulator.always(Answer::normal());
    let report = queue.flush(LONG).await;
    assert_eq!(report.pending, 0, "{report:?}");
    assert_law(&queue.stats());
    assert!(queue.shutdown(LONG).await.is_complete());
    let events = super::super::support::accepted_events(emulator);
    assert!(events.starts_with(&["a".to_owned(), "b".to_owned()]), "{events:?}");
}

#[tokio::test]
async fn a_deleted_folder() {
    let (emulator, queue, _parent) = harm(|folder| fs::remove_dir_all(folder).unwrap()).await;
    let error = queue.send(batch("1", "c")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
    assert!(error.to_string().contains("deleted, renamed or replaced"), "{error}");
    assert_eq!(queue.try_send(batch("1", "c")).unwrap_err().kind(), ErrorKind::Storage);
    assert_delivers(&emulator, &queue).await;
}

#[tokio::test]
async fn a_folder_that_is_replaced_by_another() {
    let (emulator, queue, _parent) = harm(|folder| {
        fs::rename(folder, folder.with_extension("old")).unwrap();
        fs::create_dir(folder).unwrap();
        for entry in fs::read_dir(folder.with_extension("old")).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
        }
    })
    .await;
    assert_eq!(send_until_refused(&queue).await, ErrorKind::Storage);
    assert_delivers(&emulator, &queue).await;
}

#[tokio::test]
async fn a_folder_that_is_renamed_and_moved_back() {
    let (emulator, queue, parent) = harm(|folder| {
        fs::rename(folder, folder.with_extension("away")).unwrap();
    })
    .await;
    let folder = parent.path().join("spool");
    assert_eq!(send_until_refused(&queue).await, ErrorKind::Storage);
    fs::rename(folder.with_extension("away"), &folder).unwrap();
    let start = std::time::Instant::now();
    while queue.send(batch("2", "c")).await.is_err() {
        assert!(start.elapsed() < LONG, "the folder is back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_delivers(&emulator, &queue).await;
    let queue = client(&emulator).queue().spool(&folder).build().await.unwrap();
    assert!(queue.recovery().is_clean(), "{:?}", queue.recovery());
}

#[tokio::test]
async fn a_file_of_the_spool_that_is_deleted() {
    let (emulator, queue, _parent) = harm(|folder| {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_str().unwrap().starts_with("segment") {
                fs::remove_file(path).unwrap();
            }
        }
    })
    .await;
    assert_eq!(send_until_refused(&queue).await, ErrorKind::Storage);
    assert_delivers(&emulator, &queue).await;
}
