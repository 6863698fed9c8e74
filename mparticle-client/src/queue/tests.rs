//! What only a clock of the test's own can show.

use super::Outcome;
use crate::models::{Batch, Environment};
use crate::testing::{Answer, Emulator};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

const DAY: u64 = 24 * 60 * 60;

fn batch(user: i64) -> Batch {
    Batch::new(Environment::Development).with_mpid(user)
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_is_not_delivered_within_25_days_expires_and_younger_ones_go_on() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(503));
    let seconds = Arc::new(AtomicU64::new(0));
    let elapsed = Arc::clone(&seconds);
    let started = SystemTime::now();
    let clock = move || started + Duration::from_secs(elapsed.load(Ordering::Relaxed));
    let client = emulator.client_builder().build().unwrap();
    let builder = client.queue().clock(clock).concurrency(1);
    let (queue, worker) = builder.build_with_worker().await.unwrap();
    let worker = tokio::spawn(worker);
    let old = queue.send(batch(1)).await.unwrap();
    seconds.store(DAY, Ordering::Relaxed);
    let young = queue.send(batch(2)).await.unwrap();

    // Both are in one request, which is tried until the older of them may be sent no more.
    tokio::time::sleep(Duration::from_secs(24 * DAY - 60)).await;
    seconds.store(25 * DAY - 60, Ordering::Relaxed);
    assert_eq!(queue.stats().pending, 2);
    seconds.store(25 * DAY, Ordering::Relaxed);
    let settled = old.await;
    assert!(matches!(settled.outcome(), Outcome::Expired), "{settled:?}");
    assert_eq!(settled.into_requests().len(), 1);
    assert_eq!((queue.stats().expired, queue.stats().pending), (1, 1));

    emulator.always(Answer::normal());
    assert!(young.await.is_delivered());
    assert!(queue.shutdown(Duration::from_secs(60)).await.is_complete());
    worker.await.unwrap();
}
