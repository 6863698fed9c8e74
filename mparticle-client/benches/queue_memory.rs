//! How much memory it takes to send a million batches through the queue: the peak of the whole process, server included.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run has to fail")]

#[path = "common/peak.rs"]
mod peak;
#[path = "common/sample.rs"]
mod sample;
#[path = "common/sink.rs"]
mod sink;

use mparticle_client::{Client, Credentials};
use std::time::{Duration, Instant};

const BATCHES: usize = 1_000_000;
/// In MiB: twice the bytes that may be pending by default, for which that is the documented use, and as much again for
/// everything else.
const AIM: u64 = 64;

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
    }
    let report = queue.shutdown(Duration::from_secs(60)).await;
    let seconds = start.elapsed().as_secs_f64();
    assert!(report.is_complete(), "{report:?}");
    assert_eq!(queue.stats().delivered, BATCHES as u64);
    println!("{BATCHES} batches of four events through the queue in {seconds:.1} s");
    peak::print(AIM);
}
