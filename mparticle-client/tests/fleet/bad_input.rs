//! Servers that do not answer, credentials that are refused, and streams with other settings.

use crate::server::{NatsServer, free_port};
use crate::support::{LEASE, SECOND, batch, feed};
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy};
use mparticle_client::ErrorKind;
use mparticle_client::jetstream::{JetStream, Producer};
use std::time::Instant;

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_exist_is_an_error() {
    let nobody = format!("nats://user:s3cret@127.0.0.1:{}", free_port());
    let error = JetStream::connect([nobody]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(!format!("{error:#} {error:?}").contains("s3cret"), "{error:#}");
    for servers in [vec![], vec!["nats://us er:s3cret@ho st"], vec!["ftp://s3cret@host"]] {
        let error = JetStream::connect(servers).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        assert!(!format!("{error:#} {error:?}").contains("s3cret"), "{error:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_credentials_of_nats_are_an_error() {
    let config = "authorization { user: u, password: right }\n";
    let Some(server) = NatsServer::start_with(config) else { return };
    let with = |password: &str| server.url().replace("//", &format!("//u:{password}@"));
    let error = JetStream::connect([with("wr0ng")]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error:#}");
    assert!(!format!("{error:#} {error:?}").contains("wr0ng"), "{error:#}");
    JetStream::connect([with("right")]).await.unwrap().feed("web").ensure().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_with_other_settings_are_refused_and_the_differences_named() {
    let Some(server) = NatsServer::start() else { return };
    let context = async_nats::jetstream::new(async_nats::connect(server.url()).await.unwrap());
    let jetstream = JetStream::connect([server.url()]).await.unwrap();
    let subjects = |subject: &str| vec![format!("mp.{subject}")];
    for (name, config, part) in [
        (
            "limits",
            Config { subjects: subjects("limits.lane.0"), ..Config::default() },
            "retention",
        ),
        (
            "lanes",
            Config {
                subjects: subjects("lanes.lane.*"),
                retention: RetentionPolicy::WorkQueue,
                discard: DiscardPolicy::New,
                ..Config::default()
            },
            "subjects",
        ),
        (
            "old",
            Config {
                subjects: subjects("old.lane.0"),
                retention: RetentionPolicy::WorkQueue,
                ..Config::default()
            },
            "discard",
        ),
    ] {
        context.create_stream(Config { name: format!("mp-{name}"), ..config }).await.unwrap();
        let error = jetstream.feed(name).ensure().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(part), "{error}");
    }
    // Another lease or limit than the first program has set.
    jetstream.feed("web").lease(LEASE).max_bytes(1_000_000).ensure().await.unwrap();
    jetstream.feed("web").lease(LEASE).ensure().await.unwrap();
    let other = jetstream.feed("web").lease(LEASE).max_bytes(2_000_000).ensure().await;
    assert!(other.unwrap_err().to_string().contains("max_bytes is 1000000"));
    let other = jetstream.feed("web").lease(2 * LEASE).ensure().await.unwrap_err();
    assert!(other.to_string().contains("KV_mp-web"), "{other}");
    let replicated = jetstream.feed("three").replicas(3).ensure().await.unwrap_err();
    assert_eq!(replicated.kind(), ErrorKind::Storage, "{replicated}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_gives_the_batch_back_after_the_timeout() {
    let Some(mut server) = NatsServer::start() else { return };
    let feed = feed(&server.url(), "web").await;
    server.kill();
    let producer = Producer::builder(feed.clone()).timeout(2 * SECOND).build();
    let start = Instant::now();
    let error = producer.send(batch(7, 10)).await.unwrap_err();
    assert!(start.elapsed() >= 2 * SECOND && start.elapsed() < 4 * SECOND);
    assert_eq!(error.kind(), ErrorKind::Storage);
    let again = error.into_batch();
    assert_eq!(again.source_request_id.as_deref(), Some("7"));
    server.start_again();
    let producer = Producer::builder(feed.clone()).build();
    producer.send(again).await.unwrap();
    assert_eq!(feed.stats().await.unwrap().pending, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_deleted_is_an_error_of_the_producer() {
    let Some(server) = NatsServer::start() else { return };
    let feed = feed(&server.url(), "web").await;
    let context = async_nats::jetstream::new(async_nats::connect(server.url()).await.unwrap());
    context.delete_stream("mp-web").await.unwrap();
    let producer = Producer::builder(feed.clone()).timeout(SECOND).build();
    let error = producer.send(batch(7, 10)).await.unwrap_err();
    assert_eq!((error.kind(), error.may_be_delivered()), (ErrorKind::Storage, false));
    assert_eq!(feed.stats().await.unwrap_err().kind(), ErrorKind::Storage);
}
