//! How much memory it takes to upload a million batches: the peak of the whole process, server included.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run has to fail")]

#[path = "upload/sample.rs"]
mod sample;
#[path = "upload/sink.rs"]
mod sink;

use mparticle_client::{Client, Credentials};
use std::fs;
use std::time::Instant;

const BATCHES: usize = 1_000_000;
const AIM: u64 = 64;

/// The greatest resident size so far in MiB, where the system tells.
fn peak() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? / 1024)
}

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
    match peak() {
        Some(peak) => println!("peak memory {peak} MiB, aim less than {AIM} MiB"),
        None => println!("peak memory not measured: this system has no /proc/self/status"),
    }
}
