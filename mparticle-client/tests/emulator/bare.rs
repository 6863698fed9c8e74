//! A bare emulator, over TCP and in memory.

use crate::wire::{BULK, EVENTS, HISTORICAL, Via, batch, builder, list, post};
use mparticle_client::testing::{Answer, RateLimit};
use std::time::Duration;
use tokio::time::{Instant, sleep};

#[tokio::test(start_paused = true)]
async fn a_bare_emulator_accepts_everything_and_records_nothing() {
    for via in Via::BOTH {
        let emulator = builder().bare().start().await.unwrap();
        emulator.script([Answer::status(503)]);
        emulator.always(Answer::status(503));
        let mut request = post("/anything", "not json");
        request.headers_mut().remove("authorization");
        let (status, headers) = via.send(&emulator, request).await;
        assert_eq!(status, 202, "{via:?}");
        assert!(!headers.contains_key("x-mp-rate-limit-percentage-used"), "{via:?}");
        assert!(emulator.requests().is_empty(), "{via:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bare_emulator_keeps_the_rate_limit_and_counts() {
    for via in Via::BOTH {
        let limit = RateLimit::per_second(10).burst(20);
        let emulator = builder().bare().rate_limit(limit).start().await.unwrap();
        for (path, count, status, header, value) in [
            (BULK, 12, 202, "x-mp-rate-limit-percentage-used", "60"),
            (HISTORICAL, 7, 202, "x-mp-rate-limit-percentage-used", "95"),
            (BULK, 2, 429, "retry-after", "1"),
            (EVENTS, 1, 202, "x-mp-rate-limit-percentage-used", "100"),
            (EVENTS, 1, 429, "retry-after", "1"),
        ] {
            let body = match path {
                EVENTS => batch("a"),
                _ => list(&vec![batch("a"); count]),
            };
            let (found, headers) = via.send(&emulator, post(path, body)).await;
            assert_eq!((found.as_u16(), headers[header].to_str().unwrap()), (status, value));
        }
        // More batches than the bucket can hold empty a full one.
        sleep(Duration::from_secs(2)).await;
        let (status, _) = via.send(&emulator, post(BULK, list(&vec![batch("a"); 50]))).await;
        assert_eq!(status, 202, "{via:?}");

        let counts = emulator.counts();
        assert_eq!((counts.requests, counts.rate_limited_requests), (6, 2), "{via:?}");
        assert_eq!(counts.accepted_batches, 70, "{via:?}");
        assert!(emulator.requests().is_empty() && emulator.batches().is_empty(), "{via:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bare_emulator_counts_batches_from_its_first_rate_limit_on() {
    for via in Via::BOTH {
        let emulator = builder().bare().start().await.unwrap();
        let send = async || via.send(&emulator, post(BULK, list(&vec![batch("a"); 5]))).await.0;
        assert_eq!(send().await, 202, "{via:?}");
        assert_eq!(emulator.counts().accepted_batches, 0, "{via:?}");
        emulator.set_rate_limit(RateLimit::per_second(5));
        assert_eq!((send().await.as_u16(), send().await.as_u16()), (202, 429), "{via:?}");
        emulator.set_rate_limit(None);
        assert_eq!(send().await, 202, "{via:?}");
        assert_eq!(emulator.counts().accepted_batches, 10, "{via:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bare_emulator_keeps_the_latency() {
    for via in Via::BOTH {
        let emulator = builder().bare().latency(Duration::from_millis(20)).start().await.unwrap();
        let start = Instant::now();
        via.send(&emulator, post(EVENTS, batch("a"))).await;
        assert_eq!(start.elapsed(), Duration::from_millis(20), "{via:?}");
    }
}
