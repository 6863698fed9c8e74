//! The latency, over TCP and in memory. All tests run with paused time.

use crate::wire::{EVENTS, Via, batch, builder, exchange, in_memory, post};
use mparticle_client::testing::{Answer, RateLimit};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

const MILLISECOND: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn half_of_the_latency_passes_before_the_processing_and_half_after_it() {
    // An odd number of milliseconds is not rounded twice.
    for (latency, half) in [(20, 10), (25, 13)] {
        for via in Via::BOTH {
            let emulator = builder().latency(MILLISECOND * latency).start().await.unwrap();
            let start = Instant::now();
            for turn in 0..3 {
                let sent = start + MILLISECOND * latency * turn;
                let (status, _) = via.send(&emulator, post(EVENTS, batch(&turn.to_string()))).await;
                assert_eq!(status, 202);
                assert_eq!(sent.elapsed(), MILLISECOND * latency, "{via:?}");
                let processed = emulator.requests().last().unwrap().at;
                assert_eq!(processed - sent, MILLISECOND * half, "{via:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn requests_do_not_wait_for_the_latency_of_others() {
    for via in Via::BOTH {
        let emulator = builder().latency(MILLISECOND * 200).start().await.unwrap();
        let start = Instant::now();
        let send = |id: usize| via.send(&emulator, post(EVENTS, batch(&id.to_string())));
        let answers = futures_util::future::join_all((0..50).map(send)).await;
        assert!(answers.iter().all(|(status, _)| *status == 202));
        assert_eq!(start.elapsed(), MILLISECOND * 200, "{via:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_is_rate_limited_when_it_is_processed() {
    for via in Via::BOTH {
        let emulator = builder().latency(MILLISECOND * 20).start().await.unwrap();
        let send = |id: &str| via.send(&emulator, post(EVENTS, batch(id)));
        // The limit is set after both requests have arrived, and before they are processed.
        let set_limit = async {
            sleep(MILLISECOND * 5).await;
            emulator.set_rate_limit(RateLimit::per_second(1));
        };
        let ((first, _), (second, _), ()) = tokio::join!(send("a"), send("b"), set_limit);
        let mut statuses = [first.as_u16(), second.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [202, 429], "{via:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn scripted_answers_and_faults_have_the_latency_too() {
    let latency = MILLISECOND * 20;
    let emulator = builder().latency(latency).start().await.unwrap();
    for (answer, expected) in [
        (Answer::status(503), latency),
        (Answer::normal().delayed(MILLISECOND * 100), MILLISECOND * 120),
        (Answer::reset(), latency),
        (Answer::reset_at_head(), latency),
        (Answer::close(), latency),
        (Answer::raw("nonsense"), latency),
    ] {
        emulator.script([answer.clone(), answer.clone()]);
        let start = Instant::now();
        exchange(&emulator, &post(EVENTS, batch("a"))).await;
        assert_eq!(start.elapsed(), expected, "{answer:?} over TCP");
        let start = Instant::now();
        let _ = in_memory(&emulator, post(EVENTS, batch("a"))).await;
        assert_eq!(start.elapsed(), expected, "{answer:?} in memory");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_abandoned_in_the_first_half_is_not_processed() {
    for via in Via::BOTH {
        let emulator = builder().latency(MILLISECOND * 20).start().await.unwrap();
        for (abandon_after, processed) in [(9, 0), (11, 1)] {
            let send = via.send(&emulator, post(EVENTS, batch("a")));
            timeout(MILLISECOND * abandon_after, send).await.unwrap_err();
            sleep(MILLISECOND * 100).await;
            assert_eq!(emulator.requests().len(), processed, "{via:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_longest_delay_does_not_overflow() {
    for via in Via::BOTH {
        let emulator = builder().latency(MILLISECOND * 20).start().await.unwrap();
        emulator.script([Answer::normal().delayed(Duration::MAX)]);
        let send = via.send(&emulator, post(EVENTS, batch("a")));
        timeout(Duration::from_secs(3600), send).await.unwrap_err();
        assert_eq!(emulator.requests().len(), 1, "{via:?}");
    }
}
