//! Draws the picture in the guide to delivery: a large `upload_all` at mParticle's default rate limit, second by second.
//!
//! ```console
//! cargo bench -p mparticle-client --bench rate_limit_plot
//! ```
//!
//! The emulator has the rate limit, and the time is paused. The result is the same in every run.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run has to fail")]

mod chart;
mod recorder;
#[path = "../common/sample.rs"]
mod sample;

use mparticle_client::models::Batch;
use mparticle_client::testing::{Emulator, RateLimit};
use mparticle_client::{RateLimiter, Validation};
use recorder::Recorder;
use std::fs;
use std::time::Duration;

/// mParticle's default limit, in batches per second.
const LIMIT: u32 = 270;
const BATCHES: usize = 45_000;
const PICTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/upload_at_a_limit.svg");

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    fastrand::seed(1);
    let emulator = Emulator::builder()
        .bare()
        .rate_limit(RateLimit::per_second(LIMIT))
        .latency(Duration::from_millis(20))
        .in_memory();
    let recorder = Recorder::new(emulator.transport());
    let client = emulator
        .client_builder()
        .transport(recorder.clone())
        .rate_limiter(RateLimiter::default())
        .validation(Validation::Off)
        .build()
        .unwrap();
    let report = client.upload_all((0..BATCHES).map(batch)).await;
    assert_eq!(report.delivered(), BATCHES);

    let seconds = recorder.seconds();
    let accepted: usize = seconds.iter().map(|second| second.accepted).sum();
    let refused: usize = seconds.iter().map(|second| second.refused).sum();
    println!("{accepted} batches in {} s; {refused} were refused and sent again", seconds.len());
    fs::write(PICTURE, chart::draw(&seconds, LIMIT)).unwrap();
    println!("wrote {PICTURE}");
}

/// A batch of 40 events and about 8 kB. A request has room for 32 of them.
fn batch(number: usize) -> Batch {
    let batch = sample::batch(number);
    let events: Vec<_> = batch.events.iter().cycle().take(36).cloned().collect();
    batch.with_events(events)
}
