//! From producers to mParticle: order, bytes, back-pressure, and a server that restarts.

use crate::server::{NatsServer, is_recent};
use crate::support::{LEASE, SECOND, assert_delivered, batch, feed, log, produce, until_empty};
use mparticle_client::jetstream::{JetStream, Producer};
use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment};
use mparticle_client::relay::RelayState;
use mparticle_client::testing::{Answer, Emulator};
use mparticle_client::{EncodedBatch, ErrorKind};
use std::time::Instant;
use tokio::time::sleep;

#[tokio::test(flavor = "multi_thread")]
async fn batches_of_many_producers_are_delivered_once_and_in_the_order_of_their_users() {
    let Some(server) = NatsServer::start() else { return };
    let emulator = Emulator::in_memory();
    let client = emulator.client_builder().build().unwrap();
    let feed = feed(&server.url(), "web").await;
    let relay = client.relay(feed.clone()).concurrency(8).start().await.unwrap();
    // Each producer has users of its own.
    let producers = (0..4).map(|producer| {
        let feed = feed.clone();
        tokio::spawn(async move {
            let producer_of = Producer::builder(feed).build();
            for round in 0..100 {
                let sends = (0..10).map(|place| {
                    let number = 4 * (10 * round + place) + producer;
                    producer_of.send(batch(number, 40))
                });
                futures_util::future::try_join_all(sends).await.unwrap();
            }
        })
    });
    futures_util::future::try_join_all(producers).await.unwrap();
    until_empty(&feed, 30 * SECOND).await;
    let stats = relay.shutdown(SECOND).await;
    assert_delivered(&emulator, 4_000);
    assert_eq!((stats.state, stats.delivered), (RelayState::Stopped, 4_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_without_an_id_gets_one_and_a_large_one_is_split() {
    let Some(server) = NatsServer::start() else { return };
    let emulator = Emulator::in_memory();
    let client = emulator.client_builder().build().unwrap();
    let feed = feed(&server.url(), "web").await;
    let producer = Producer::builder(feed.clone()).environment(Environment::Production).build();
    let event = || {
        let event = CustomEvent::new("e", CustomEventType::Other);
        event.with_custom_attribute("p", "x".repeat(100_000))
    };
    let large = Batch::new(Environment::Production).with_mpid(1).with_events([event(), event()]);
    let id = producer.send(large).await.unwrap();
    let own = Batch::new(Environment::Production).with_source_request_id("line\r\nbreak");
    assert_eq!(producer.send(own).await.unwrap(), "line\r\nbreak");
    let relay = client.relay(feed.clone()).start().await.unwrap();
    until_empty(&feed, 20 * SECOND).await;
    let parts = [format!("{id}/1of2"), format!("{id}/2of2"), "line\r\nbreak".into()];
    emulator.assert_exactly_once(parts);
    drop(relay);
}

/// Appends to a feed with a small limit until it is full, and then delivers the batches.
async fn fill(servers: &[NatsServer], replicas: usize) {
    let emulator = Emulator::in_memory();
    let client = emulator.client_builder().build().unwrap();
    let jetstream = JetStream::connect(NatsServer::urls(servers)).await.unwrap();
    let feed = loop {
        let feed = jetstream.feed("web").lease(LEASE).max_bytes(200_000).replicas(replicas);
        // A cluster first has to elect a leader.
        match feed.ensure().await {
            Ok(feed) => break feed,
            Err(error) => println!("{error}"),
        }
        sleep(SECOND / 2).await;
    };
    let producer = Producer::builder(feed.clone()).build();
    let mut number = 0;
    let refused = loop {
        match producer.send(batch(number, 10)).await {
            Ok(_) => number += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(refused.kind(), ErrorKind::Full, "{refused:?}");
    assert!(!refused.may_be_delivered() && number > 100, "{number}");
    let pending = feed.stats().await.unwrap().pending;
    if !is_recent() {
        let lost = u64::try_from(number).unwrap() - pending;
        println!("this server lost {lost} of {number} batches");
        return;
    }
    assert_eq!(pending, u64::try_from(number).unwrap());
    let relay = client.relay(feed.clone()).start().await.unwrap();
    until_empty(&feed, 20 * SECOND).await;
    producer.send(refused.into_batch()).await.unwrap();
    until_empty(&feed, 20 * SECOND).await;
    assert_delivered(&emulator, number + 1);
    drop(relay);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_stream_gives_the_batch_back_and_accepts_it_again_when_there_is_room() {
    let Some(server) = NatsServer::start() else { return };
    fill(&[server], 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_stream_of_a_cluster_does_the_same() {
    if !is_recent() {
        println!("skipped: the cluster needs a nats-server of version 2.11 or later");
        return;
    }
    let Some(servers) = NatsServer::cluster() else { return };
    fill(&servers, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_loses_nothing_and_a_producer_waits_for_it() {
    log();
    let Some(mut server) = NatsServer::start() else { return };
    let emulator = Emulator::in_memory();
    let client = emulator.client_builder().build().unwrap();
    let feed = feed(&server.url(), "web").await;
    let relay = client.relay(feed.clone()).start().await.unwrap();
    let producing = {
        let feed = feed.clone();
        tokio::spawn(async move { produce(&feed, 0..20_000, 500).await })
    };
    for _ in 0..3 {
        sleep(SECOND / 2).await;
        server.kill_and_start();
    }
    producing.await.unwrap();
    until_empty(&feed, 90 * SECOND).await;
    assert_delivered(&emulator, 20_000);
    drop(relay);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_mparticle_leaves_the_batches_in_the_stream() {
    let Some(server) = NatsServer::start() else { return };
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(503));
    let client = emulator.client_builder().build().unwrap();
    let feed = feed(&server.url(), "web").await;
    produce(&feed, 0..5_000, 5_000).await;
    let relay = client.relay(feed.clone()).start().await.unwrap();
    sleep(4 * SECOND).await;
    assert_eq!(feed.stats().await.unwrap().pending, 5_000);
    let stats = relay.stats();
    assert_eq!(stats.state, RelayState::Active);
    assert!(stats.held > 0 && stats.held < 2_000 && stats.failing_since.is_some(), "{stats:?}");
    emulator.always(Answer::normal());
    until_empty(&feed, 60 * SECOND).await;
    assert_eq!(relay.shutdown(SECOND).await.opened, 1);
    assert_delivered(&emulator, 5_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_relay_drains_many_batches_a_second() {
    let Some(server) = NatsServer::start() else { return };
    let emulator = Emulator::builder().bare().latency(SECOND / 33).in_memory();
    let client = emulator.client_builder().build().unwrap();
    let feed = feed(&server.url(), "web").await;
    produce(&feed, 0..20_000, 20_000).await;
    let start = Instant::now();
    let relay = client.relay(feed.clone()).concurrency(8).start().await.unwrap();
    until_empty(&feed, 60 * SECOND).await;
    let rate = 20_000.0 / start.elapsed().as_secs_f64();
    println!("{rate:.0} batches a second");
    assert_eq!(relay.shutdown(SECOND).await.delivered, 20_000);
    // A build without optimization on a busy machine.
    assert!(rate > 1_000.0, "{rate}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stored_bytes_are_what_is_sent() {
    let Some(server) = NatsServer::start() else { return };
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(400));
    let client = emulator.client_builder().build().unwrap();
    let feed = feed(&server.url(), "web").await;
    produce(&feed, 0..1, 1).await;
    let relay = client.relay(feed.clone()).start().await.unwrap();
    until_empty(&feed, 20 * SECOND).await;
    let letter = feed.dead_letters().list(1).await.unwrap().remove(0);
    let stored = EncodedBatch::from_bytes(&letter.stored).unwrap();
    let sent = emulator.requests().remove(0).body;
    assert_eq!(sent, [b"[", &stored.json()[..], b"]"].concat());
    drop(relay);
}
