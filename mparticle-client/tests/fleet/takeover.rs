//! Several relays on one feed: one delivers, and another takes over.

use crate::server::NatsServer;
use crate::support::{LEASE, SECOND, assert_delivered, feed, produce, until_empty};
use http::StatusCode;
use mparticle_client::relay::{Relay, RelayState};
use mparticle_client::testing::{Emulator, RateLimit};
use mparticle_client::{Client, Credentials, ErrorKind};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

async fn until_active(relay: &Relay) {
    let active = async {
        while relay.stats().state != RelayState::Active {
            sleep(SECOND / 100).await;
        }
    };
    timeout(20 * SECOND, active).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_takes_over_from_a_relay_that_died_or_was_shut_down() {
    let Some(server) = NatsServer::start() else { return };
    let emulator = Emulator::builder().latency(SECOND / 50).in_memory();
    let client = emulator.client_builder().build().unwrap();
    let feed = feed(&server.url(), "web").await;
    let start = || client.relay(feed.clone()).max_batches(20).start();
    let mut owner = start().await.unwrap();
    until_active(&owner).await;
    produce(&feed, 0..20_000, 300).await;
    for (dies, limit) in [(true, LEASE + SECOND), (false, SECOND), (true, LEASE + SECOND)] {
        let standby = start().await.unwrap();
        sleep(SECOND / 2).await;
        assert_eq!(standby.stats().state, RelayState::Standby);
        let begun = if dies {
            drop(owner);
            Instant::now()
        } else {
            // The time of the requests in flight does not count.
            assert!(owner.shutdown(10 * SECOND).await.delivered > 0);
            Instant::now()
        };
        until_active(&standby).await;
        let taken = begun.elapsed();
        println!("took over after {taken:?}");
        assert!(taken <= limit, "{taken:?}");
        owner = standby;
    }
    until_empty(&feed, 120 * SECOND).await;
    assert_delivered(&emulator, 20_000);
    drop(owner);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_whose_credentials_are_refused_lets_another_one_take_over() {
    let Some(server) = NatsServer::start() else { return };
    let emulator = Emulator::builder().credentials(Credentials::new("key", "new")).in_memory();
    let with_secret = |secret: &str| -> Client {
        let client = emulator.client_builder().build().unwrap();
        client.with_credentials(&Credentials::new("key", secret)).unwrap()
    };
    let feed = feed(&server.url(), "web").await;
    let revoked = with_secret("old").relay(feed.clone()).start().await.unwrap();
    until_active(&revoked).await;
    let standby = with_secret("new").relay(feed.clone()).start().await.unwrap();
    produce(&feed, 0..1_000, 100).await;
    until_empty(&feed, 10 * SECOND).await;
    assert_delivered(&emulator, 1_000);
    assert_eq!(standby.stats().state, RelayState::Active);
    let (kind, forbidden) = (ErrorKind::Unauthorized, Some(StatusCode::FORBIDDEN));
    assert_eq!(revoked.stats().state, RelayState::Paused { kind, status: forbidden });
    assert!(revoked.stats().last_error.is_some());
    drop((revoked, standby));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_owner_knows_the_rate_of_the_last_one() {
    let Some(server) = NatsServer::start() else { return };
    let emulator = Emulator::builder().bare().rate_limit(RateLimit::per_second(100)).in_memory();
    let feed = feed(&server.url(), "web").await;
    produce(&feed, 0..4_000, 4_000).await;
    for dies in [false, true] {
        let client = || emulator.client_builder().build().unwrap();
        let owner_client = client();
        let owner = owner_client.relay(feed.clone()).max_batches(10).start().await.unwrap();
        until_active(&owner).await;
        sleep(5 * SECOND).await;
        assert!(owner_client.rate_limiter().snapshot().batches_per_second.is_some());
        let standby_client = client();
        let standby = standby_client.relay(feed.clone()).start().await.unwrap();
        sleep(LEASE / 2).await;
        if dies {
            drop(owner);
        } else {
            owner.shutdown(Duration::ZERO).await;
        }
        until_active(&standby).await;
        let rate = standby_client.rate_limiter().snapshot().batches_per_second;
        assert!(rate.is_some_and(|rate| rate < 500.0), "{rate:?}");
        standby.shutdown(Duration::ZERO).await;
    }
}
