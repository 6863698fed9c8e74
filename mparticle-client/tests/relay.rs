//! A relay that reads from a log in memory: order, bytes, faults of the log, refusals, halts and the shutdown.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]

#[path = "../examples/relay/memory_log.rs"]
mod memory_log;

use bytes::Bytes;
use http::StatusCode;
use memory_log::{MemoryLog, MemoryReader};
use mparticle_client::models::{Batch, Environment};
use mparticle_client::relay::{BatchLog, LogError, LogReader, RelayState, Settled};
use mparticle_client::testing::{Answer, Emulator};
use mparticle_client::{Client, EncodedBatch, ErrorKind, Outcome, RateLimiter};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

fn encode(client: &Client, number: usize, users: usize) -> EncodedBatch {
    let user = i64::try_from(number % users).unwrap();
    let batch = Batch::new(Environment::Development)
        .with_source_request_id(number.to_string())
        .with_mpid(user)
        .with_user_attribute("number", number.to_string());
    client.encode(&batch).unwrap().remove(0)
}

/// Returns a log with batches that are numbered from 0, and what each of them contains.
fn log_of(client: &Client, count: usize, users: usize) -> (MemoryLog, Vec<EncodedBatch>) {
    let log = MemoryLog::default();
    let encoded: Vec<_> = (0..count).map(|number| encode(client, number, users)).collect();
    for batch in &encoded {
        log.append(batch.to_bytes());
    }
    (log, encoded)
}

async fn until_settled(log: &MemoryLog) {
    let settled = async {
        while log.pending() > 0 {
            sleep(SECOND / 100).await;
        }
    };
    timeout(3_600 * SECOND, settled).await.unwrap();
}

/// Checks that each batch was accepted once, with the stored bytes, and in the order of its user.
fn assert_delivered(emulator: &Emulator, encoded: &[EncodedBatch]) {
    emulator.assert_exactly_once(encoded.iter().map(EncodedBatch::source_request_id));
    let mut last = HashMap::new();
    for batch in emulator.batches() {
        let number: usize = batch.id.as_deref().unwrap().parse().unwrap();
        assert_eq!(batch.raw, encoded[number].json());
        let earlier = last.insert(batch.json["mpid"].as_i64().unwrap(), number);
        assert!(earlier.is_none_or(|earlier| earlier < number), "{earlier:?} before {number}");
    }
}

#[tokio::test(start_paused = true)]
async fn stored_batches_are_delivered_in_order_with_their_bytes_and_in_few_requests() {
    let emulator = Emulator::in_memory();
    let client = emulator.client_builder().build().unwrap();
    let (log, encoded) = log_of(&client, 2_000, 300);
    let outcomes = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&outcomes);
    let relay = client
        .relay(log.clone())
        .on_outcome(move |result| {
            assert!(result.is_delivered());
            hook.lock().unwrap().push(result.source_request_id().to_owned());
        })
        .start()
        .await
        .unwrap();
    until_settled(&log).await;
    let stats = relay.shutdown(SECOND).await;
    assert_delivered(&emulator, &encoded);
    assert_eq!((stats.delivered, stats.held, stats.opened), (2_000, 0, 1));
    assert_eq!(stats.state, RelayState::Stopped);
    assert_eq!(outcomes.lock().unwrap().len(), 2_000);
    assert!(emulator.requests().len() <= 30, "{}", emulator.requests().len());
}

#[tokio::test(start_paused = true)]
async fn a_relay_that_dies_again_and_again_loses_nothing_and_keeps_the_order() {
    let emulator = Emulator::builder().latency(SECOND / 10).in_memory();
    emulator.script((0..200).map(|number| match number % 10 {
        3 => Answer::status(503),
        5 => Answer::close().after_processing(),
        _ => Answer::normal(),
    }));
    let client = emulator.client_builder().build().unwrap();
    let (log, encoded) = log_of(&client, 5_000, 50);
    let mut deaths = 0;
    while log.pending() > 0 {
        let relay = client.relay(log.clone()).max_batches(40).start().await.unwrap();
        sleep(SECOND / 100 * (30 + deaths % 70)).await;
        drop(relay);
        deaths += 1;
    }
    assert!(deaths > 5, "{deaths}");
    assert_delivered(&emulator, &encoded);
    assert!(!emulator.duplicates().is_empty(), "no relay died with a request in flight");
}

/// A log whose calls fail now and then.
#[derive(Clone)]
struct FaultyLog {
    log: MemoryLog,
    /// The number of calls until the next one fails.
    calls: Arc<Mutex<usize>>,
    faults: Arc<AtomicUsize>,
    closed: Arc<AtomicUsize>,
}

struct FaultyReader {
    reader: MemoryReader,
    faults: FaultyLog,
}

impl FaultyLog {
    fn new(log: &MemoryLog) -> Self {
        let calls = Arc::new(Mutex::new(600));
        Self { log: log.clone(), calls, faults: Arc::default(), closed: Arc::default() }
    }

    fn call(&self) -> Result<(), LogError> {
        let mut calls = self.calls.lock().unwrap();
        *calls -= 1;
        if *calls > 0 {
            return Ok(());
        }
        *calls = 600 + self.faults.fetch_add(1, Ordering::Relaxed) * 97 % 400;
        Err("the log is not reachable".into())
    }
}

impl BatchLog for FaultyLog {
    type Reader = FaultyReader;

    async fn open(&self, limiter: &RateLimiter) -> Result<FaultyReader, LogError> {
        self.call()?;
        Ok(FaultyReader { reader: self.log.open(limiter).await?, faults: self.clone() })
    }
}

impl LogReader for FaultyReader {
    type Position = u64;

    async fn read(&mut self) -> Result<(u64, Bytes), LogError> {
        self.faults.call()?;
        self.reader.read().await
    }

    async fn settle(&mut self, settled: Vec<Settled<u64>>) -> Result<(), LogError> {
        self.faults.call()?;
        self.reader.settle(settled).await
    }

    async fn close(self) {
        self.faults.closed.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_that_fails_is_opened_again_and_nothing_is_lost() {
    let emulator = Emulator::builder().latency(SECOND / 10).in_memory();
    let client = emulator.client_builder().build().unwrap();
    let (log, encoded) = log_of(&client, 3_000, 100);
    let faulty = FaultyLog::new(&log);
    let relay = client.relay(faulty.clone()).max_batches(20).start().await.unwrap();
    until_settled(&log).await;
    let stats = relay.shutdown(SECOND).await;
    assert_delivered(&emulator, &encoded);
    assert!(stats.opened > 3, "{stats:?}");
    let closed = faulty.closed.load(Ordering::Relaxed);
    assert_eq!(closed, usize::try_from(stats.opened).unwrap());
    assert_eq!(stats.last_error.unwrap().kind(), ErrorKind::Storage);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_delivered_is_settled_with_its_reason_and_delays_nothing_else() {
    let emulator = Emulator::in_memory();
    let client = emulator.client_builder().build().unwrap();
    let (log, mut encoded) = log_of(&client, 10, 10);
    let with_json = |id: &str, at: u64, json: &str| {
        let header =
            format!(r#"{{"mparticle_batch":1,"id":"{id}","encoded_at_ms":{at},"users":[]}}"#);
        Bytes::from(format!("{header}\n{json}"))
    };
    log.append(Bytes::from_static(b"hello"));
    log.append(with_json("malformed", 1_764_081_234_567_000, "{\"mpid\"}"));
    log.append(with_json("old", 1_000, "{}"));
    encoded.push(encode(&client, 10, 11));
    log.append(encoded[10].to_bytes());
    let relay = client.relay(log.clone()).start().await.unwrap();
    until_settled(&log).await;
    let stats = relay.shutdown(SECOND).await;
    assert_delivered(&emulator, &encoded);
    assert_eq!((stats.delivered, stats.rejected, stats.expired), (11, 2, 1));
    let mut undelivered = log.undelivered();
    undelivered.sort_by_key(|result| result.source_request_id().to_owned());
    assert_eq!(undelivered[0].error().unwrap().kind(), ErrorKind::Invalid);
    assert_eq!(undelivered[1].error().unwrap().status(), Some(StatusCode::BAD_REQUEST));
    assert_eq!(undelivered[1].requests()[0].body(), "[{\"mpid\"}]");
    assert!(matches!(undelivered[2].outcome(), Outcome::Expired));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_credentials_closes_the_reader_and_is_tried_again_after_a_minute() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(401));
    let client = emulator.client_builder().build().unwrap();
    let (log, encoded) = log_of(&client, 500, 500);
    let faulty = FaultyLog { calls: Arc::new(Mutex::new(usize::MAX)), ..FaultyLog::new(&log) };
    let relay = client.relay(faulty.clone()).start().await.unwrap();
    sleep(SECOND).await;
    let stats = relay.stats();
    let (kind, unauthorized) = (ErrorKind::Unauthorized, Some(StatusCode::UNAUTHORIZED));
    assert_eq!(stats.state, RelayState::Paused { kind, status: unauthorized });
    let closed = faulty.closed.load(Ordering::Relaxed);
    assert_eq!((stats.held, closed, log.pending()), (0, 1, 500));
    assert!(emulator.requests().len() <= 4);
    emulator.always(Answer::normal());
    sleep(30 * SECOND).await;
    assert_eq!(log.pending(), 500);
    sleep(31 * SECOND).await;
    assert_eq!(relay.stats().state, RelayState::Active);
    until_settled(&log).await;
    assert_delivered(&emulator, &encoded);
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_a_newer_version_is_left_in_the_log_with_all_that_follow() {
    let emulator = Emulator::in_memory();
    let client = emulator.client_builder().build().unwrap();
    let (log, encoded) = log_of(&client, 10, 10);
    log.append(Bytes::from_static(b"{\"mparticle_batch\":2,\"novel\":true}\n\x01"));
    log.append(encode(&client, 11, 12).to_bytes());
    let relay = client.relay(log.clone()).start().await.unwrap();
    sleep(SECOND).await;
    assert_delivered(&emulator, &encoded);
    assert_eq!(log.pending(), 2);
    let kind = ErrorKind::Storage;
    assert_eq!(relay.stats().state, RelayState::Paused { kind, status: None });
    drop(relay);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_waited_for_with_little_memory() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(503));
    let client = emulator.client_builder().build().unwrap();
    let (log, encoded) = log_of(&client, 20_000, 20_000);
    let relay = client.relay(log.clone()).concurrency(2).start().await.unwrap();
    sleep(1_800 * SECOND).await;
    let stats = relay.stats();
    assert!(stats.held <= 600, "{stats:?}");
    assert!(stats.failing_since.is_some());
    assert_eq!(stats.last_error.unwrap().status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    emulator.always(Answer::normal());
    until_settled(&log).await;
    let stats = relay.shutdown(SECOND).await;
    assert_eq!(stats.failing_since, None);
    assert_delivered(&emulator, &encoded);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_delivers_what_was_read_or_leaves_it_in_the_log() {
    for (time, is_complete) in [(60 * SECOND, true), (SECOND / 2, false)] {
        let emulator = Emulator::builder().latency(SECOND).in_memory();
        let client = emulator.client_builder().build().unwrap();
        let (log, encoded) = log_of(&client, 1_000, 1_000);
        let relay = client.relay(log.clone()).start().await.unwrap();
        sleep(SECOND / 10).await;
        let held = relay.stats().held;
        assert!(held > 0);
        let start = tokio::time::Instant::now();
        let stats = relay.shutdown(time).await;
        assert!(start.elapsed() <= 4 * SECOND && start.elapsed() <= time, "{:?}", start.elapsed());
        assert_eq!((stats.state, stats.held), (RelayState::Stopped, 0));
        assert_eq!(stats.delivered, if is_complete { held } else { 0 });
        assert_eq!(log.pending(), 1_000 - usize::try_from(stats.delivered).unwrap());
        let next = client.relay(log.clone()).start().await.unwrap();
        until_settled(&log).await;
        assert_delivered(&emulator, &encoded);
        drop(next);
    }
}

#[tokio::test(start_paused = true)]
async fn the_relay_of_a_disabled_client_reads_nothing() {
    let emulator = Emulator::in_memory();
    let client = emulator.client_builder().disabled().build().unwrap();
    let (log, _) = log_of(&client, 10, 10);
    let relay = client.relay(log.clone()).start().await.unwrap();
    sleep(10 * SECOND).await;
    assert_eq!(relay.stats().state, RelayState::Standby);
    let stats = relay.shutdown(SECOND).await;
    assert_eq!((stats.state, stats.opened, log.pending()), (RelayState::Stopped, 0, 10));
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_does_not_end_the_relay() {
    let emulator = Emulator::in_memory();
    let client = emulator.client_builder().build().unwrap();
    let (log, encoded) = log_of(&client, 10, 10);
    let hook = |_: &_| panic!("in the hook");
    let relay = client.relay(log.clone()).on_outcome(hook).start().await.unwrap();
    until_settled(&log).await;
    assert_delivered(&emulator, &encoded);
    assert_eq!(relay.shutdown(SECOND).await.delivered, 10);
}

/// A log whose reader never confirms that batches are settled.
struct SilentLog(MemoryLog);

struct SilentReader(MemoryReader);

impl BatchLog for SilentLog {
    type Reader = SilentReader;

    async fn open(&self, limiter: &RateLimiter) -> Result<SilentReader, LogError> {
        Ok(SilentReader(self.0.open(limiter).await?))
    }
}

impl LogReader for SilentReader {
    type Position = u64;

    async fn read(&mut self) -> Result<(u64, Bytes), LogError> {
        self.0.read().await
    }

    async fn settle(&mut self, _: Vec<Settled<u64>>) -> Result<(), LogError> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_does_not_wait_for_a_log_that_does_not_answer() {
    let emulator = Emulator::in_memory();
    let client = emulator.client_builder().build().unwrap();
    let (log, _) = log_of(&client, 10, 10);
    let relay = client.relay(SilentLog(log.clone())).start().await.unwrap();
    emulator.wait_for_batches(10).await;
    let start = tokio::time::Instant::now();
    let stats = relay.shutdown(5 * SECOND).await;
    assert!(start.elapsed() <= 7 * SECOND + SECOND / 10, "{:?}", start.elapsed());
    assert_eq!((stats.state, log.pending()), (RelayState::Stopped, 10));
}
