//! The memory of a queue that is full of small batches. It is measured as the memory of the process, and this program
//! therefore has a single test.
#![cfg(feature = "queue")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use mparticle_client::ErrorKind;
use mparticle_client::models::{Batch, Environment};
use mparticle_client::testing::{Answer, Emulator};
use std::fs;
use std::time::Duration;

/// The limit of the queue.
const BOUND: u32 = 16 * 1024 * 1024;

/// Returns the resident memory of the process in bytes, if the system provides it.
fn resident() -> Option<u32> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u32>().ok()? * 1024)
}

/// Returns a batch of 240 bytes of JSON, of one of many users.
fn small_batch(number: u32) -> Batch {
    Batch::new(Environment::Development)
        .with_mpid(i64::from(number))
        .with_user_attribute("plan", "x".repeat(80))
        .with_source_request_id(format!("request-{number:020}"))
}

#[tokio::test]
async fn small_batches_take_at_most_one_and_a_half_times_the_bound() {
    if resident().is_none() {
        println!("skipped: this system has no /proc/self/status");
        return;
    }
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(503));
    let client = emulator.client_builder().build().unwrap();
    let builder = client.queue().max_pending(1_000_000, BOUND as usize);
    // The code is loaded and the threads are started before the measurement.
    let warm_up = builder.clone().build().await.unwrap();
    drop(warm_up.send(small_batch(0)).await.unwrap());
    _ = warm_up.shutdown(Duration::ZERO).await;

    let queue = builder.build().await.unwrap();
    let before = resident().unwrap();
    let mut count = 0;
    let error = loop {
        match queue.try_send(small_batch(count)) {
            Ok(handle) => drop(handle),
            Err(error) => break error,
        }
        count += 1;
    };
    assert_eq!(error.kind(), ErrorKind::Full);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let taken = resident().unwrap() - before;
    let stats = queue.stats();
    println!(
        "{count} batches, {} bytes counted, {taken} bytes resident: {:.2} of the bound, {:.0} a batch",
        stats.pending_bytes,
        f64::from(taken) / f64::from(BOUND),
        f64::from(taken) / f64::from(count),
    );
    assert!(taken <= BOUND * 3 / 2);
    assert_eq!(stats.pending, u64::from(count));
}
