//! Paused time: immediate answers take no time, and waits advance the clock.

use crate::wire::{EVENTS, batch, builder, exchange, in_memory, post};
use mparticle_client::testing::Answer;
use std::time::Duration;
use tokio::time::{Instant, timeout};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn normal_answers_over_tcp_take_no_time_under_a_running_timeout() {
    let emulator = builder().start().await.unwrap();
    let start = Instant::now();
    for id in 0..100 {
        let request = post(EVENTS, batch(&id.to_string()));
        let received = timeout(HOUR, exchange(&emulator, &request)).await.unwrap();
        assert_eq!(received.status(), 202);
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_hang_takes_exactly_as_long_as_the_timeout() {
    let emulator = builder().start().await.unwrap();
    emulator.script([Answer::hang()]);
    let start = Instant::now();
    let request = post(EVENTS, batch("a"));
    assert!(timeout(HOUR, exchange(&emulator, &request)).await.is_err());
    assert_eq!(start.elapsed(), HOUR);
    assert_eq!(exchange(&emulator, &request).await.status(), 202);
    assert_eq!(start.elapsed(), HOUR);
}

#[tokio::test(start_paused = true)]
async fn a_delayed_answer_is_sent_late_but_the_request_is_processed_at_once() {
    let emulator = builder().start().await.unwrap();
    let delay = Duration::from_secs(7);
    for id in ["a", "b"] {
        emulator.script([Answer::normal().delayed(delay)]);
        let request = post(EVENTS, batch(id));
        let start = Instant::now();
        let status = if id == "a" {
            exchange(&emulator, &request).await.status()
        } else {
            in_memory(&emulator, request).await.unwrap().status().as_u16()
        };
        assert_eq!(status, 202);
        assert_eq!(start.elapsed(), delay);
    }
    let start = Instant::now();
    emulator.script([Answer::reset().after_processing().delayed(delay)]);
    assert!(exchange(&emulator, &post(EVENTS, batch("c"))).await.was_reset());
    assert_eq!(start.elapsed(), delay);
    let batches = emulator.batches();
    assert_eq!(batches.len(), 3);
    assert_eq!(emulator.requests()[2].at, start);
}

#[tokio::test(start_paused = true)]
async fn a_dripping_body_waits_before_each_byte() {
    let emulator = builder().start().await.unwrap();
    emulator.script([Answer::status(503).body("slow").dripping(Duration::from_secs(2))]);
    let start = Instant::now();
    let received = exchange(&emulator, &post(EVENTS, batch("a"))).await;
    assert_eq!((received.status(), received.body().as_str()), (503, "slow"));
    assert_eq!(start.elapsed(), Duration::from_secs(8));
}

/// An HTTP client has timers, a connection pool and tasks. They must not advance the clock either.
#[tokio::test(start_paused = true)]
async fn paused_time_works_with_a_pooling_client() {
    // An error means that a provider is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().timeout(HOUR).build().unwrap();
    let emulator = builder().start().await.unwrap();
    let send = async |id: &str| {
        let (parts, body) = post(EVENTS, batch(id)).into_parts();
        let request = client.post(format!("{}/events", emulator.base_url()));
        request.headers(parts.headers).body(body).send().await
    };
    let start = Instant::now();
    for id in 0..100 {
        assert_eq!(send(&id.to_string()).await.unwrap().status(), 202);
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    emulator.script([Answer::hang(), Answer::reset(), Answer::normal().truncated()]);
    assert!(send("hang").await.unwrap_err().is_timeout());
    assert_eq!(start.elapsed().as_secs(), HOUR.as_secs());
    let reset = send("reset").await.unwrap_err();
    assert!(reset.is_request() && !reset.is_connect() && !reset.is_timeout(), "{reset:?}");
    let truncated = send("truncated").await.unwrap();
    assert_eq!(truncated.status(), 202);
    assert!(truncated.bytes().await.is_err());
    assert_eq!(start.elapsed().as_secs(), HOUR.as_secs());
}
