//! The memory that it takes to send a million batches through the queue: the peak of the whole process, including the
//! server. The batches are sent as fast as the queue accepts them. The queue is therefore always full.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run has to fail")]

#[path = "common/peak.rs"]
mod peak;
#[path = "common/sample.rs"]
mod sample;
#[path = "common/sink.rs"]
mod sink;

use mparticle_client::{Client, Credentials};
use std::time::{Duration, Instant};

/// A number of batches that fills the queue.
const FIRST: usize = 100_000;
const BATCHES: usize = 1_000_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let client = Client::builder(Credentials::new("some-key", "some-secret"))
        .base_url(sink::start().unwrap())
        .build()
        .unwrap();
    let queue = client.queue().build().await.unwrap();
    let start = Instant::now();
    for number in 0..BATCHES {
        drop(queue.send(sample::batch(number)).await.unwrap());
        if number == FIRST {
            let mebibytes = queue.stats().pending_bytes >> 20;
            println!("after {FIRST} batches: {mebibytes} MiB pending, {}", peak::peak());
        }
    }
    let report = queue.shutdown(Duration::from_secs(60)).await;
    let seconds = start.elapsed().as_secs_f64();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(queue.stats().delivered, BATCHES as u64);
    println!(
        "{BATCHES} batches of four events through the queue in {seconds:.1} s, {}",
        peak::peak()
    );
}
