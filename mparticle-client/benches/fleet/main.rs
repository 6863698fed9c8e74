//! Simulates a fleet at the rate limit of its key: 1,000 producers and 20 relays, whose owner changes every minute.
//!
//! ```console
//! cargo bench -p mparticle-client --bench fleet
//! ```
//!
//! The time is paused. Every other owner is killed, and its lease has to expire. The seconds without an owner do not count.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot run has to fail")]

#[path = "../../examples/relay/memory_log.rs"]
mod memory_log;
mod shared_log;

use mparticle_client::models::{Batch, Environment};
use mparticle_client::relay::{Relay, RelayState};
use mparticle_client::testing::{Emulator, RateLimit};
use mparticle_client::{Client, RateLimiter, Validation};
use shared_log::SharedLog;
use std::time::Duration;
use tokio::time::{Instant, interval, sleep};

/// mParticle's default limit, in batches per second.
const LIMIT: u32 = 270;
const PRODUCERS: u32 = 1_000;
const RELAYS: usize = 20;
/// The batches that all producers append per second.
const OFFERED: u32 = 400;
const MINUTES: u64 = 10;

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() {
    println!("requests of up to | goodput | 429s | owners");
    for max_batches in [13, 27, 54] {
        let (goodput, refused, owners) = simulate(max_batches).await;
        println!("{max_batches:>17} | {goodput:>7.3} | {:>3.1} % | {owners}", refused * 100.0);
        if max_batches <= LIMIT as usize / 10 {
            assert!(goodput >= 0.93 && refused <= 0.03);
        }
    }
}

/// Returns the accepted batches of those that the limit allowed while there was an owner, the requests that were answered
/// with 429, and the number of owners.
async fn simulate(max_batches: usize) -> (f64, f64, u64) {
    fastrand::seed(1);
    let limit = RateLimit::per_second(LIMIT);
    let latency = Duration::from_millis(20);
    let emulator = Emulator::builder().bare().rate_limit(limit).latency(latency).in_memory();
    let log = SharedLog::new();
    let producing = tokio::spawn(produce(log.clone()));
    let mut relays = Vec::new();
    for _ in 0..RELAYS {
        relays.push(start(&emulator, &log, max_batches).await);
    }
    let mut owners = 0;
    for minute in 0..MINUTES {
        sleep(Duration::from_secs(60)).await;
        let Some(owner) = relays.iter().position(is_owner) else { continue };
        owners += 1;
        let owner = relays.swap_remove(owner);
        if minute % 2 == 0 {
            drop(owner);
        } else {
            owner.shutdown(Duration::from_secs(1)).await;
        }
        relays.push(start(&emulator, &log, max_batches).await);
    }
    producing.abort();
    let counts = emulator.counts();
    let allowed = f64::from(LIMIT) * log.owned().as_secs_f64();
    assert!(log.records.pending() > 0, "the key was not used at its limit");
    assert!(log.records.undelivered().is_empty(), "a batch was refused");
    #[allow(clippy::cast_precision_loss, reason = "the counts are small")]
    let ratio = |part: u64, whole: f64| part as f64 / whole;
    let requests = ratio(counts.requests, 1.0);
    let refused = ratio(counts.rate_limited_requests, requests);
    (ratio(counts.accepted_batches, allowed), refused, owners)
}

fn is_owner(relay: &Relay) -> bool {
    relay.stats().state == RelayState::Active
}

async fn start(emulator: &Emulator, log: &SharedLog, max_batches: usize) -> Relay {
    let client = client(emulator);
    client.relay(log.clone()).concurrency(4).max_batches(max_batches).start().await.unwrap()
}

/// Each relay has its own rate limiter, as in a process of its own.
fn client(emulator: &Emulator) -> Client {
    let builder = emulator.client_builder().rate_limiter(RateLimiter::default());
    builder.validation(Validation::Off).build().unwrap()
}

/// Appends batches of one producer after the other, evenly over each second.
async fn produce(log: SharedLog) {
    let client = client(&Emulator::in_memory());
    let mut tick = interval(Duration::from_secs(1) / 20);
    let start = Instant::now();
    let mut appended = 0;
    loop {
        tick.tick().await;
        while f64::from(appended) < start.elapsed().as_secs_f64() * f64::from(OFFERED) {
            let user = i64::from(appended % PRODUCERS);
            let batch = Batch::new(Environment::Development).with_mpid(user);
            for encoded in client.encode(&batch).unwrap() {
                log.records.append(encoded.to_bytes());
            }
            appended += 1;
        }
    }
}
