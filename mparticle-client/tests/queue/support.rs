//! What the themes share: batches, a queue on paused time, and what the emulator has seen.

use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment, UserIdentities};
use mparticle_client::queue::{Queue, QueueBuilder, Stats};
use mparticle_client::testing::{Emulator, ReceivedBatch};
use mparticle_client::{Client, Validation};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Longer than anything that ends takes, also on a busy machine.
pub(super) const LONG: Duration = Duration::from_secs(60);

/// A batch of one user with one event.
pub(super) fn batch(user: &str, event: &str) -> Batch {
    of(user).with_event(CustomEvent::new(event, CustomEventType::Other))
}

/// The same with an event of so many bytes and a few more.
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

/// A batch that mParticle refuses: it lacks the environment.
pub(super) fn poisoned(user: &str, event: &str) -> Batch {
    Batch::from_str("{}")
        .unwrap()
        .with_user_identities(UserIdentities::new().with_customer_id(user))
        .with_event(CustomEvent::new(event, CustomEventType::Other))
}

/// A client that sends whatever it is given.
pub(super) fn client(emulator: &Emulator) -> Client {
    emulator.client_builder().validation(Validation::Off).build().unwrap()
}

/// A queue whose worker runs in the test's own runtime.
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

/// The names of the events of a batch, in order.
pub(super) fn events(batch: &ReceivedBatch) -> Vec<String> {
    let events = batch.json["events"].as_array().cloned().unwrap_or_default();
    let name = |event: &serde_json::Value| event["data"]["event_name"].as_str().unwrap().to_owned();
    events.iter().map(name).collect()
}

/// The names of all events that were accepted, in order.
pub(super) fn accepted_events(emulator: &Emulator) -> Vec<String> {
    emulator.batches().iter().flat_map(events).collect()
}

/// How many batches each request had.
pub(super) fn sizes(emulator: &Emulator) -> Vec<usize> {
    let requests = emulator.requests();
    let count = |body: &[u8]| serde_json::from_slice::<Vec<serde_json::Value>>(body).unwrap().len();
    requests.iter().map(|request| count(&request.body)).collect()
}

/// What holds at every moment.
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
