//! A feed at the rate limit of its key, with one relay that delivers and three that wait.

use crate::server::NatsServer;
use crate::support::{LEASE, SECOND, feed, produce};
use mparticle_client::relay::{Relay, RelayState};
use mparticle_client::testing::{Emulator, RateLimit};
use std::time::{Duration, Instant};
use tokio::time::sleep;

const LIMIT: u32 = 270;

/// Waits for some time. Returns how long a relay was active in it.
async fn active_time(relays: &[Relay], time: Duration) -> Duration {
    let (start, step) = (Instant::now(), SECOND / 100);
    let mut active = Duration::ZERO;
    let mut last = start;
    while start.elapsed() < time {
        sleep(step).await;
        let now = Instant::now();
        if relays.iter().any(|relay| relay.stats().state == RelayState::Active) {
            active += now - last;
        }
        last = now;
    }
    active
}

#[tokio::test(flavor = "multi_thread")]
async fn the_limit_is_used_and_kept_also_when_the_owner_changes() {
    let Some(server) = NatsServer::start() else { return };
    let limit = RateLimit::per_second(LIMIT);
    let emulator = Emulator::builder().bare().rate_limit(limit).latency(SECOND / 50).in_memory();
    let feed = feed(&server.url(), "web").await;
    produce(&feed, 0..9_000, 9_000).await;
    let mut relays = Vec::new();
    for _ in 0..4 {
        let client = emulator.client_builder().build().unwrap();
        relays.push(client.relay(feed.clone()).max_batches(27).start().await.unwrap());
    }
    // The burst, and the search for the limit.
    sleep(6 * SECOND).await;
    let before = emulator.counts();
    let mut active = active_time(&relays, 5 * SECOND).await;
    let is_owner = |relay: &Relay| relay.stats().state == RelayState::Active;
    drop(relays.remove(relays.iter().position(is_owner).unwrap()));
    active += active_time(&relays, LEASE + 6 * SECOND).await;
    let after = emulator.counts();
    let accepted = u32::try_from(after.accepted_batches - before.accepted_batches).unwrap();
    let requests = u32::try_from(after.requests - before.requests).unwrap();
    let refused = after.rate_limited_requests - before.rate_limited_requests;
    let refused = f64::from(u32::try_from(refused).unwrap()) / f64::from(requests);
    let goodput = f64::from(accepted) / (f64::from(LIMIT) * active.as_secs_f64());
    println!("goodput {goodput:.3}, {:.1} % of {requests} requests refused", refused * 100.0);
    assert!(goodput >= 0.93 && refused <= 0.03, "{goodput} {refused}");
}
