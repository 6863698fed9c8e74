//! Tests of a queue with a spool that runs for minutes, with faults of the server, shutdowns and restarts.
//!
//! `MPARTICLE_SOAK_SECONDS` sets the duration in seconds. The test is skipped if the variable is not set.
#![cfg(all(feature = "spool", feature = "testing"))]
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment, UserIdentities};
use mparticle_client::queue::{Queue, Stats};
use mparticle_client::testing::{Answer, Emulator};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs};

const VARIABLE: &str = "MPARTICLE_SOAK_SECONDS";
const PRODUCERS: u64 = 6;

/// The maximum size of the files in addition to twice the pending batches: two segments and the spare.
const ALLOWANCE: u64 = 3 * 4 * 1024 * 1024 + 64 * 1024;

fn batch(user: u64, name: &str) -> Batch {
    Batch::new(Environment::Development)
        .with_user_identities(UserIdentities::new().with_customer_id(user.to_string()))
        .with_event(CustomEvent::new(name, CustomEventType::Other))
}

/// Sends batches with all three methods until the queue is closed. Returns the names of those that were accepted
/// durably.
async fn produce(queue: Queue, life: u64, producer: u64, sequence: Arc<AtomicU64>) -> Vec<String> {
    let mut accepted = Vec::new();
    let mut rng = fastrand::Rng::with_seed(life * PRODUCERS + producer);
    loop {
        let number = sequence.fetch_add(1, Ordering::Relaxed);
        let name = format!("{producer}-{number:010}");
        let batch = batch(producer % 4, &name);
        let result = match rng.u8(0..3) {
            0 => queue.send(batch).await,
            1 => queue.send_timeout(batch, Duration::from_millis(rng.u64(1..50))).await,
            _ => queue.try_send(batch),
        };
        match result {
            Ok(_) => accepted.push(name),
            Err(error) if error.kind() == mparticle_client::ErrorKind::Closed => return accepted,
            Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
        tokio::time::sleep(Duration::from_micros(rng.u64(0..2000))).await;
    }
}

fn faults(rng: &mut fastrand::Rng) -> Vec<Answer> {
    let one = |rng: &mut fastrand::Rng| match rng.u32(0..8) {
        0 => Answer::reset().after_processing(),
        1 => Answer::close().after_processing(),
        2 => Answer::reset(),
        3 => Answer::status(503),
        4 => Answer::normal().delayed(Duration::from_millis(rng.u64(1..300))),
        5 => Answer::status(500).after_processing(),
        _ => Answer::normal(),
    };
    (0..rng.usize(0..20)).map(|_| one(rng)).collect()
}

fn assert_law(stats: &Stats) {
    let ended = stats.delivered + stats.rejected + stats.expired + stats.dropped + stats.discarded;
    assert_eq!(stats.accepted + stats.recovered, ended + stats.pending, "{stats:?}");
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().filter_map(Result::ok);
    entries.filter_map(|entry| entry.metadata().ok()).map(|metadata| metadata.len()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_counted_twice_and_the_files_stay_small() {
    let Ok(seconds) = env::var(VARIABLE) else {
        println!("skipped: {VARIABLE} is not set");
        return;
    };
    let end = Instant::now() + Duration::from_secs(seconds.parse().unwrap());
    let emulator = Emulator::start().await.unwrap();
    let client = emulator.client_builder().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut rng = fastrand::Rng::with_seed(11);
    let sequence = Arc::new(AtomicU64::new(0));
    let (mut accepted, mut largest, mut life) = (Vec::new(), 0, 0);
    while Instant::now() < end {
        let builder = client.queue().spool(folder.path()).max_pending(5_000, 8 * 1024 * 1024);
        let queue = builder.flush_every(Duration::from_millis(20)).build().await.unwrap();
        assert!(queue.recovery().is_clean(), "{:?}", queue.recovery());
        let producing = (0..PRODUCERS).map(|producer| {
            tokio::spawn(produce(queue.clone(), life, producer, Arc::clone(&sequence)))
        });
        let producing: Vec<_> = producing.collect();
        for _ in 0..rng.u32(5..40) {
            emulator.script(faults(&mut rng));
            tokio::time::sleep(Duration::from_millis(rng.u64(10..400))).await;
            let stats = queue.stats();
            assert_law(&stats);
            let size = size(folder.path());
            largest = largest.max(size);
            assert!(size <= 2 * stats.pending_bytes + ALLOWANCE, "{size} bytes, {stats:?}");
        }
        let report = queue.shutdown(Duration::from_millis(rng.u64(0..300))).await;
        assert_eq!(report.dropped, 0, "{report:?}");
        for producer in producing {
            accepted.extend(producer.await.unwrap());
        }
        assert_law(&queue.stats());
        life += 1;
    }
    emulator.always(Answer::normal());
    let queue = client.queue().spool(folder.path()).build().await.unwrap();
    assert!(queue.shutdown(Duration::from_secs(60)).await.is_complete());

    let mut received: HashMap<String, u32> = HashMap::new();
    for batch in emulator.batches() {
        for event in batch.json["events"].as_array().unwrap() {
            let name = event["data"]["event_name"].as_str().unwrap().to_owned();
            *received.entry(name).or_default() += 1;
        }
    }
    let missing: Vec<_> = accepted.iter().filter(|name| !received.contains_key(*name)).collect();
    assert!(missing.is_empty(), "{} of {} are missing", missing.len(), accepted.len());
    assert!(received.values().all(|times| *times == 1), "something counts twice");
    println!(
        "{life} lives: {} accepted, {} received, {} duplicates dropped, at most {largest} bytes of files",
        accepted.len(),
        received.len(),
        emulator.duplicates().len(),
    );
}
