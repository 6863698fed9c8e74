//! The time that a queue with half a million batches takes to end.
#![cfg(feature = "queue")]
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use mparticle_client::models::{Batch, Environment};
use mparticle_client::testing::{Answer, Emulator};
use std::time::{Duration, Instant};

const BATCHES: u32 = 500_000;

fn small_batch(number: u32) -> Batch {
    Batch::new(Environment::Development).with_mpid(i64::from(number))
}

#[tokio::test]
async fn a_shutdown_with_half_a_million_pending_batches_returns_in_time() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(503));
    let client = emulator.client_builder().build().unwrap();
    let builder = client.queue().max_pending(1_000_000, usize::MAX).on_outcome(|_| {});
    let queue = builder.build().await.unwrap();
    for number in 0..BATCHES {
        drop(queue.try_send(small_batch(number)).unwrap());
    }
    let start = Instant::now();
    let report = queue.flush(Duration::ZERO).await;
    let flushed_in = start.elapsed();
    assert_eq!(report.pending, u64::from(BATCHES));
    let start = Instant::now();
    let report = queue.shutdown(Duration::ZERO).await;
    let shut_down_in = start.elapsed();
    println!("flush(0) took {flushed_in:?}, shutdown(0) took {shut_down_in:?}");
    assert_eq!(report.dropped, u64::from(BATCHES));
    // Both return within 0.1 s on an idle machine.
    assert!(flushed_in < Duration::from_secs(1) && shut_down_in < Duration::from_secs(1));
    assert_eq!((queue.stats().pending, queue.stats().pending_bytes), (0, 0));
}
