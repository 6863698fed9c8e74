//! Batches that mParticle refuses, and what is not a batch.

use crate::server::NatsServer;
use crate::support::{SECOND, assert_delivered, feed, produce, until_empty};
use mparticle_client::ErrorKind;
use mparticle_client::jetstream::Producer;
use mparticle_client::models::{Batch, Environment};
use mparticle_client::relay::RelayState;
use mparticle_client::testing::{Answer, Emulator};
use tokio::time::sleep;

/// Publishes a message that no producer has written.
async fn publish(url: &str, payload: &'static str) {
    let client = async_nats::connect(url).await.unwrap();
    let context = async_nats::jetstream::new(client);
    context.publish("mp.web.lane.0", payload.into()).await.unwrap().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_delivered_becomes_a_dead_letter_that_can_be_redriven_or_deleted() {
    let Some(server) = NatsServer::start() else { return };
    let emulator = Emulator::in_memory();
    let client = emulator.client_builder().build().unwrap();
    let feed = feed(&server.url(), "web").await;
    let relay = client.relay(feed.clone()).start().await.unwrap();
    emulator.always(Answer::status(400));
    let poisoned = Batch::new(Environment::Production).with_source_request_id("bad").with_mpid(7);
    Producer::builder(feed.clone()).build().send(poisoned).await.unwrap();
    until_empty(&feed, 20 * SECOND).await;
    emulator.always(Answer::normal());
    publish(&server.url(), "hello").await;
    publish(
        &server.url(),
        "{\"mparticle_batch\":1,\"id\":\"old\",\"encoded_at_ms\":5,\"users\":[]}\n{}",
    )
    .await;
    produce(&feed, 0..100, 10).await;
    until_empty(&feed, 20 * SECOND).await;
    assert_delivered(&emulator, 100);

    let dead = feed.dead_letters();
    let letters = dead.list(100).await.unwrap();
    let ids: Vec<_> = letters.iter().map(|letter| letter.source_request_id.as_str()).collect();
    assert_eq!(ids, ["bad", "", "old"]);
    assert_eq!(letters[0].status, Some(400));
    assert!(letters[0].reason.contains("400"), "{}", letters[0].reason);
    assert!(letters[1].reason.contains("not an encoded batch"), "{}", letters[1].reason);
    assert_eq!((&letters[1].stored[..], letters[2].reason.as_str()), (&b"hello"[..], "expired"));
    assert!(!format!("{letters:?}").contains("mpid"));
    assert_eq!(dead.list_after(letters[0].id, 1).await.unwrap()[0].id, letters[1].id);
    assert_eq!(feed.stats().await.unwrap().dead_letters, 3);

    dead.redrive(letters[0].id).await.unwrap();
    dead.redrive(letters[2].id).await.unwrap();
    assert_eq!(dead.redrive(letters[1].id).await.unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(dead.redrive(letters[0].id).await.unwrap_err().kind(), ErrorKind::Invalid);
    until_empty(&feed, 20 * SECOND).await;
    let accepted: Vec<_> = emulator.batches().into_iter().filter_map(|batch| batch.id).collect();
    assert!(accepted.contains(&"bad".to_owned()), "redriven within the duplicate window");
    dead.delete(letters[1].id).await.unwrap();
    dead.delete(letters[1].id).await.unwrap();
    assert!(dead.list(100).await.unwrap().len() <= 1);
    assert_eq!(relay.shutdown(SECOND).await.expired, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_a_newer_version_stays_in_the_stream_until_a_newer_relay_takes_over() {
    let Some(server) = NatsServer::start() else { return };
    let emulator = Emulator::in_memory();
    let client = emulator.client_builder().build().unwrap();
    let feed = feed(&server.url(), "web").await;
    produce(&feed, 0..10, 10).await;
    publish(&server.url(), "{\"mparticle_batch\":2}\nnovel").await;
    let relay = client.relay(feed.clone()).start().await.unwrap();
    sleep(2 * SECOND).await;
    assert_delivered(&emulator, 10);
    assert_eq!(relay.stats().state, RelayState::Paused { kind: ErrorKind::Storage, status: None });
    let stats = feed.stats().await.unwrap();
    assert_eq!((stats.pending, stats.dead_letters), (1, 0));
    // The lease is free.
    let other = client.relay(feed.clone()).start().await.unwrap();
    sleep(2 * SECOND).await;
    assert_eq!(other.stats().opened, 1);
    drop((relay, other));
}
