//! Tests of `send_timeout`, which returns the batch when the timeout elapses.

use super::support::{LONG, assert_law, batch, client, queue};
use mparticle_client::ErrorKind;
use mparticle_client::testing::{Answer, Emulator};
use std::time::Duration;
use tokio::time::Instant;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_full_queue_returns_the_batch_when_the_timeout_elapses() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(503));
    let (queue, _worker) = queue(&emulator, |builder| builder.max_pending(1, 1_000_000)).await;
    drop(queue.send_timeout(batch("1", "a"), SECOND).await.unwrap());
    for timeout in [Duration::ZERO, SECOND, 30 * SECOND] {
        let start = Instant::now();
        let error = queue.send_timeout(batch("1", "b"), timeout).await.unwrap_err();
        assert!(start.elapsed() >= timeout && start.elapsed() < timeout + SECOND / 10);
        assert_eq!(error.kind(), ErrorKind::Full);
        assert_eq!(error.may_be_delivered_as(), None);
        assert!(error.into_batch() == batch("1", "b"));
    }
    assert_eq!(queue.stats().accepted, 1);
    assert_law(&queue.stats());
}

#[tokio::test(start_paused = true)]
async fn capacity_that_is_freed_in_time_is_used() {
    let emulator = Emulator::in_memory();
    emulator.script([Answer::normal().delayed(9 * SECOND)]);
    let (queue, _worker) = queue(&emulator, |builder| builder.max_pending(1, 1_000_000)).await;
    drop(queue.send(batch("1", "a")).await.unwrap());
    let start = Instant::now();
    let second = queue.send_timeout(batch("1", "b"), 10 * SECOND).await.unwrap();
    assert!(start.elapsed() >= 9 * SECOND && start.elapsed() < 10 * SECOND);
    assert!(queue.flush(LONG).await.is_complete());
    assert!(second.await.is_delivered());
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_ends_during_the_call_is_closed() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::hang());
    let (queue, worker) = queue(&emulator, |builder| builder.max_pending(1, 1_000_000)).await;
    drop(queue.send(batch("1", "a")).await.unwrap());
    let sender = queue.clone();
    let waiting =
        tokio::spawn(async move { sender.send_timeout(batch("1", "b"), LONG).await.map(drop) });
    tokio::task::yield_now().await;
    worker.abort();
    let error = waiting.await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    let error = queue.send_timeout(batch("1", "b"), LONG).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
}

#[test]
fn no_runtime_is_needed() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::hang());
    let builder = client(&emulator).queue().max_pending(1, 1_000_000);
    let queue = pollster::block_on(builder.build()).unwrap();
    drop(pollster::block_on(queue.send_timeout(batch("1", "a"), SECOND)).unwrap());
    let start = std::time::Instant::now();
    let error = pollster::block_on(queue.send_timeout(batch("1", "b"), SECOND / 5)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(start.elapsed() >= SECOND / 5);
}
