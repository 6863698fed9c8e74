//! The memory that it takes to upload a million batches: the peak of the whole process, including the server.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run has to fail")]

#[path = "common/peak.rs"]
mod peak;
#[path = "common/sample.rs"]
mod sample;
#[path = "common/sink.rs"]
mod sink;

use mparticle_client::{Client, Credentials};
use std::time::Instant;

const BATCHES: usize = 1_000_000;
/// In MiB.
const AIM: u64 = 64;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let client = Client::builder(Credentials::new("some-key", "some-secret"))
        .base_url(sink::start().unwrap())
        .build()
        .unwrap();
    let start = Instant::now();
    let report = client.upload_all((0..BATCHES).map(sample::batch)).await;
    assert_eq!(report.delivered(), BATCHES);
    let seconds = start.elapsed().as_secs_f64();
    println!("{BATCHES} batches of four events in {seconds:.1} s, {} requests", report.requests());
    println!("{}, aim less than {AIM} MiB", peak::peak());
}
