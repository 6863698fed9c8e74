//! Batches, and the checks of what the emulator received.

use mparticle_client::jetstream::{Feed, JetStream, Producer};
use mparticle_client::models::{Batch, Environment};
use mparticle_client::testing::Emulator;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::{sleep, timeout};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// The time of a lease in the tests.
pub(crate) const LEASE: Duration = Duration::from_secs(2);

/// Returns a batch of one of several users, with its number.
pub(crate) fn batch(number: usize, users: usize) -> Batch {
    Batch::new(Environment::Development)
        .with_source_request_id(number.to_string())
        .with_mpid(i64::try_from(number % users).unwrap())
        .with_user_attribute("number", number.to_string())
}

pub(crate) async fn feed(url: &str, name: &str) -> Feed {
    let jetstream = JetStream::connect([url]).await.unwrap();
    jetstream.feed(name).lease(LEASE).ensure().await.unwrap()
}

/// Appends batches with these numbers, many at a time.
pub(crate) async fn produce(feed: &Feed, numbers: std::ops::Range<usize>, users: usize) {
    let producer = Producer::builder(feed.clone()).build();
    for chunk in numbers.collect::<Vec<_>>().chunks(200) {
        let sends = chunk.iter().map(|number| producer.send(batch(*number, users)));
        futures_util::future::try_join_all(sends).await.unwrap();
    }
}

pub(crate) async fn until_empty(feed: &Feed, limit: Duration) {
    let empty = async {
        while feed.stats().await.map_or(1, |stats| stats.pending) > 0 {
            sleep(SECOND / 20).await;
        }
    };
    let is_empty = timeout(limit, empty).await.is_ok();
    assert!(is_empty, "{:?}", feed.stats().await);
}

/// Writes the log to standard error according to `RUST_LOG`.
pub(crate) fn log() {
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

/// Checks that each batch was accepted, repeated with the same bytes if at all, and in the order of its user.
pub(crate) fn assert_delivered(emulator: &Emulator, count: usize) {
    emulator.assert_exactly_once((0..count).map(|number| number.to_string()));
    assert_order(emulator);
}

pub(crate) fn assert_order(emulator: &Emulator) {
    let mut last = HashMap::new();
    for batch in emulator.batches() {
        let number: usize = batch.id.as_deref().unwrap().parse().unwrap();
        let earlier = last.insert(batch.json["mpid"].as_i64().unwrap(), number);
        assert!(earlier.is_none_or(|earlier| earlier < number), "{earlier:?} before {number}");
    }
}
