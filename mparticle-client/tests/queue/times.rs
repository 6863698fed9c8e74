//! The timestamps that a queue sets.

use super::support::{LONG, batch, queue};
use mparticle_client::ErrorKind;
use mparticle_client::testing::{Answer, Emulator};
use std::time::{SystemTime, UNIX_EPOCH};

fn timestamps(emulator: &Emulator) -> Vec<Option<i64>> {
    let batches = emulator.batches();
    let events = batches.iter().flat_map(|batch| batch.json["events"].as_array().unwrap());
    events.map(|event| event["data"]["timestamp_unixtime_ms"].as_i64()).collect()
}

#[tokio::test(start_paused = true)]
async fn joined_events_keep_the_time_of_their_own_acceptance() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder).await;
    let before = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    for event in ["a", "b"] {
        drop(queue.try_send(batch("1", event)).unwrap());
        std::thread::sleep(std::time::Duration::from_millis(3));
    }
    assert!(queue.flush(LONG).await.is_complete());
    assert_eq!(emulator.batches().len(), 1, "they were joined");
    let times: Vec<i64> = timestamps(&emulator).into_iter().flatten().collect();
    assert!(times[0] >= i64::try_from(before).unwrap() && times[1] >= times[0] + 3, "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn the_timestamps_can_be_left_out() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) =
        queue(&emulator, mparticle_client::queue::QueueBuilder::without_event_times).await;
    drop(queue.try_send(batch("1", "a")).unwrap());
    assert!(queue.flush(LONG).await.is_complete());
    assert_eq!(timestamps(&emulator), [None]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_returned_has_no_timestamps_that_the_queue_set() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::hang());
    let (queue, _worker) = queue(&emulator, |builder| builder.max_pending(1, 1_000_000)).await;
    drop(queue.try_send(batch("1", "a")).unwrap());
    let error = queue.try_send(batch("1", "b")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(error.into_batch() == batch("1", "b"));
}
