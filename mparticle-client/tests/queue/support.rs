//! Shared by the tests of the queue: batches, a queue with paused time, and the content of the emulator.

use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment, UserIdentities};
use mparticle_client::queue::{Queue, QueueBuilder, Stats};
use mparticle_client::testing::{Emulator, ReceivedBatch};
use mparticle_client::{Client, Validation};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Longer than any operation that completes takes, even on a busy machine.
pub(super) const LONG: Duration = Duration::from_secs(60);

/// A batch of one user with one event.
pub(super) fn batch(user: &str, event: &str) -> Batch {
    of(user).with_event(CustomEvent::new(event, CustomEventType::Other))
}

/// Returns the same batch with an event of slightly more than this many bytes.
pub(super) fn large(user: &str, event: &str, bytes: usize) -> Batch {
    of(user).with_event(big_event(event, bytes))
}

pub(super) fn big_event(event: &str, bytes: usize) -> CustomEvent {
    CustomEvent::new(event, CustomEventType::Other).with_custom_attribute("fill", "x".repeat(bytes))
}

/// A batch of one user without events.
pub(super) fn of(user: &str) -> Batch {
    Batch::new(Environment::Development)
        .with_user_identities(UserIdentities::new().with_customer_id(user))
}

/// Returns a batch that mParticle refuses, because it has no environment.
pub(super) fn poisoned(user: &str, event: &str) -> Batch {
    Batch::from_str("{}")
        .unwrap()
        .with_user_identities(UserIdentities::new().with_customer_id(user))
        .with_event(CustomEvent::new(event, CustomEventType::Other))
}

/// Returns a client that does not validate batches.
pub(super) fn client(emulator: &Emulator) -> Client {
    emulator.client_builder().validation(Validation::Off).build().unwrap()
}

/// Returns a queue whose worker runs in the runtime of the test.
pub(super) async fn queue(
    emulator: &Emulator,
    set: impl FnOnce(QueueBuilder) -> QueueBuilder,
) -> (Queue, JoinHandle<()>) {
    let (queue, worker) = set(client(emulator).queue()).build_with_worker().await.unwrap();
    (queue, tokio::spawn(worker))
}

/// Lets every other task of a current-thread runtime run until it waits.
pub(super) async fn settle() {
    tokio::time::sleep(Duration::from_nanos(1)).await;
}

/// Returns the names of the events of a batch, in order.
pub(super) fn events(batch: &ReceivedBatch) -> Vec<String> {
    let events = batch.json["events"].as_array().cloned().unwrap_or_default();
    let name = |event: &serde_json::Value| event["data"]["event_name"].as_str().unwrap().to_owned();
    events.iter().map(name).collect()
}

/// Returns the names of all accepted events, in order.
pub(super) fn accepted_events(emulator: &Emulator) -> Vec<String> {
    emulator.batches().iter().flat_map(events).collect()
}

/// Returns the number of batches in each request.
pub(super) fn sizes(emulator: &Emulator) -> Vec<usize> {
    let requests = emulator.requests();
    let count = |body: &[u8]| serde_json::from_slice::<Vec<serde_json::Value>>(body).unwrap().len();
    requests.iter().map(|request| count(&request.body)).collect()
}

/// Checks the invariant of the counts.
#[track_caller]
pub(super) fn assert_law(stats: &Stats) {
    let Stats { accepted, recovered, delivered, rejected, expired, dropped, pending, .. } = *stats;
    assert_eq!(
        accepted + recovered,
        delivered + rejected + expired + dropped + pending,
        "{stats:?}"
    );
    assert_eq!(pending == 0, stats.pending_bytes == 0, "{stats:?}");
}
