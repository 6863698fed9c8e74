//! How uploads of one key keep mParticle's rate limits together.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod sample;

use mparticle_client::testing::{Answer, Emulator, RateLimit};
use mparticle_client::{Client, Credentials, Error, ErrorKind, RateLimiter, Receipt, Timeouts};
use sample::{batch, builder};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);
const TICK: Duration = Duration::from_millis(1);

type Upload = JoinHandle<Result<Receipt, Error>>;

/// So many uploads at once, each by a clone of its own.
fn uploads(client: &Client, count: usize) -> Vec<Upload> {
    let upload = |_| {
        let client = client.clone();
        tokio::spawn(async move { client.upload_events(&batch()).await })
    };
    (0..count).map(upload).collect()
}

async fn all_accepted(uploads: Vec<Upload>) {
    for upload in uploads {
        upload.await.unwrap().unwrap();
    }
}

/// How many requests came at each time, in milliseconds after `start`.
fn arrivals(emulator: &Emulator, start: Instant, skip: usize) -> BTreeMap<u128, usize> {
    let mut arrivals = BTreeMap::new();
    for request in emulator.requests().iter().skip(skip) {
        *arrivals.entry((request.at - start).as_millis()).or_default() += 1;
    }
    arrivals
}

#[tokio::test(start_paused = true)]
async fn after_one_429_a_single_request_probes_and_then_twice_as_many_with_each_success() {
    for emulator in [Emulator::start().await.unwrap(), Emulator::in_memory()] {
        let client = builder(&emulator).build().unwrap();
        emulator.script([Answer::status(429).retry_after(5)]);
        // From here on each answer takes a second, so that rounds can be told apart.
        emulator.always(Answer::normal().delayed(SECOND));
        let first = uploads(&client, 1);
        emulator.wait_for_requests(1).await;
        sleep(TICK).await;
        let start = Instant::now();
        let others = uploads(&client, 40);
        all_accepted(others).await;
        all_accepted(first).await;
        let mut arrivals = arrivals(&emulator, start, 1).into_iter();
        let (probe, alone) = arrivals.next().unwrap();
        assert!((4_999..=5_002).contains(&probe), "{probe}");
        assert_eq!(alone, 1);
        // One success allows two, the two successes of that round four times as many, and eight of them all the rest.
        let rounds: Vec<_> = arrivals.map(|(_, count)| count).collect();
        assert_eq!(rounds, [2, 8, 30]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_refused_closes_the_gate_again() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    let refused = |seconds| Answer::status(429).retry_after(seconds);
    emulator.script([refused(5), refused(7)]);
    let start = Instant::now();
    let first = uploads(&client, 1);
    sleep(TICK).await;
    let others = uploads(&client, 10);
    all_accepted(first).await;
    all_accepted(others).await;
    let times: Vec<_> =
        emulator.requests().iter().map(|request| (request.at - start).as_secs()).collect();
    assert_eq!(times[..2], [0, 5]);
    assert!(times[2..].iter().all(|seconds| *seconds >= 12), "{times:?}");
    assert_eq!(times.len(), 13);
}

#[tokio::test(start_paused = true)]
async fn a_later_shorter_answer_does_not_open_the_gate_earlier() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    emulator.script([
        Answer::status(429).retry_after(20).delayed(SECOND / 2),
        Answer::status(429).retry_after(1).delayed(SECOND),
    ]);
    let start = Instant::now();
    all_accepted(uploads(&client, 2)).await;
    let requests = emulator.requests();
    assert_eq!(requests[1].at, start, "both were under way");
    let third = requests[2].at;
    assert!(third - start >= 20 * SECOND, "{:?}", third - start);
}

#[tokio::test(start_paused = true)]
async fn a_429_that_names_no_time_closes_the_gate_for_a_backoff() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    emulator.script([Answer::status(429)]);
    let start = Instant::now();
    let first = uploads(&client, 1);
    sleep(TICK).await;
    let closed = format!("{:?}", client.rate_limiter());
    assert!(!closed.contains("closed_for: 0ns"), "{closed}");
    all_accepted(first).await;
    assert!(start.elapsed() <= SECOND, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_request_that_fails_otherwise_does_not_close_the_gate() {
    for answer in [
        Answer::status(503).retry_after(30),
        Answer::status(408).retry_after(30),
        Answer::close(),
        Answer::status(403).header("x-mp-rate-limit-exceeded", "feed"),
    ] {
        let emulator = Emulator::in_memory();
        let client = builder(&emulator).build().unwrap();
        emulator.script([answer.clone()]);
        let first = uploads(&client, 1);
        sleep(TICK).await;
        let start = Instant::now();
        all_accepted(uploads(&client, 20)).await;
        assert_eq!(start.elapsed(), Duration::ZERO, "{answer:?}");
        drop(first);
    }
}

#[tokio::test(start_paused = true)]
async fn an_acceleration_limit_makes_its_own_request_wait_and_the_others_go_at_half_the_rate() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    // Twenty per second for two seconds.
    for _ in 0..40 {
        client.upload_events(&batch()).await.unwrap();
        sleep(SECOND / 20).await;
    }
    let limited =
        Answer::status(429).retry_after(30).header("x-mp-rate-limit-exceeded", "acceleration");
    emulator.script([limited]);
    let limited = uploads(&client, 1);
    sleep(TICK).await;
    let start = Instant::now();
    all_accepted(uploads(&client, 21)).await;
    // Twenty intervals at ten per second, and a little faster with time.
    let taken = start.elapsed();
    assert!((1500..=2_100).contains(&taken.as_millis()), "{taken:?}");
    assert!(!limited[0].is_finished());
    all_accepted(limited).await;
    let last = emulator.requests().last().unwrap().at;
    assert!(last + 2 * TICK >= start + 30 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn above_80_percent_requests_are_spaced_out_up_to_four_times() {
    for (used, factor) in
        [("80", 1.0), ("90", 2.5), ("“100”", 4.0), ("250", 4.0), ("99.5%", 3.925), ("junk", 1.0)]
    {
        let emulator = Emulator::in_memory();
        let client = builder(&emulator).build().unwrap();
        for _ in 0..20 {
            client.upload_events(&batch()).await.unwrap();
            sleep(SECOND / 10).await;
        }
        emulator.always(Answer::normal().header("x-mp-rate-limit-percentage-used", used));
        client.upload_events(&batch()).await.unwrap();
        let start = Instant::now();
        // Eager: without pacing they would take no time.
        for _ in 0..11 {
            client.upload_events(&batch()).await.unwrap();
        }
        let taken = start.elapsed().as_secs_f64();
        let expected = if factor > 1.0 { factor } else { 0.0 };
        assert!((taken - expected).abs() <= 0.1 * expected, "{used}: {taken} of {expected}");
        // It ends when the pressure does.
        emulator.always(Answer::normal());
        emulator.script([Answer::normal().header("x-mp-rate-limit-percentage-used", "20")]);
        client.upload_events(&batch()).await.unwrap();
        let start = Instant::now();
        all_accepted(uploads(&client, 20)).await;
        assert_eq!(start.elapsed(), Duration::ZERO, "{used}");
    }
}

/// Whether a client may send.
async fn is_open(client: &Client) -> bool {
    client.upload_events(&batch()).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn clients_made_apart_do_not_know_of_each_other_and_those_that_share_a_gate_do() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    let apart = builder(&emulator).build().unwrap();
    let sharing = builder(&emulator).rate_limiter(client.rate_limiter()).build().unwrap();
    let gate = RateLimiter::default();
    let pair = [(); 2].map(|()| builder(&emulator).rate_limiter(gate.clone()).build().unwrap());
    let other_key = client.with_credentials(&emulator.credentials()).unwrap();
    emulator.script([Answer::status(429).retry_after(600)]);
    assert_eq!(client.upload_events(&batch()).await.unwrap_err().kind(), ErrorKind::RateLimited);
    assert!(!is_open(&client).await && !is_open(&client.clone()).await && !is_open(&sharing).await);
    assert!(is_open(&apart).await && is_open(&other_key).await && is_open(&pair[0]).await);
    emulator.script([Answer::status(429).retry_after(600)]);
    assert_eq!(pair[1].upload_events(&batch()).await.unwrap_err().kind(), ErrorKind::RateLimited);
    assert!(!is_open(&pair[0]).await && is_open(&apart).await && is_open(&other_key).await);
}

#[tokio::test(start_paused = true)]
async fn other_credentials_go_over_the_same_transport_with_a_budget_of_their_own() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    let stranger = client.with_credentials(&Credentials::new("other", "pair")).unwrap();
    let error = stranger.upload_events(&batch()).await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Unauthorized, 403));
    assert_eq!(client.upload_events(&batch()).await.unwrap().attempts(), 1);
    let error = client.with_credentials(&Credentials::new(" ", "a\nb")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let text = error.to_string();
    assert!(text.contains("API key is empty") && text.contains("API secret contains"), "{text}");
    // What one uses up does not bind the other.
    emulator.always(Answer::status(503));
    for _ in 0..40 {
        client.upload_events(&batch()).await.unwrap_err();
    }
    assert_eq!(client.upload_events(&batch()).await.unwrap_err().attempts(), 5);
    let spenders = uploads(&client, 100);
    for spender in spenders {
        spender.await.unwrap().unwrap_err();
    }
    assert!(client.upload_events(&batch()).await.unwrap_err().attempts() < 5);
    let other = client.with_credentials(&emulator.credentials()).unwrap();
    assert_eq!(other.upload_events(&batch()).await.unwrap_err().attempts(), 5);
}

#[tokio::test(start_paused = true)]
async fn who_cannot_wait_until_the_gate_opens_is_told_at_once_and_the_others_wait() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    let hasty = builder(&emulator)
        .rate_limiter(client.rate_limiter())
        .timeouts(Timeouts::default().with_overall(4 * SECOND))
        .build()
        .unwrap();
    emulator.script([Answer::status(429).retry_after(5)]);
    let patient = uploads(&client, 3);
    emulator.wait_for_requests(1).await;
    sleep(TICK).await;
    let start = Instant::now();
    let error = hasty.upload_events(&batch()).await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 0));
    assert!((4 * SECOND..=5 * SECOND).contains(&error.retry_after().unwrap()), "{error:?}");
    assert!(error.is_retryable() && !error.may_have_been_sent());
    all_accepted(patient).await;
    assert!(hasty.resend(error.into_request().unwrap()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_real_limit_is_kept_by_many_clones_and_nothing_is_lost() {
    let limit = RateLimit::per_second(20).burst(20);
    let emulator = Emulator::builder().rate_limit(limit).in_memory();
    let client = builder(&emulator).build().unwrap();
    let start = Instant::now();
    let uploads = uploads(&client, 200);
    let mut ids = Vec::new();
    for upload in uploads {
        ids.extend_from_slice(upload.await.unwrap().unwrap().source_request_ids());
    }
    assert_eq!(ids.len(), 200);
    emulator.assert_exactly_once(ids);
    // A hundred and eighty that have to wait take nine seconds at the limit.
    assert!((9..45).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}
