//! Tests of uploads under mParticle's rate limit: when a limiter closes, which clients share it, and the effect of
//! headers.
//!
//! `tests/rate_limiter` measures what is delivered under lasting load.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::unchecked_time_subtraction,
    reason = "a test may panic"
)]

mod sample;

use mparticle_client::testing::{Answer, Emulator, RateLimit};
use mparticle_client::{
    Client, Credentials, Error, ErrorKind, RateLimiter, RateLimiterSnapshot, Receipt, Timeouts,
};
use sample::{batch, builder};
use std::time::{Duration, SystemTime};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const TICK: Duration = Duration::from_millis(1);

const LIMIT: &str = "x-mp-rate-limit-exceeded";
const PERCENTAGE: &str = "x-mp-rate-limit-percentage-used";

type Upload = JoinHandle<Result<Receipt, Error>>;

/// Starts uploads at once, each by its own clone of a client.
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

/// Returns an emulator with a socket and one in memory.
async fn emulators() -> [Emulator; 2] {
    [Emulator::start().await.unwrap(), Emulator::in_memory()]
}

fn closed_for(client: &Client) -> Duration {
    client.rate_limiter().snapshot().closed_for
}

fn batches_per_second(client: &Client) -> Option<f64> {
    client.rate_limiter().snapshot().batches_per_second
}

/// Whether an upload is accepted at once.
async fn is_open(client: &Client) -> bool {
    let start = Instant::now();
    client.upload_events(&batch()).await.is_ok() && start.elapsed() < SECOND / 5
}

/// Returns a client whose uploads may take a day.
fn patient(emulator: &Emulator) -> Client {
    builder(emulator).timeouts(Timeouts::default().with_overall(24 * HOUR)).build().unwrap()
}

/// Returns when the requests arrived, in seconds after `start`.
fn arrivals(emulator: &Emulator, start: Instant) -> Vec<u64> {
    emulator.requests().iter().map(|request| (request.at - start).as_secs()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_429_makes_all_clones_wait_for_its_retry_after() {
    for emulator in emulators().await {
        let client = builder(&emulator).build().unwrap();
        emulator.script([Answer::status(429).retry_after(5)]);
        let start = Instant::now();
        let first = uploads(&client, 1);
        emulator.wait_for_requests(1).await;
        sleep(TICK).await;
        all_accepted(uploads(&client, 10)).await;
        all_accepted(first).await;
        let arrivals = arrivals(&emulator, start);
        assert_eq!((arrivals[0], arrivals.len()), (0, 12));
        // The limit is not known. The other uploads therefore follow at ten a second, and then faster.
        assert!(arrivals[1..].iter().all(|at| (5..=7).contains(at)), "{arrivals:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_429_closes_the_limiter_again() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    let refused = |seconds| Answer::status(429).retry_after(seconds);
    emulator.script([refused(5), refused(7)]);
    let start = Instant::now();
    let first = uploads(&client, 1);
    sleep(TICK).await;
    all_accepted(uploads(&client, 10)).await;
    all_accepted(first).await;
    let arrivals = arrivals(&emulator, start);
    assert_eq!((arrivals[0], arrivals[1], arrivals.len()), (0, 5, 13));
    assert!(arrivals[2..].iter().all(|at| *at >= 12), "{arrivals:?}");
}

#[tokio::test(start_paused = true)]
async fn a_later_429_with_a_shorter_retry_after_does_not_open_the_limiter_earlier() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    emulator.script([
        Answer::status(429).retry_after(20).delayed(SECOND / 2),
        Answer::status(429).retry_after(1).delayed(SECOND),
    ]);
    let start = Instant::now();
    all_accepted(uploads(&client, 2)).await;
    let arrivals = arrivals(&emulator, start);
    assert_eq!(arrivals[..2], [0, 0]);
    assert!(arrivals[2] >= 20, "{arrivals:?}");
}

#[tokio::test(start_paused = true)]
async fn a_429_without_retry_after_closes_the_limiter_for_a_backoff() {
    for answer in [
        Answer::status(429),
        Answer::status(429).header("retry-after", "soon"),
        Answer::status(429).header("retry-after", "-5"),
        Answer::status(429).header("retry-after", ""),
    ] {
        let emulator = Emulator::in_memory();
        let client = builder(&emulator).build().unwrap();
        emulator.script([answer.clone()]);
        let start = Instant::now();
        let first = uploads(&client, 1);
        sleep(TICK).await;
        // The first backoff of the seed is 194 milliseconds.
        let closed = closed_for(&client);
        let expected = Duration::from_millis(192)..=Duration::from_millis(215);
        assert!(expected.contains(&closed), "{answer:?}: {closed:?}");
        all_accepted(first).await;
        assert!(start.elapsed() < SECOND, "{answer:?}: {:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn the_retry_after_of_a_429_may_be_quoted_fractional_a_date_or_one_of_several() {
    let date = httpdate::fmt_http_date(SystemTime::now() + 45 * SECOND);
    for (values, seconds) in [
        (vec!["20"], 20),
        (vec!["\"20\""], 20),
        (vec!["“20”"], 20),
        (vec!["19.2"], 20),
        (vec!["3", "20", "junk"], 20),
        (vec![date.as_str()], 44),
        (vec!["7200"], 3600),
        (vec!["99999999999999999999"], 3600),
    ] {
        let emulator = Emulator::in_memory();
        let client = builder(&emulator).build().unwrap();
        let answer = Answer::status(429);
        let answer =
            values.iter().fold(answer, |answer, value| answer.header("retry-after", value));
        emulator.script([answer]);
        let upload = uploads(&client, 1);
        sleep(TICK).await;
        let (closed, floor) = (closed_for(&client), Duration::from_secs(seconds));
        // The wait is up to a tenth longer, and a date may be a second later than computed.
        let expected = floor - TICK..=(floor + SECOND).mul_f64(1.1);
        assert!(expected.contains(&closed), "{values:?}: {closed:?}");
        drop(upload);
    }
}

#[tokio::test(start_paused = true)]
async fn clients_with_the_same_retry_after_send_at_different_times() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(429).retry_after(100));
    let mut closed = Vec::new();
    for _ in 0..10 {
        let client = emulator.client_builder().build().unwrap();
        client.upload_events(&batch()).await.unwrap_err();
        closed.push(closed_for(&client));
    }
    assert!(closed.iter().all(|closed| (100 * SECOND..=110 * SECOND).contains(closed)));
    closed.sort();
    closed.dedup();
    assert!(closed.len() > 5, "{closed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_other_than_a_429_does_not_close_the_limiter() {
    for answer in [
        Answer::status(503).retry_after(30),
        Answer::status(408).retry_after(30),
        Answer::close(),
        Answer::hang(),
        Answer::status(403).header(LIMIT, "feed"),
    ] {
        let emulator = Emulator::in_memory();
        let client = builder(&emulator).build().unwrap();
        emulator.script([answer.clone()]);
        let first = uploads(&client, 1);
        sleep(TICK).await;
        let start = Instant::now();
        all_accepted(uploads(&client, 20)).await;
        assert_eq!(start.elapsed(), Duration::ZERO, "{answer:?}");
        assert_eq!(client.rate_limiter().snapshot(), RateLimiterSnapshot::default());
        drop(first);
    }
}

#[tokio::test(start_paused = true)]
async fn the_head_of_a_429_takes_effect_before_its_body() {
    for emulator in emulators().await {
        for answer in [
            Answer::status(429).retry_after(20).endless(),
            Answer::status(429).retry_after(20).body("slowly").dripping(MINUTE),
        ] {
            let client = builder(&emulator).build().unwrap();
            emulator.script([answer.clone()]);
            let before = emulator.requests().len();
            let start = Instant::now();
            let first = uploads(&client, 1);
            emulator.wait_for_requests(before + 1).await;
            // Real sockets are read while paused time advances by ticks.
            for _ in 0..50 {
                sleep(TICK).await;
            }
            assert!(closed_for(&client) >= 19 * SECOND, "{answer:?} {:?}", closed_for(&client));
            all_accepted(uploads(&client, 2)).await;
            all_accepted(first).await;
            let late = &emulator.requests()[before + 1..];
            assert_eq!(late.len(), 3);
            assert!(late.iter().all(|request| request.at >= start + 20 * SECOND), "{answer:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_of_two_hours_counts_as_one() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    emulator.script([Answer::status(429).retry_after(7200)]);
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert_eq!((error.kind(), error.retry_after()), (ErrorKind::RateLimited, Some(HOUR)));
    let closed = closed_for(&client);
    assert!((HOUR..=HOUR.mul_f64(1.1)).contains(&closed), "{closed:?}");
    sleep(closed).await;
    assert_eq!(closed_for(&client), Duration::ZERO);
    assert!(is_open(&client).await);
}

#[tokio::test(start_paused = true)]
async fn while_the_limiter_is_closed_for_long_one_request_a_minute_probes_until_one_is_accepted() {
    for seconds in [300, 3600, 7200] {
        let emulator = Emulator::in_memory();
        let client = patient(&emulator);
        emulator.script(vec![Answer::status(429).retry_after(seconds); 4]);
        let start = Instant::now();
        let first = uploads(&client, 1);
        sleep(TICK).await;
        let others = uploads(&client, 20);
        all_accepted(others).await;
        all_accepted(first).await;
        let arrivals = arrivals(&emulator, start);
        assert_eq!(arrivals.len(), 4 + 21);
        // The fifth is accepted, which opens the limiter for the others.
        assert_eq!(arrivals[..5], [0, 60, 120, 180, 240], "{seconds}");
        assert!(arrivals[5..].iter().all(|at| (240..245).contains(at)), "{arrivals:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_with_the_default_deadline_probes_if_it_is_made_after_a_minute() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    emulator.script([Answer::status(429).retry_after(3600)]);
    client.upload_events(&batch()).await.unwrap_err();
    sleep(MINUTE - SECOND).await;
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 0));
    assert_eq!(error.elapsed(), Duration::ZERO);
    assert!(error.retry_after().unwrap() > HOUR - MINUTE, "{error:?}");
    sleep(SECOND).await;
    assert!(is_open(&client).await);
    assert_eq!(closed_for(&client), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_limiter_that_is_closed_for_less_than_a_minute_is_not_probed() {
    let emulator = Emulator::in_memory();
    let client = patient(&emulator);
    emulator.script([Answer::status(429).retry_after(54)]);
    let start = Instant::now();
    let first = uploads(&client, 1);
    sleep(TICK).await;
    all_accepted(uploads(&client, 3)).await;
    all_accepted(first).await;
    let arrivals = arrivals(&emulator, start);
    assert!(arrivals[1..].iter().all(|at| *at >= 54), "{arrivals:?}");
}

#[tokio::test(start_paused = true)]
async fn an_acceleration_limit_holds_back_its_own_request_and_not_the_others() {
    for name in ["acceleration", "\"Acceleration\"", "“acceleration”"] {
        let emulator = Emulator::in_memory();
        let client = builder(&emulator).build().unwrap();
        // Twenty per second for two seconds.
        for _ in 0..40 {
            client.upload_events(&batch()).await.unwrap();
            sleep(SECOND / 20).await;
        }
        emulator.script([Answer::status(429).retry_after(30).header(LIMIT, name)]);
        let limited = uploads(&client, 1);
        sleep(TICK).await;
        assert_eq!(closed_for(&client), Duration::ZERO, "{name}");
        let rate = batches_per_second(&client).unwrap();
        assert!((19.0..=21.0).contains(&rate), "{name}: {rate}");
        let start = Instant::now();
        all_accepted(uploads(&client, 40)).await;
        // They are sent at the rate that was accepted before.
        let taken = start.elapsed();
        assert!((1_900..=2_150).contains(&taken.as_millis()), "{name}: {taken:?}");
        assert!(!limited[0].is_finished());
        all_accepted(limited).await;
        let last = emulator.requests().last().unwrap().at;
        assert!((30 * SECOND - 2 * TICK..31 * SECOND).contains(&(last - start)), "{name}");
        assert!(
            batches_per_second(&client).unwrap() <= rate,
            "the rate does not grow during this time"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_429_of_another_or_an_unclear_limit_closes_the_limiter() {
    for names in [vec![], vec!["feed"], vec!["accelerations"], vec!["acceleration", "org"]] {
        let emulator = Emulator::in_memory();
        let client = builder(&emulator).build().unwrap();
        let answer = Answer::status(429).retry_after(30);
        emulator.script([names.iter().fold(answer, |answer, name| answer.header(LIMIT, name))]);
        let limited = uploads(&client, 1);
        sleep(TICK).await;
        assert!(closed_for(&client) >= 29 * SECOND, "{names:?}");
        drop(limited);
    }
}

#[tokio::test(start_paused = true)]
async fn the_percentage_used_is_reported_and_delays_nothing() {
    for (value, expected) in [
        ("80", Some(80.0)),
        ("99.5", Some(99.5)),
        ("99.5%", Some(99.5)),
        ("“100”", Some(100.0)),
        ("\"250\"", Some(250.0)),
        ("1e308", Some(1e308)),
        ("junk", None),
        ("-1", None),
        ("NaN", None),
        ("", None),
    ] {
        let emulator = Emulator::in_memory();
        emulator.always(Answer::normal().header(PERCENTAGE, value));
        let client = builder(&emulator).build().unwrap();
        let start = Instant::now();
        for _ in 0..20 {
            let receipt = client.upload_events(&batch()).await.unwrap();
            assert_eq!(receipt.rate_limit_percentage_used(), expected, "{value}");
        }
        all_accepted(uploads(&client, 100)).await;
        assert_eq!(start.elapsed(), Duration::ZERO, "{value}");
        assert_eq!(batches_per_second(&client), None, "{value}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_is_dropped_after_a_minute_in_which_it_delayed_no_request() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    all_accepted(uploads(&client, 200)).await;
    emulator.script([Answer::status(429).retry_after(1)]);
    all_accepted(uploads(&client, 1)).await;
    assert_eq!(batches_per_second(&client), Some(180.0));
    let start = Instant::now();
    all_accepted(uploads(&client, 180)).await;
    assert!((900..=1_100).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    sleep(MINUTE + 2 * SECOND).await;
    let start = Instant::now();
    all_accepted(uploads(&client, 1_000)).await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(batches_per_second(&client), None);
}

#[tokio::test(start_paused = true)]
async fn clients_share_a_limiter_only_if_they_were_given_the_same() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    let apart = builder(&emulator).build().unwrap();
    let sharing = builder(&emulator).rate_limiter(client.rate_limiter()).build().unwrap();
    let limiter = RateLimiter::default();
    let pair = [(); 2].map(|()| builder(&emulator).rate_limiter(limiter.clone()).build().unwrap());
    let other_key = client.with_credentials(&emulator.credentials()).unwrap();
    emulator.script([Answer::status(429).retry_after(50)]);
    let refused = uploads(&client, 1);
    sleep(TICK).await;
    for closed in [&client, &client.clone(), &sharing] {
        assert!(closed_for(closed) > 49 * SECOND);
    }
    assert!(is_open(&apart).await && is_open(&other_key).await && is_open(&pair[0]).await);
    emulator.script([Answer::status(429).retry_after(50)]);
    let also_refused = uploads(&pair[1], 1);
    sleep(TICK).await;
    assert!(closed_for(&pair[0]) > 49 * SECOND && closed_for(&sharing) > 49 * SECOND);
    assert!(is_open(&apart).await && is_open(&other_key).await);
    let start = Instant::now();
    client.upload_events(&batch()).await.unwrap();
    assert!(start.elapsed() >= 49 * SECOND, "{:?}", start.elapsed());
    drop((refused, also_refused));
}

#[tokio::test(start_paused = true)]
async fn a_shared_limiter_stays_closed_when_the_client_that_closed_it_is_dropped() {
    let emulator = Emulator::in_memory();
    let limiter = RateLimiter::default();
    let client = || builder(&emulator).rate_limiter(limiter.clone()).build().unwrap();
    let (dropped, kept) = (client(), client());
    emulator.script([Answer::status(429).retry_after(20)]);
    let start = Instant::now();
    let abandoned = uploads(&dropped, 50);
    sleep(TICK).await;
    let waiting = uploads(&kept, 1);
    sleep(TICK).await;
    for upload in &abandoned {
        upload.abort();
    }
    drop((abandoned, dropped));
    all_accepted(waiting).await;
    // The numbers of the others are skipped.
    assert!((20_000..=22_200).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    assert!(is_open(&kept).await);
}

#[tokio::test(start_paused = true)]
async fn other_credentials_have_their_own_limiter_and_retry_budget() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    let unknown = client.with_credentials(&Credentials::new("other", "pair")).unwrap();
    let error = unknown.upload_events(&batch()).await.unwrap_err();
    assert_eq!((error.kind(), error.status().unwrap().as_u16()), (ErrorKind::Unauthorized, 403));
    assert_eq!(client.upload_events(&batch()).await.unwrap().attempts(), 1);
    let error = client.with_credentials(&Credentials::new(" ", "a\nb")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let text = error.to_string();
    assert!(text.contains("API key is empty") && text.contains("API secret contains"), "{text}");

    emulator.always(Answer::status(503));
    for upload in uploads(&client, 100) {
        upload.await.unwrap().unwrap_err();
    }
    assert!(client.upload_events(&batch()).await.unwrap_err().attempts() < 5);
    let other = client.with_credentials(&emulator.credentials()).unwrap();
    assert_eq!(other.upload_events(&batch()).await.unwrap_err().attempts(), 5);

    emulator.always(Answer::normal());
    emulator.script([Answer::status(429).retry_after(30)]);
    let limited = uploads(&other, 1);
    sleep(TICK).await;
    assert!(closed_for(&other) > 29 * SECOND && closed_for(&client).is_zero());
    assert!(is_open(&client).await);
    drop(limited);
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_cannot_wait_long_enough_fails_at_once_and_the_others_wait() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    let short = builder(&emulator)
        .rate_limiter(client.rate_limiter())
        .timeouts(Timeouts::default().with_overall(4 * SECOND))
        .build()
        .unwrap();
    emulator.script([Answer::status(429).retry_after(5)]);
    let waiting = uploads(&client, 3);
    sleep(TICK).await;
    let start = Instant::now();
    let error = short.upload_events(&batch()).await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 0));
    assert_eq!(error.retry_after(), Some(closed_for(&client)));
    assert!(error.is_retryable() && !error.may_have_been_sent());
    all_accepted(waiting).await;
    short.resend(error.into_request().unwrap()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_upload_too_far_back_in_the_line_fails_at_once() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    let slow = RateLimiterSnapshot::default().with_batches_per_second(2.0);
    client.rate_limiter().restore(&slow);
    let waiting = uploads(&client, 110);
    sleep(TICK).await;
    let batches = vec![batch(); 20];
    let error = client.bulk_upload_events(&batches).await.unwrap_err();
    assert_eq!((error.kind(), error.elapsed()), (ErrorKind::RateLimited, Duration::ZERO));
    // A hundred and ten batches, then these twenty, at two a second.
    let retry_after = error.retry_after().unwrap();
    assert!((64 * SECOND..=65 * SECOND).contains(&retry_after), "{retry_after:?}");
    all_accepted(waiting).await;
}

#[tokio::test(start_paused = true)]
async fn a_restored_limiter_continues_where_the_snapshot_was_made() {
    let emulator = Emulator::in_memory();
    let before = builder(&emulator).build().unwrap();
    all_accepted(uploads(&before, 100)).await;
    emulator.script([Answer::status(429).retry_after(10)]);
    let refused = uploads(&before, 1);
    sleep(TICK).await;
    let snapshot = before.rate_limiter().snapshot();
    assert_eq!(snapshot.batches_per_second, Some(90.0));
    drop((refused, before));

    let after = builder(&emulator).build().unwrap();
    after.rate_limiter().restore(&snapshot);
    let start = Instant::now();
    all_accepted(uploads(&after, 90)).await;
    let taken = start.elapsed() - snapshot.closed_for;
    assert!((900..=1_100).contains(&taken.as_millis()), "{taken:?}");
}

#[tokio::test(start_paused = true)]
async fn a_limit_on_a_key_is_followed_by_a_thousand_clones_and_nothing_is_lost() {
    let limit = RateLimit::per_second(100).burst(100);
    let emulator = Emulator::builder().rate_limit(limit).in_memory();
    let client = builder(&emulator).build().unwrap();
    let start = Instant::now();
    let uploads = uploads(&client, 1_000);
    let mut ids = Vec::new();
    for upload in uploads {
        ids.extend_from_slice(upload.await.unwrap().unwrap().source_request_ids());
    }
    assert_eq!(ids.len(), 1_000);
    emulator.assert_exactly_once(ids);
    // The nine hundred that exceed the bucket take nine seconds at the limit.
    assert!((9..20).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    let refused = emulator.counts().rate_limited_requests;
    assert!(refused <= 100, "{refused}");
}
