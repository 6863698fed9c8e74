//! Tests of the conditions on which a request is sent.

use super::support::{LONG, batch, large, queue, settle, sizes};
use mparticle_client::testing::{Answer, Emulator};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const INTERVAL: Duration = Duration::from_secs(7);
const NEVER: Duration = Duration::from_secs(24 * 60 * 60);
const TICK: Duration = Duration::from_millis(2);

#[tokio::test(start_paused = true)]
async fn a_batch_waits_for_others_for_the_flush_interval() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder.flush_every(INTERVAL)).await;
    for idle in [0, 1, 6_999, 7_000, 7_001, 13_500, 100_000] {
        sleep(Duration::from_millis(idle)).await;
        let given = Instant::now();
        let count = emulator.requests().len();
        let first = queue.try_send(batch("1", "a")).unwrap();
        sleep(Duration::from_secs(3)).await;
        let second = queue.try_send(batch("2", "b")).unwrap();
        assert!(first.await.is_delivered());
        let elapsed = given.elapsed();
        assert!(elapsed >= INTERVAL && elapsed <= INTERVAL + TICK, "{idle}: {elapsed:?}");
        assert!(second.await.is_delivered());
        assert_eq!(emulator.requests().len(), count + 1);
        assert_eq!(given.elapsed(), elapsed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_waits_for_its_own_interval_while_another_is_in_flight() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder.flush_every(INTERVAL)).await;
    emulator.script([Answer::normal().delayed(Duration::from_secs(10))]);
    drop(queue.try_send(batch("1", "a")).unwrap());
    sleep(INTERVAL + Duration::from_secs(2)).await;
    let given = Instant::now();
    assert!(queue.try_send(batch("2", "b")).unwrap().await.is_delivered());
    assert!(given.elapsed() >= INTERVAL && given.elapsed() <= INTERVAL + TICK);
}

#[tokio::test(start_paused = true)]
async fn without_an_interval_every_batch_is_sent_at_once() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder.flush_every(Duration::ZERO)).await;
    let start = Instant::now();
    for event in ["a", "b", "c"] {
        assert!(queue.send(batch("1", event)).await.unwrap().await.is_delivered());
    }
    assert!(start.elapsed() <= TICK);
    assert_eq!(emulator.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn with_an_endless_interval_a_flush_or_a_shutdown_still_sends() {
    let emulator = Emulator::in_memory();
    let (queue, worker) = queue(&emulator, |builder| builder.flush_every(Duration::MAX)).await;
    drop(queue.try_send(batch("1", "a")).unwrap());
    sleep(NEVER).await;
    assert!(!worker.is_finished());
    assert_eq!(emulator.requests().len(), 0);
    assert_eq!(queue.flush(LONG).await.delivered, 1);
    drop(queue.try_send(batch("1", "a")).unwrap());
    assert_eq!(queue.shutdown(Duration::MAX).await.delivered, 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_with_enough_batches_is_sent_at_once() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder.flush_every(NEVER)).await;
    for user in 0..200 {
        drop(queue.try_send(batch(&user.to_string(), "a")).unwrap());
        settle().await;
    }
    sleep(TICK).await;
    // The worker is woken for slightly more batches than a request contains.
    assert_eq!(emulator.requests().len(), 1);
    assert_eq!((queue.stats().delivered, queue.stats().pending), (100, 100));
}

#[tokio::test(start_paused = true)]
async fn a_request_with_enough_bytes_is_sent_at_once() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder.flush_every(NEVER)).await;
    for user in 0..3 {
        drop(queue.try_send(large(&user.to_string(), "a", 100_000)).unwrap());
        settle().await;
    }
    sleep(TICK).await;
    assert_eq!(emulator.requests().len(), 1);
    assert_eq!((queue.stats().delivered, queue.stats().pending), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_flush_sends_only_the_batches_that_are_waiting() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder.flush_every(NEVER)).await;
    let before = Instant::now();
    drop(queue.try_send(batch("1", "a")).unwrap());
    let flush = queue.flush(LONG);
    let later = queue.try_send(batch("1", "b")).unwrap();
    let report = flush.await;
    assert!(report.is_complete() && report.delivered >= 1, "{report:?}");
    assert!(before.elapsed() <= TICK);
    drop(later);
    drop(queue.try_send(batch("1", "c")).unwrap());
    sleep(Duration::from_secs(60 * 60)).await;
    assert!(queue.stats().pending >= 1);
}

#[tokio::test(start_paused = true)]
async fn a_flush_of_an_empty_queue_ends_at_once() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) = queue(&emulator, |builder| builder).await;
    let start = Instant::now();
    let report = queue.flush(LONG).await;
    assert!(report.is_complete());
    assert_eq!((report.delivered, start.elapsed()), (0, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_flush_ends_at_its_deadline_which_begins_with_the_call() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::hang());
    let (queue, _worker) = queue(&emulator, |builder| builder).await;
    let delivery = queue.try_send(batch("1", "a")).unwrap();
    let start = Instant::now();
    let flush = queue.flush(Duration::from_secs(20));
    sleep(Duration::from_secs(15)).await;
    let report = flush.await;
    assert!(start.elapsed() <= Duration::from_secs(20) + TICK, "{:?}", start.elapsed());
    assert_eq!((report.pending, report.delivered), (1, 0));
    assert!(!report.is_complete());
    emulator.always(Answer::normal());
    assert!(delivery.await.is_delivered());
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_sends_without_waiting_for_more() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) =
        queue(&emulator, |builder| builder.flush_every(NEVER).max_pending(2, 1_000_000)).await;
    drop(queue.try_send(batch("1", "a")).unwrap());
    drop(queue.try_send(batch("2", "b")).unwrap());
    let start = Instant::now();
    assert!(queue.try_send(batch("3", "c")).is_err());
    drop(queue.send(batch("3", "c")).await.unwrap());
    assert!(start.elapsed() <= TICK);
    assert_eq!(queue.stats().delivered, 2);
}

#[tokio::test(start_paused = true)]
async fn many_calls_that_wait_for_capacity_do_not_wait_for_the_interval() {
    let emulator = Emulator::in_memory();
    let (queue, _worker) =
        queue(&emulator, |builder| builder.flush_every(NEVER).max_pending(1, 1_000_000)).await;
    let start = Instant::now();
    let senders: Vec<_> = (0..10)
        .map(|user| {
            let queue = queue.clone();
            tokio::spawn(async move { queue.send(batch(&user.to_string(), "a")).await.map(drop) })
        })
        .collect();
    for sender in senders {
        sender.await.unwrap().unwrap();
    }
    assert!(start.elapsed() <= 20 * TICK, "{:?}", start.elapsed());
    assert!(queue.stats().delivered >= 9);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_waits_for_capacity_causes_no_small_request_while_others_are_in_flight() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::normal().delayed(Duration::from_secs(9)));
    let (queue, _worker) =
        queue(&emulator, |builder| builder.flush_every(NEVER).max_pending(250, 1_000_000)).await;
    for number in 0..250 {
        drop(queue.try_send(batch(&number.to_string(), "a")).unwrap());
    }
    let start = Instant::now();
    let waiting = tokio::spawn({
        let queue = queue.clone();
        async move { queue.send(batch("x", "a")).await.map(drop) }
    });
    sleep(Duration::from_secs(8)).await;
    assert!(!waiting.is_finished());
    assert_eq!(sizes(&emulator), [100, 100]);
    waiting.await.unwrap().unwrap();
    assert!(start.elapsed() < Duration::from_secs(10));
}
