//! Tests of a full disk: batches that cannot be stored are returned, and stored batches are delivered.

use super::super::support::{LONG, assert_law, client, large};
use mparticle_client::ErrorKind;
use mparticle_client::testing::{Answer, Emulator};
use std::path::Path;

/// Requires a folder on a disk of about 12 MB, which the test fills: `mount -t tmpfs -o size=12m tmpfs FOLDER`.
#[tokio::test]
async fn on_a_full_disk_batches_are_returned_until_others_are_delivered() {
    let Some(disk) = std::env::var_os("MPARTICLE_SMALL_DISK") else {
        println!("skipped: MPARTICLE_SMALL_DISK does not name a folder on a small disk");
        return;
    };
    let folder = tempfile::tempdir_in(Path::new(&disk)).unwrap();
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(503));
    let client = client(&emulator);
    let builder = client.queue().spool(folder.path());
    let queue = builder.clone().build().await.unwrap();
    let mut accepted = 0_u64;
    let refused = loop {
        let batch = large(&accepted.to_string(), "event", 50_000);
        match queue.send(batch).await {
            Ok(_) => accepted += 1,
            Err(error) => break error,
        }
        assert!(accepted < 10_000, "the disk does not become full");
    };
    assert_eq!(refused.kind(), ErrorKind::Storage, "{refused}");
    assert!(accepted > 20, "{accepted}");
    let refused = refused.into_batch();
    assert_eq!(refused.events.len(), 1);
    assert_eq!((queue.stats().accepted, queue.stats().pending), (accepted, accepted));
    assert_law(&queue.stats());

    // The spool can also be opened on the full disk.
    assert_eq!(queue.shutdown(std::time::Duration::ZERO).await.left_in_spool, accepted);
    let queue = builder.clone().build().await.unwrap();
    assert!(queue.recovery().is_clean(), "{:?}", queue.recovery());
    assert_eq!(queue.recovery().recovered, accepted);
    assert_eq!(queue.send(refused.clone()).await.unwrap_err().kind(), ErrorKind::Storage);

    emulator.always(Answer::normal());
    assert_eq!(queue.flush(LONG).await.pending, 0);
    assert_eq!(queue.stats().delivered, accepted);
    assert!(queue.send(refused).await.unwrap().await.is_delivered());
    assert!(queue.shutdown(LONG).await.is_complete());
    assert_law(&queue.stats());
    drop(queue);
    assert_eq!(builder.build().await.unwrap().recovery().recovered, 0);
    println!("{accepted} batches of 50 kB fit");
}
