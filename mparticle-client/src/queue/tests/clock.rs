//! Tests of ages and times.

use crate::models::{Batch, CustomEvent, CustomEventType, Environment, UnixMillis};
use crate::queue::{Outcome, Queue};
use crate::testing::{Answer, Emulator};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::sleep;

const DAY: i64 = 24 * 60 * 60;
const LONG: Duration = Duration::from_secs(60);

/// A time of day that a test sets, in seconds since the start of the test.
#[derive(Clone)]
struct TestClock {
    start: SystemTime,
    seconds: Arc<AtomicI64>,
}

impl TestClock {
    fn new() -> Self {
        let start = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        Self { start, seconds: Arc::default() }
    }

    fn set(&self, seconds: i64) {
        self.seconds.store(seconds, Ordering::Relaxed);
    }

    fn now(&self) -> SystemTime {
        let seconds = self.seconds.load(Ordering::Relaxed);
        let distance = Duration::from_secs(seconds.unsigned_abs());
        if seconds < 0 { self.start - distance } else { self.start + distance }
    }

    /// Builds a queue with this clock, and spawns its worker.
    async fn queue(&self, emulator: &Emulator) -> Queue {
        let clock = self.clone();
        let client = emulator.client_builder().build().unwrap();
        let builder = client.queue().clock(move || clock.now()).concurrency(1);
        let (queue, worker) =
            builder.flush_every(Duration::ZERO).build_with_worker().await.unwrap();
        tokio::spawn(worker);
        queue
    }
}

fn batch(user: i64) -> Batch {
    Batch::new(Environment::Development).with_mpid(user)
}

#[tokio::test(start_paused = true)]
async fn a_batch_expires_after_25_days_and_younger_ones_are_delivered() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(503));
    let clock = TestClock::new();
    let queue = clock.queue(&emulator).await;
    let old = queue.send(batch(1)).await.unwrap();
    clock.set(DAY);
    let young = queue.send(batch(2)).await.unwrap();
    clock.set(25 * DAY - 60);
    sleep(LONG).await;
    assert_eq!(queue.stats().pending, 2);
    clock.set(25 * DAY);
    let result = old.await;
    assert!(matches!(result.outcome(), Outcome::Expired), "{result:?}");
    assert_eq!(result.into_requests().len(), 1);
    assert_eq!((queue.stats().expired, queue.stats().pending), (1, 1));

    emulator.always(Answer::normal());
    assert!(young.await.is_delivered());
    assert!(queue.shutdown(LONG).await.is_complete());
}

#[tokio::test(start_paused = true)]
async fn a_repeated_request_omits_batches_that_have_expired() {
    let emulator = Emulator::in_memory();
    emulator.script([Answer::status(503).delayed(LONG)]);
    let clock = TestClock::new();
    let queue = clock.queue(&emulator).await;
    let first = queue.send(batch(1)).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    let old = queue.send(batch(2)).await.unwrap();
    clock.set(DAY);
    let young = queue.send(batch(3)).await.unwrap();
    emulator.script([Answer::status(503)]);
    // The machine is suspended while the requests wait. Batches that have expired since are not sent.
    clock.set(25 * DAY);
    for old in [first, old] {
        assert!(matches!(old.await.outcome(), Outcome::Expired));
    }
    assert!(young.await.is_delivered());
    let sent = emulator.requests().len();
    let bodies: Vec<_> = emulator.requests().into_iter().map(|request| request.body).collect();
    assert!(bodies[1..].iter().all(|body| !String::from_utf8_lossy(body).contains("\"mpid\":2")));
    assert!(sent >= 2);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_expires_while_it_waits_for_the_rate_limiter_is_not_sent() {
    let emulator = Emulator::in_memory();
    emulator.script([Answer::status(429).retry_after(30)]);
    let clock = TestClock::new();
    let queue = clock.queue(&emulator).await;
    let old = queue.send(batch(1)).await.unwrap();
    sleep(Duration::from_secs(10)).await;
    clock.set(40 * DAY);
    assert!(matches!(old.await.outcome(), Outcome::Expired));
    assert_eq!(emulator.requests().len(), 1);
    assert!(queue.send(batch(1)).await.unwrap().await.is_delivered());
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_does_not_increase_ages() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(503));
    let clock = TestClock::new();
    let queue = clock.queue(&emulator).await;
    let handle = queue.send(batch(1)).await.unwrap();
    clock.set(-1000 * DAY);
    sleep(LONG).await;
    assert_eq!(queue.stats().oldest_age, Some(Duration::ZERO));
    emulator.always(Answer::normal());
    assert!(handle.await.is_delivered());
}

#[tokio::test(start_paused = true)]
async fn stats_contain_the_age_of_the_oldest_batch_and_the_time_of_the_first_failure() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(503));
    let clock = TestClock::new();
    let queue = clock.queue(&emulator).await;
    assert_eq!((queue.stats().oldest_age, queue.stats().failing_since), (None, None));
    clock.set(10);
    drop(queue.send(batch(1)).await.unwrap());
    sleep(Duration::from_secs(1)).await;
    clock.set(100);
    drop(queue.send(batch(2)).await.unwrap());
    sleep(LONG).await;
    let stats = queue.stats();
    assert_eq!(stats.oldest_age, Some(Duration::from_secs(90)));
    assert_eq!(stats.failing_since, Some(clock.start + Duration::from_secs(10)));
    assert_eq!(stats.last_error, Some(crate::ErrorKind::Server));
    emulator.always(Answer::normal());
    assert!(queue.flush(LONG).await.is_complete());
    let stats = queue.stats();
    assert_eq!((stats.oldest_age, stats.failing_since), (None, None));
    assert_eq!(stats.last_error, Some(crate::ErrorKind::Server));
}

#[tokio::test(start_paused = true)]
async fn an_event_without_a_timestamp_gets_the_time_of_acceptance() {
    let emulator = Emulator::in_memory();
    let clock = TestClock::new();
    let queue = clock.queue(&emulator).await;
    let own = UnixMillis::from_millis(1_600_000_000_000);
    let event = || CustomEvent::new("a", CustomEventType::Other);
    let given = batch(1).with_event(event()).with_event(event().with_timestamp_unixtime_ms(own));
    emulator.script([Answer::status(503), Answer::status(503)]);
    drop(queue.send(given).await.unwrap());
    clock.set(1000);
    assert!(queue.flush(LONG).await.is_complete());
    let sent = &emulator.batches()[0].json["events"];
    assert_eq!(sent[0]["data"]["timestamp_unixtime_ms"], 1_700_000_000_000_i64);
    assert_eq!(sent[1]["data"]["timestamp_unixtime_ms"], 1_600_000_000_000_i64);
}
