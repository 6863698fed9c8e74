//! The rate limit, over TCP and in memory.

use crate::wire::{BULK, EVENTS, Via, batch, builder, in_memory, list, post};
use http::{HeaderMap, StatusCode};
use mparticle_client::testing::{Answer, Counts, Emulator, RateLimit};
use std::time::Duration;
use tokio::time::{advance, sleep};

const USED: &str = "x-mp-rate-limit-percentage-used";
const RETRY_AFTER: &str = "retry-after";
const SECOND: Duration = Duration::from_secs(1);

/// Sends a bulk request with `count` batches.
async fn send(via: Via, emulator: &Emulator, count: usize) -> (u16, HeaderMap) {
    let first = emulator.requests().len() * 1000;
    let batches: Vec<_> = (first..first + count).map(|id| batch(&id.to_string())).collect();
    let (status, headers) = via.send(emulator, post(BULK, list(&batches))).await;
    (status.as_u16(), headers)
}

/// Sends single batches until one is refused, and returns the number that was accepted.
async fn drain(via: Via, emulator: &Emulator) -> usize {
    let mut accepted = 0;
    while send(via, emulator, 1).await.0 == 202 {
        accepted += 1;
    }
    accepted
}

#[tokio::test(start_paused = true)]
async fn the_rate_limit_counts_batches_and_reports_the_percentage_used() {
    for via in Via::BOTH {
        let limit = RateLimit::per_second(10).burst(20);
        let emulator = builder().rate_limit(limit).start().await.unwrap();
        for (pause, count, status, header, value) in [
            (0, 15, 202, USED, "75"),
            (0, 20, 429, RETRY_AFTER, "2"),
            (1, 15, 202, USED, "100"),
            (0, 1, 429, RETRY_AFTER, "1"),
            // More batches than the bucket can hold are accepted when it is full.
            (2, 50, 202, USED, "100"),
        ] {
            sleep(SECOND * pause).await;
            let (found, headers) = send(via, &emulator, count).await;
            assert_eq!((found, headers[header].to_str().unwrap()), (status, value), "{via:?}");
            let refused = (status == 429).then_some("feed");
            let exceeded = headers.get("x-mp-rate-limit-exceeded");
            assert_eq!(exceeded.map(|value| value.to_str().unwrap()), refused, "{via:?}");
            assert_eq!(headers.contains_key(USED), status == 202, "{via:?}");
        }
        assert_eq!(emulator.batches().len(), 80, "{via:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_percentage_header_can_be_omitted() {
    for via in Via::BOTH {
        let limit = RateLimit::per_second(10).without_percentage_header();
        let emulator = builder().rate_limit(limit).start().await.unwrap();
        let (status, headers) = send(via, &emulator, 10).await;
        assert_eq!((status, headers.get(USED)), (202, None), "{via:?}");
        assert_eq!(send(via, &emulator, 1).await.0, 429, "{via:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_rate_limit_there_is_no_header_about_it() {
    for via in Via::BOTH {
        let emulator = builder().start().await.unwrap();
        let (status, headers) = send(via, &emulator, 100).await;
        assert_eq!((status, headers.get(USED)), (202, None), "{via:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_rate_limit_can_be_changed_while_the_emulator_runs() {
    for via in Via::BOTH {
        let emulator = builder().start().await.unwrap();
        emulator.set_rate_limit(RateLimit::per_second(10));
        assert_eq!(send(via, &emulator, 4).await.0, 202, "{via:?}");
        // The 6 tokens that are left carry over, and the new rate fills the greater bucket.
        emulator.set_rate_limit(RateLimit::per_second(20));
        assert_eq!(drain(via, &emulator).await, 6, "{via:?}");
        advance(SECOND / 2).await;
        assert_eq!(drain(via, &emulator).await, 10, "{via:?}");
        // No more tokens carry over than the new bucket holds.
        advance(SECOND).await;
        emulator.set_rate_limit(RateLimit::per_second(5).without_percentage_header());
        let (status, headers) = send(via, &emulator, 3).await;
        assert_eq!((status, headers.get(USED)), (202, None), "{via:?}");
        assert_eq!(drain(via, &emulator).await, 2, "{via:?}");

        emulator.set_rate_limit(None);
        for _ in 0..5 {
            assert_eq!(send(via, &emulator, 100).await.0, 202, "{via:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_request_takes_no_tokens() {
    for via in Via::BOTH {
        let emulator = builder().rate_limit(RateLimit::per_second(1)).start().await.unwrap();
        let invalid = post(BULK, list(&[batch("a"), "{}".to_owned()]));
        assert_eq!(via.send(&emulator, invalid).await.0, 400, "{via:?}");
        assert_eq!(via.send(&emulator, post(EVENTS, batch("a"))).await.0, 202, "{via:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn requests_and_batches_are_counted() {
    for via in Via::BOTH {
        let emulator = builder().rate_limit(RateLimit::per_second(10)).start().await.unwrap();
        assert_eq!(emulator.counts(), Counts::default());
        for (count, status) in [(7, 202), (4, 429), (3, 202)] {
            assert_eq!(send(via, &emulator, count).await.0, status, "{via:?}");
        }
        emulator.script([Answer::status(429), Answer::status(503), Answer::reset()]);
        for _ in 0..2 {
            send(via, &emulator, 1).await;
        }
        in_memory(&emulator, post(EVENTS, batch("reset"))).await.unwrap_err();
        let invalid = via.send(&emulator, post(EVENTS, "{}")).await.0;
        assert_eq!(invalid, StatusCode::BAD_REQUEST, "{via:?}");
        let counts = emulator.counts();
        assert_eq!(counts.requests, 7, "{via:?}");
        assert_eq!(counts.accepted_batches, 10, "{via:?}");
        assert_eq!(counts.rate_limited_requests, 2, "{via:?}");
    }
}
