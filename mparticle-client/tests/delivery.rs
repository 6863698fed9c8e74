//! How an upload reaches the server: which failures are retried, when, and what the upload returns.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod sample;

use http::StatusCode;
use mparticle_client::models::{self, Batch};
use mparticle_client::testing::{Answer, Emulator};
use mparticle_client::{Client, Error, ErrorKind, Receipt, RetryPolicy, Timeouts};
use sample::{batch, builder};
use std::error::Error as _;
use std::time::{Duration, SystemTime};
use tokio::task::JoinHandle;
use tokio::time::{Instant, advance};

const SECOND: Duration = Duration::from_secs(1);

/// Starts an upload by a clone of a client.
fn spawn_upload(client: &Client) -> JoinHandle<Result<Receipt, Error>> {
    let client = client.clone();
    tokio::spawn(async move { client.upload_events(&batch()).await })
}

/// Returns the error of the last attempt, which is the source of the error of the upload.
fn last_failure(error: &Error) -> &Error {
    error.source().and_then(|source| source.downcast_ref()).unwrap()
}

/// Returns when the requests arrived, in milliseconds since the first.
fn times(emulator: &Emulator) -> Vec<u128> {
    let requests = emulator.requests();
    requests.iter().map(|request| (request.at - requests[0].at).as_millis()).collect()
}

/// Returns the times between one request and the next.
fn gaps(emulator: &Emulator) -> Vec<Duration> {
    emulator.requests().windows(2).map(|pair| pair[1].at - pair[0].at).collect()
}

/// Returns an emulator with a socket and one in memory, which give the same answer to every request.
async fn everywhere(answer: &Answer) -> [Emulator; 2] {
    let emulators = [Emulator::start().await.unwrap(), Emulator::in_memory()];
    for emulator in &emulators {
        emulator.always(answer.clone());
    }
    emulators
}

/// The expected error of a status: its kind, the kind of the last attempt, the number of attempts, whether it is
/// retryable, and whether the request may have been sent.
type Row = (ErrorKind, Option<ErrorKind>, u32, bool, bool);

fn expected(status: u16) -> Row {
    use ErrorKind::{Rejected, RetriesExhausted, Server, Timeout, Unauthorized};
    match status {
        401 | 403 => (Unauthorized, None, 1, false, false),
        408 => (RetriesExhausted, Some(Timeout), 5, true, true),
        501 | 505 => (Server, None, 1, false, true),
        500.. => (RetriesExhausted, Some(Server), 5, true, true),
        _ => (Rejected, None, 1, false, false),
    }
}

#[tokio::test(start_paused = true)]
async fn every_status_is_retried_or_final_as_the_table_says() {
    for status in (200..600).filter(|status| *status != 429) {
        let emulator = Emulator::in_memory();
        emulator.always(Answer::status(status));
        let client = builder(&emulator).build().unwrap();
        let result = client.upload_events(&batch()).await;
        if status < 300 {
            let receipt = result.unwrap();
            assert_eq!((receipt.status().unwrap().as_u16(), receipt.attempts()), (status, 1));
            emulator.assert_exactly_once(receipt.source_request_ids());
            continue;
        }
        let error = result.unwrap_err();
        let (kind, last, attempts, retryable, may_have_been_sent) = expected(status);
        assert_eq!(error.kind(), kind, "{status}");
        assert_eq!(error.attempts(), attempts, "{status}");
        assert_eq!(error.is_retryable(), retryable, "{status}");
        assert_eq!(error.may_have_been_sent(), may_have_been_sent, "{status}");
        assert_eq!(error.status().unwrap(), status);
        assert!(error.to_string().contains(&format!("status {status}")), "{error}");
        assert_eq!(emulator.requests().len(), usize::try_from(attempts).unwrap(), "{status}");
        assert_eq!(error.source().is_some(), last.is_some(), "{status}");
        if let Some(last) = last {
            assert_eq!(last_failure(&error).kind(), last, "{status}");
            assert_eq!(last_failure(&error).status().unwrap(), status);
            assert!(last_failure(&error).is_retryable(), "{status}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_single_attempt_returns_its_failure_as_the_error() {
    for (answer, kind, retryable) in [
        (Answer::status(503), ErrorKind::Server, true),
        (Answer::status(501), ErrorKind::Server, false),
        (Answer::status(408), ErrorKind::Timeout, true),
        (Answer::status(429), ErrorKind::RateLimited, true),
        (Answer::status(400), ErrorKind::Rejected, false),
        (Answer::close(), ErrorKind::Transport, true),
        (Answer::hang(), ErrorKind::Timeout, true),
    ] {
        let emulator = Emulator::in_memory();
        emulator.always(answer.clone());
        let client = emulator.client_builder().retry(RetryPolicy::never()).build().unwrap();
        let error = client.upload_events(&batch()).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (kind, 1), "{answer:?}");
        assert_eq!(error.is_retryable(), retryable, "{answer:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_fault_before_an_answer_is_retried() {
    for (answer, last) in [
        (Answer::close(), ErrorKind::Transport),
        (Answer::reset(), ErrorKind::Transport),
        (Answer::reset_at_head(), ErrorKind::Transport),
        (Answer::raw("what is this?\r\n\r\n"), ErrorKind::Transport),
        (Answer::hang(), ErrorKind::Timeout),
        (Answer::normal().delayed(16 * SECOND), ErrorKind::Timeout),
    ] {
        for emulator in everywhere(&answer).await {
            let retry = RetryPolicy::default().with_jitter_seed(7).with_max_attempts(3);
            let client = emulator.client_builder().retry(retry).build().unwrap();
            let error = client.upload_events(&batch()).await.unwrap_err();
            let shown = format!("{answer:?} {emulator:?}");
            assert_eq!(error.kind(), ErrorKind::RetriesExhausted, "{shown}");
            assert_eq!(last_failure(&error).kind(), last, "{shown}");
            assert!(last_failure(&error).source().is_some(), "{shown}");
            assert_eq!((error.attempts(), emulator.requests().len()), (3, 3), "{shown}");
            assert!(error.is_retryable() && error.may_have_been_sent(), "{shown}");
            assert_eq!(error.status(), None, "{shown}");
            // The request is accepted once the server works again.
            emulator.always(Answer::normal());
            let ids = error.source_request_ids().to_vec();
            let receipt = client.resend(error.into_request().unwrap()).await.unwrap();
            assert_eq!(receipt.source_request_ids(), ids);
            emulator.assert_exactly_once(ids);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_connection_cannot_have_sent_anything() {
    let emulator = Emulator::start().await.unwrap();
    let client = builder(&emulator).build().unwrap();
    let start = Instant::now();
    drop(emulator);
    tokio::task::yield_now().await;
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RetriesExhausted, 5));
    assert_eq!(last_failure(&error).kind(), ErrorKind::Transport);
    assert!(!error.may_have_been_sent());
    assert!(format!("{error:#}").contains("refused"), "{error:#}");
    assert!(start.elapsed() < 4 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn after_an_attempt_without_an_answer_every_error_says_that_it_may_have_been_sent() {
    let emulator = Emulator::in_memory();
    emulator.script([Answer::hang(), Answer::status(400)]);
    let client = builder(&emulator).build().unwrap();
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Rejected, 2));
    assert!(error.may_have_been_sent());
}

#[tokio::test(start_paused = true)]
async fn a_202_is_final_whatever_its_body_and_the_body_is_read_for_a_second_at_most() {
    let long = "x".repeat(1000);
    for (answer, milliseconds) in [
        (Answer::normal().body("thanks").truncated(), 0),
        (Answer::normal().body("thanks").reset_in_body(), 0),
        (Answer::normal().truncated(), 0),
        (Answer::normal().body(long.clone()).dripping(SECOND / 10), 1000),
        (Answer::normal().body(long.clone()).dripping(3600 * SECOND), 1000),
        (Answer::normal().body("{\"errors\":[").header("content-type", "text/html"), 0),
        (Answer::normal().body(vec![0xff; 100_000]), 0),
    ] {
        for emulator in everywhere(&answer).await {
            let client = builder(&emulator).build().unwrap();
            let start = Instant::now();
            let receipt = client.upload_events(&batch()).await.unwrap();
            assert_eq!(
                (receipt.status().unwrap().as_u16(), receipt.attempts()),
                (202, 1),
                "{answer:?}"
            );
            assert_eq!(start.elapsed().as_millis(), milliseconds, "{answer:?} {emulator:?}");
            assert_eq!(emulator.requests().len(), 1);
            emulator.assert_exactly_once(receipt.source_request_ids());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_endless_body_of_a_202_is_cut() {
    for emulator in everywhere(&Answer::normal().endless()).await {
        let client = builder(&emulator).build().unwrap();
        let start = Instant::now();
        let receipt = client.upload_events(&batch()).await.unwrap();
        assert_eq!(receipt.attempts(), 1);
        assert!(start.elapsed() <= SECOND);
        // The connection cannot be used again, and the next upload opens another one.
        emulator.always(Answer::normal());
        assert_eq!(client.upload_events(&batch()).await.unwrap().attempts(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_body_of_an_error_is_kept_up_to_64_kib_and_its_status_decides() {
    let long = "y".repeat(100_000);
    for (answer, kept, attempts) in [
        (Answer::status(503).body("sorry").truncated(), 5, 5),
        (Answer::status(503).body("sorry").reset_in_body(), 5, 5),
        (Answer::status(503).body(long.clone()), 65_536, 5),
        (Answer::status(503).body("sorry").endless(), 65_536, 5),
        (Answer::status(400).body("sorry").truncated(), 5, 1),
        (Answer::status(400).body(long.clone()), 65_536, 1),
        (Answer::status(400).body("sorry").endless(), 65_536, 1),
        (Answer::status(400).body(vec![b'z'; 65_536]), 65_536, 1),
        (Answer::status(400).body(vec![b'z'; 65_535]), 65_535, 1),
        (Answer::status(400), 0, 1),
        // A byte every 1.5 seconds for five seconds.
        (Answer::status(400).body(long).dripping(Duration::from_millis(1500)), 3, 1),
    ] {
        for emulator in everywhere(&answer).await {
            let client = builder(&emulator).build().unwrap();
            let error = client.upload_events(&batch()).await.unwrap_err();
            assert_eq!(error.body().unwrap().len(), kept, "{emulator:?}");
            assert_eq!(error.attempts(), attempts, "{emulator:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_dripping_body_of_an_error_is_read_for_five_seconds_and_not_past_the_deadline() {
    let drip = || Answer::status(400).body("abc").dripping(10 * SECOND);
    for (overall, seconds) in [(60, 5), (3, 3)] {
        let emulator = Emulator::in_memory();
        emulator.always(drip());
        let timeouts = Timeouts::default().with_overall(overall * SECOND);
        let client = builder(&emulator).timeouts(timeouts).build().unwrap();
        let error = client.upload_events(&batch()).await.unwrap_err();
        assert_eq!((error.kind(), error.elapsed()), (ErrorKind::Rejected, seconds * SECOND));
    }
}

#[tokio::test(start_paused = true)]
async fn every_attempt_sends_the_same_bytes() {
    let emulator = Emulator::start().await.unwrap();
    emulator.script([Answer::status(503), Answer::reset(), Answer::status(429).retry_after(2)]);
    let client = builder(&emulator).build().unwrap();
    let receipt = client.upload_events(&batch()).await.unwrap();
    assert_eq!(receipt.attempts(), 4);
    let requests = emulator.requests();
    assert_eq!(requests.len(), 4);
    assert!(requests.iter().all(|request| request.body == requests[0].body));
    assert!(requests.iter().all(|request| request.headers == requests[0].headers));
    emulator.assert_exactly_once(receipt.source_request_ids());
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_was_accepted_without_an_answer_is_counted_once() {
    for answer in [
        Answer::close().after_processing(),
        Answer::reset().after_processing(),
        Answer::hang().after_processing(),
        Answer::status(500).after_processing(),
        Answer::status(408).after_processing(),
    ] {
        for bulk in [false, true] {
            let emulator = Emulator::start().await.unwrap();
            emulator.script([answer.clone(), answer.clone()]);
            let client = builder(&emulator).build().unwrap();
            let batches = [batch(), batch()];
            let receipt = if bulk {
                client.bulk_upload_events(&batches).await.unwrap()
            } else {
                client.upload_events(&batches[0]).await.unwrap()
            };
            assert_eq!(receipt.attempts(), 3, "{answer:?}");
            let count = if bulk { 2 } else { 1 };
            assert_eq!(emulator.batches().len(), count, "{answer:?}");
            assert_eq!(emulator.duplicates().len(), 2 * count, "{answer:?}");
            emulator.assert_exactly_once(receipt.source_request_ids());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_resent_request_has_the_same_ids_and_bytes() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::close().after_processing());
    let client = builder(&emulator).build().unwrap();
    let error = client.bulk_upload_events(&[batch(), batch()]).await.unwrap_err();
    let ids = error.source_request_ids().to_vec();
    let unsent = error.request().unwrap().clone();
    assert_eq!(unsent.source_request_ids(), ids);
    // The second time fails as well, and its error holds the same request.
    let error = client.resend(error.into_request().unwrap()).await.unwrap_err();
    assert_eq!(error.request(), Some(&unsent));
    emulator.always(Answer::normal());
    let receipt = client.clone().resend(error.into_request().unwrap()).await.unwrap();
    assert_eq!(receipt.source_request_ids(), ids);
    let requests = emulator.requests();
    assert_eq!(requests.len(), 11);
    assert!(requests.iter().all(|request| request.body == unsent.body()));
    assert_eq!((emulator.batches().len(), emulator.duplicates().len()), (2, 20));
    emulator.assert_exactly_once(ids);
}

#[tokio::test(start_paused = true)]
async fn a_failed_request_can_be_stored_and_uploaded_by_a_later_run() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::close().after_processing());
    let client = builder(&emulator).build().unwrap();
    let one = client.upload_events(&batch()).await.unwrap_err();
    let two = client.bulk_upload_events(&[batch(), batch()]).await.unwrap_err();
    emulator.always(Answer::normal());
    let later = builder(&emulator).build().unwrap();
    let read = Batch::from_slice(one.request().unwrap().body()).unwrap();
    let receipt = later.upload_events(&read).await.unwrap();
    assert_eq!(receipt.source_request_ids(), one.source_request_ids());
    let read: Vec<Batch> = models::from_slice(two.request().unwrap().body()).unwrap();
    let receipt = later.bulk_upload_events(&read).await.unwrap();
    assert_eq!(receipt.source_request_ids(), two.source_request_ids());
    assert_eq!(emulator.batches().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn ids_are_kept_or_generated_and_batch_id_is_never_sent() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    let mut numbered = batch().with_source_request_id("order 1/ü");
    numbered.batch_id = Some(17);
    numbered.extra.insert("batch_id".to_owned(), 18.into());
    let blank = batch().with_source_request_id(" ");
    let receipt = client.bulk_upload_events(&[numbered, blank, batch()]).await.unwrap();
    let [given, second, third] = receipt.source_request_ids() else { unreachable!() };
    assert_eq!(given, "order 1/ü");
    assert!(second.len() == 36 && third.len() == 36 && second != third);
    emulator.assert_exactly_once(receipt.source_request_ids());
    assert!(!String::from_utf8_lossy(&emulator.requests()[0].body).contains("batch_id"));
    let again = client.upload_events(&batch()).await.unwrap();
    assert!(!receipt.source_request_ids().contains(&again.source_request_ids()[0]));
}

#[tokio::test(start_paused = true)]
async fn a_receipt_contains_the_response() {
    let emulator = Emulator::start().await.unwrap();
    emulator.script([
        Answer::status(503),
        Answer::normal()
            .header("x-mp-rate-limit-percentage-used", "\"61.5\"")
            .header("x-trace", "abc")
            .delayed(3 * SECOND),
    ]);
    let client = builder(&emulator).build().unwrap();
    let start = Instant::now();
    let receipt = client.upload_events(&batch()).await.unwrap();
    assert_eq!((receipt.status(), receipt.attempts()), (Some(StatusCode::ACCEPTED), 2));
    assert_eq!(receipt.elapsed(), start.elapsed());
    assert!(receipt.elapsed() >= 3 * SECOND);
    assert_eq!(receipt.rate_limit_percentage_used(), Some(61.5));
    assert_eq!(receipt.headers()["x-trace"], "abc");
    let receipt = client.upload_events(&batch()).await.unwrap();
    assert_eq!(receipt.rate_limit_percentage_used(), None);
}

#[tokio::test(start_paused = true)]
async fn with_a_seed_the_attempts_come_at_exact_times() {
    for emulator in everywhere(&Answer::status(503)).await {
        let client = builder(&emulator).build().unwrap();
        let error = client.upload_events(&batch()).await.unwrap_err();
        assert_eq!(times(&emulator), [0, 194, 554, 671, 2255]);
        assert_eq!(error.elapsed().as_millis(), 2255);
        // The next upload of the same client continues the same random sequence.
        let error = client.clone().upload_events(&batch()).await.unwrap_err();
        assert_eq!(times(&emulator)[5..], [2255, 2290, 2601, 3588, 4569]);
        assert_eq!(error.elapsed().as_millis(), 2314);
    }
}

#[tokio::test(start_paused = true)]
async fn with_a_seed_a_mix_of_failures_is_retried_at_exact_times() {
    let script = [
        Answer::status(503).retry_after(2),
        Answer::reset(),
        Answer::status(429).retry_after(3),
        Answer::hang(),
    ];
    for emulator in everywhere(&Answer::normal()).await {
        emulator.script(script.clone());
        let client = builder(&emulator).build().unwrap();
        let receipt = client.upload_events(&batch()).await.unwrap();
        let gaps: Vec<_> = gaps(&emulator).iter().map(Duration::as_millis).collect();
        assert_eq!([gaps[0], gaps[1], gaps[3]], [2144, 241, 15_792]);
        // After a 429, the request also waits for its number at 10 batches a second.
        assert!((3000..=3402).contains(&gaps[2]), "{gaps:?}");
        assert_eq!((receipt.attempts(), receipt.elapsed().as_millis()), (5, gaps.iter().sum()));
    }
}

#[tokio::test(start_paused = true)]
async fn waits_lie_between_zero_and_a_bound_that_doubles() {
    let mut greatest = [Duration::ZERO; 7];
    for seed in 0..200 {
        let emulator = Emulator::in_memory();
        emulator.always(Answer::status(500));
        let retry = RetryPolicy::default()
            .with_jitter_seed(seed)
            .with_max_attempts(8)
            .with_max_delay(4 * SECOND);
        let client = emulator.client_builder().retry(retry).build().unwrap();
        client.upload_events(&batch()).await.unwrap_err();
        let gaps = gaps(&emulator);
        assert_eq!(gaps.len(), 7);
        for (greatest, gap) in greatest.iter_mut().zip(gaps) {
            *greatest = gap.max(*greatest);
        }
    }
    for (greatest, bound) in greatest.into_iter().zip([250, 500, 1000, 2000, 4000, 4000, 4000]) {
        let bound = Duration::from_millis(bound);
        // A sleep ends at the first whole millisecond after its time.
        assert!(greatest <= bound + Duration::from_millis(1), "{greatest:?} of {bound:?}");
        assert!(greatest > bound.mul_f64(0.95), "{greatest:?} of {bound:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn clients_without_a_seed_wait_for_different_times() {
    let mut all = Vec::new();
    for _ in 0..2 {
        let emulator = Emulator::in_memory();
        emulator.always(Answer::status(500));
        let client = emulator.client_builder().build().unwrap();
        client.upload_events(&batch()).await.unwrap_err();
        all.push(gaps(&emulator));
    }
    assert_ne!(all[0], all[1]);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_never_shortened_and_hardly_lengthened() {
    for status in [408, 500, 503] {
        for seconds in [1, 2, 7, 30, 59] {
            for seed in 0..8 {
                let emulator = Emulator::in_memory();
                emulator.script([Answer::status(status).retry_after(seconds)]);
                let retry = RetryPolicy::default().with_jitter_seed(seed);
                let client = emulator.client_builder().retry(retry).build().unwrap();
                client.upload_events(&batch()).await.unwrap();
                let floor = Duration::from_secs(seconds);
                let gap = gaps(&emulator)[0];
                let jitter = (floor / 10).min(SECOND) + Duration::from_millis(1);
                assert!((floor..=floor + jitter).contains(&gap), "{status} {seconds} {gap:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_retry_after_of_a_429_is_never_shortened_and_lengthened_by_a_tenth_at_most() {
    for seconds in [1, 2, 7, 30, 50] {
        for _ in 0..8 {
            let emulator = Emulator::in_memory();
            emulator.script([Answer::status(429).retry_after(seconds)]);
            let client = builder(&emulator).build().unwrap();
            let receipt = client.upload_events(&batch()).await.unwrap();
            assert_eq!(receipt.attempts(), 2);
            let floor = Duration::from_secs(seconds);
            let gap = gaps(&emulator)[0];
            // The rate starts at ten batches a second, so that the first takes a tenth of a second.
            let rate = Duration::from_millis(102);
            assert!((floor..=floor.mul_f64(1.1) + rate).contains(&gap), "{seconds} {gap:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_429_is_retried_until_the_deadline_and_spends_no_attempts() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(429).retry_after(1));
    let client = builder(&emulator).build().unwrap();
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(error.is_retryable() && !error.may_have_been_sent());
    assert!((57 * SECOND..60 * SECOND).contains(&error.elapsed()), "{:?}", error.elapsed());
    assert!((25..60).contains(&error.attempts()), "{}", error.attempts());
    assert_eq!(last_failure(&error).status(), Some(StatusCode::TOO_MANY_REQUESTS));
    // Failures after many 429s have all of their attempts.
    emulator.script(vec![Answer::status(429).retry_after(1); 6]);
    emulator.always(Answer::status(503));
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RetriesExhausted, 6 + 5));
}

#[tokio::test(start_paused = true)]
async fn a_429_spends_nothing_of_the_retry_budget() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(429).retry_after(1));
    let client = builder(&emulator).max_in_flight(100).build().unwrap();
    let uploads: Vec<_> = (0..100).map(|_| spawn_upload(&client)).collect();
    emulator.wait_for_requests(100).await;
    emulator.always(Answer::status(503));
    for upload in uploads {
        upload.await.unwrap().unwrap_err();
    }
    // A hundred 429s, a hundred first failures, and the hundred retries of a full budget.
    assert!(emulator.requests().len() >= 300, "{}", emulator.requests().len());
}

#[tokio::test(start_paused = true)]
async fn an_acceleration_limit_without_retry_after_does_not_outlast_the_deadline() {
    for seed in 0..50 {
        let emulator = Emulator::in_memory();
        emulator.always(Answer::status(429).header("x-mp-rate-limit-exceeded", "acceleration"));
        let retry = RetryPolicy::default().with_jitter_seed(seed);
        let client = emulator.client_builder().retry(retry).build().unwrap();
        let error = client.upload_events(&batch()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited, "{error}");
        assert!(error.elapsed() <= 59 * SECOND, "{:?}", error.elapsed());
        assert!(error.retry_after().is_some(), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn retry_after_may_be_a_date_and_may_be_junk() {
    let date_in_10 = httpdate::fmt_http_date(SystemTime::now() + 10 * SECOND);
    let served = "Tue, 03 Mar 2015 10:00:00 GMT";
    let later = "Tue, 03 Mar 2015 10:00:20 GMT";
    for (headers, bounds) in [
        (vec![("retry-after", date_in_10.as_str())], (9, 11)),
        (vec![("date", served), ("retry-after", later)], (20, 21)),
        (vec![("retry-after", served)], (0, 0)),
        (vec![("retry-after", "\"4\"")], (4, 4)),
        (vec![("retry-after", "3"), ("retry-after", "6")], (6, 6)),
        (vec![("retry-after", "1.2")], (2, 2)),
        (vec![("retry-after", "soon")], (0, 0)),
        (vec![("retry-after", "-5")], (0, 0)),
        (vec![("retry-after", "")], (0, 0)),
    ] {
        let emulator = Emulator::in_memory();
        let answer = headers
            .iter()
            .fold(Answer::status(503), |answer, (name, value)| answer.header(name, value));
        emulator.script([answer]);
        let client = builder(&emulator).build().unwrap();
        client.upload_events(&batch()).await.unwrap();
        let waited = gaps(&emulator)[0].as_secs();
        assert!((bounds.0..=bounds.1).contains(&waited), "{headers:?}: {waited}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_429_whose_retry_after_passes_the_deadline_fails_at_once() {
    for (wait, expected) in [("60", 60), ("3600", 3600), ("99999999999999999999", 3600)] {
        let emulator = Emulator::in_memory();
        emulator.always(Answer::status(429).header("retry-after", wait));
        let client = builder(&emulator).build().unwrap();
        let start = Instant::now();
        let error = client.upload_events(&batch()).await.unwrap_err();
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 1));
        let expected = Duration::from_secs(expected);
        assert_eq!(error.retry_after(), Some(expected));
        assert_eq!(error.status(), Some(StatusCode::TOO_MANY_REQUESTS));
        assert!(error.is_retryable() && !error.may_have_been_sent());
        // Other uploads fail without a request.
        let error = client.clone().upload_events(&batch()).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 0));
        let retry_after = error.retry_after().unwrap();
        assert!((expected..=expected.mul_f64(1.1)).contains(&retry_after), "{retry_after:?}");
        assert!(error.into_request().is_some());
        assert_eq!(emulator.requests().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_503_whose_retry_after_passes_the_deadline_fails_at_once() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(503).retry_after(61));
    let client = builder(&emulator).build().unwrap();
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RetriesExhausted, 1));
    assert_eq!(error.elapsed(), Duration::ZERO);
    assert_eq!(error.retry_after(), Some(61 * SECOND));
    assert_eq!(last_failure(&error).kind(), ErrorKind::Server);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_would_pass_the_deadline_is_not_started() {
    for seed in 0..50 {
        let emulator = Emulator::in_memory();
        emulator.always(Answer::status(503));
        let overall = 5 * SECOND;
        let retry = RetryPolicy::default().with_jitter_seed(seed).with_max_attempts(1000);
        let timeouts = Timeouts::default().with_overall(overall);
        let client = emulator.client_builder().retry(retry).timeouts(timeouts).build().unwrap();
        let error = client.upload_events(&batch()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RetriesExhausted);
        // No attempt starts in the last tenth.
        assert!(error.elapsed() <= overall.mul_f64(0.9), "{:?}", error.elapsed());
        let last = emulator.requests().last().unwrap().at;
        assert_eq!(Instant::now(), last, "it fails with its last attempt, not later");
        assert!(error.to_string().contains("too late"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_deadline_holds_while_the_server_hangs() {
    for (attempt, overall, attempts) in [(15, 60, 4), (100, 60, 1), (15, 10, 1), (15, 20, 2)] {
        for emulator in everywhere(&Answer::hang()).await {
            let timeouts =
                Timeouts::default().with_attempt(attempt * SECOND).with_overall(overall * SECOND);
            let client = builder(&emulator).timeouts(timeouts).build().unwrap();
            let start = Instant::now();
            let error = client.upload_events(&batch()).await.unwrap_err();
            assert!(start.elapsed() <= overall * SECOND, "{:?}", start.elapsed());
            assert_eq!(error.attempts(), attempts);
            assert!(error.may_have_been_sent() && error.is_retryable());
            let last_of_time = Instant::now() == start + overall * SECOND;
            let expected =
                if last_of_time { ErrorKind::Timeout } else { ErrorKind::RetriesExhausted };
            assert_eq!(error.kind(), expected, "{attempt} {overall}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_in_the_last_moment_is_made_although_its_timer_is_late() {
    for seed in 0..8 {
        let emulator = Emulator::in_memory();
        emulator.script([Answer::status(503).retry_after(59)]);
        let retry = RetryPolicy::default().with_jitter_seed(seed);
        let client = emulator.client_builder().retry(retry).build().unwrap();
        // A timer ends at a whole millisecond, and the last attempt has to start in between.
        advance(Duration::from_micros(300)).await;
        assert_eq!(client.upload_events(&batch()).await.unwrap().attempts(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn no_attempt_starts_in_the_last_second_or_tenth_before_the_deadline() {
    for (overall, last_start) in [(50 * SECOND, 49 * SECOND), (5 * SECOND, 9 * SECOND / 2)] {
        for (wait, starts) in
            [(last_start, true), (last_start + Duration::from_millis(1), false), (overall, false)]
        {
            let emulator = Emulator::in_memory();
            let timeouts = Timeouts::default().with_overall(overall);
            let client = builder(&emulator).timeouts(timeouts).build().unwrap();
            let closed = client.rate_limiter().snapshot().with_closed_for(wait);
            client.rate_limiter().restore(&closed);
            match client.upload_events(&batch()).await {
                Ok(receipt) => assert!(starts && receipt.elapsed() >= wait, "{wait:?}"),
                Err(error) => {
                    assert!(!starts, "{wait:?}: {error}");
                    assert_eq!((error.kind(), error.attempts()), (ErrorKind::RateLimited, 0));
                    assert_eq!(
                        (error.elapsed(), error.retry_after()),
                        (Duration::ZERO, Some(wait))
                    );
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_finds_no_place_in_flight_in_time_fails_as_a_timeout() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::hang());
    let timeouts = Timeouts::default().with_attempt(60 * SECOND).with_overall(10 * SECOND);
    let client = builder(&emulator).timeouts(timeouts).max_in_flight(1).build().unwrap();
    let first = spawn_upload(&client);
    emulator.wait_for_requests(1).await;
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Timeout, 0));
    assert_eq!(error.elapsed(), 9 * SECOND);
    assert!(error.is_retryable() && !error.may_have_been_sent());
    assert!(error.to_string().contains("waited 9.0 s while 1 other requests"), "{error}");
    assert!(error.into_request().is_some());
    assert_eq!(first.await.unwrap().unwrap_err().attempts(), 1);
    assert_eq!(emulator.requests().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_ends_at_its_own_timeout_and_is_retried() {
    for emulator in everywhere(&Answer::normal()).await {
        emulator.script([Answer::hang()]);
        let client = builder(&emulator).build().unwrap();
        let receipt = client.upload_events(&batch()).await.unwrap();
        assert_eq!(receipt.attempts(), 2);
        let gap = gaps(&emulator)[0];
        assert!((15 * SECOND..=15 * SECOND + SECOND / 4).contains(&gap), "{gap:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_costs_a_hundred_retries_for_all_clones_together() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::status(503));
    let client = builder(&emulator).build().unwrap();
    let uploads: Vec<_> = (0..300).map(|_| spawn_upload(&client)).collect();
    let mut out_of_budget = 0;
    for upload in uploads {
        let error = upload.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RetriesExhausted);
        assert_eq!(last_failure(&error).kind(), ErrorKind::Server);
        out_of_budget += u32::from(error.to_string().contains("retry budget"));
    }
    // Three hundred first attempts, a hundred retries, and one more for each of the few seconds that it took.
    let requests = emulator.requests().len();
    assert!((400..410).contains(&requests), "{requests}");
    assert!(out_of_budget > 200, "{out_of_budget}");
    // A second restores one retry, and a success a tenth of one.
    advance(3 * SECOND).await;
    let before = emulator.requests().len();
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert!((4..=5).contains(&error.attempts()), "{}", error.attempts());
    emulator.always(Answer::normal());
    for _ in 0..20 {
        client.upload_events(&batch()).await.unwrap();
    }
    emulator.always(Answer::status(503));
    let error = client.upload_events(&batch()).await.unwrap_err();
    assert!((3..=5).contains(&error.attempts()), "{}", error.attempts());
    assert!(emulator.requests().len() > before);
}

#[tokio::test(start_paused = true)]
async fn redirects_are_never_followed() {
    let elsewhere = Emulator::start().await.unwrap();
    for status in [301, 302, 303, 307, 308] {
        let emulator = Emulator::start().await.unwrap();
        let answer = Answer::status(status).header("location", elsewhere.base_url());
        emulator.always(answer);
        let client = builder(&emulator).build().unwrap();
        let error = client.upload_events(&batch()).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Rejected, 1));
        assert!(error.to_string().contains("redirect"), "{error}");
        assert_eq!(error.headers().unwrap()["location"], elsewhere.base_url());
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test(start_paused = true)]
async fn each_method_has_its_path() {
    let emulator = Emulator::start().await.unwrap();
    let client = builder(&emulator).build().unwrap();
    client.upload_events(&batch()).await.unwrap();
    client.bulk_upload_events(&[batch()]).await.unwrap();
    client.bulk_upload_historical_events(&[batch()]).await.unwrap();
    let paths: Vec<_> = emulator.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/v2/events", "/v2/bulkevents", "/v2/bulkevents/historical"]);
    assert!(emulator.unprocessed().is_empty());
}
