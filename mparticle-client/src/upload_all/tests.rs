//! Uploads to a simulated server: order, bounds, failures, and one outcome for every batch.

use super::{Options, Stopped, UploadReport, run};
use crate::dispatch::SendOnce;
use crate::encoding::Encoder;
use crate::error::{Answer, AttemptStats};
use crate::models::{Batch, CustomEvent, CustomEventType, Environment, Event, UnixMillis};
use crate::send::{Expiry, status_error};
use crate::{
    BatchResult, EncodedRequest, Endpoint, Error, ErrorKind, Receipt, RetryPolicy, Validation,
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, StatusCode};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// A user attribute that makes the server refuse a batch.
const BAD: &str = "bad";

/// The percentages of requests that fail, in addition to those that contain bad batches.
#[derive(Clone, Copy, Debug, Default)]
struct FailureRates {
    unauthorized: u32,
    unavailable: u32,
    rate_limited: u32,
}

#[derive(Default)]
struct Seen {
    requests: usize,
    users_in_flight: BTreeSet<i64>,
    most_in_flight: usize,
    in_flight: usize,
    accepted: Vec<Batch>,
    bodies: Vec<Bytes>,
    violations: Vec<String>,
}

struct Server {
    failure_rates: FailureRates,
    rng: Mutex<fastrand::Rng>,
    seen: Mutex<Seen>,
}

impl Server {
    fn new(failure_rates: FailureRates, seed: u64) -> Arc<Self> {
        let rng = Mutex::new(fastrand::Rng::with_seed(seed));
        Arc::new(Self { failure_rates, rng, seen: Mutex::default() })
    }

    fn reliable() -> Arc<Self> {
        Self::new(FailureRates::default(), 0)
    }

    fn enter(&self, users: &BTreeSet<i64>, request: &EncodedRequest) {
        let mut seen = self.seen.lock().unwrap();
        seen.requests += 1;
        seen.in_flight += 1;
        seen.most_in_flight = seen.most_in_flight.max(seen.in_flight);
        if !seen.users_in_flight.is_disjoint(users) {
            seen.violations.push("a user is in flight twice".into());
        }
        if request.body().len() > 256_000 || request.source_request_ids().len() > 100 {
            seen.violations.push("a request is too large".into());
        }
        seen.users_in_flight.extend(users);
        seen.bodies.push(request.body().clone());
    }

    fn leave(&self, users: &BTreeSet<i64>) {
        let mut seen = self.seen.lock().unwrap();
        seen.in_flight -= 1;
        seen.users_in_flight.retain(|user| !users.contains(user));
    }

    fn answer(&self, batches: &[Batch]) -> Option<u16> {
        let die = self.rng.lock().unwrap().u32(0..100);
        let FailureRates { unauthorized, unavailable, rate_limited } = self.failure_rates;
        if die < unauthorized {
            return Some(401);
        }
        if die < unauthorized + unavailable {
            return Some(503);
        }
        if die < unauthorized + unavailable + rate_limited {
            return Some(429);
        }
        batches.iter().any(|batch| batch.user_attributes.contains_key(BAD)).then_some(400)
    }
}

impl SendOnce for Arc<Server> {
    async fn send_once(self, request: EncodedRequest, _: Option<Expiry>) -> Result<Receipt, Error> {
        let batches = crate::models::from_slice::<Vec<Batch>>(request.body()).unwrap();
        let ids: Vec<_> =
            batches.iter().filter_map(|batch| batch.source_request_id.clone()).collect();
        assert_eq!(ids, request.source_request_ids());
        let users = batches.iter().filter_map(|batch| batch.mpid).collect();
        self.enter(&users, &request);
        let delay = self.rng.lock().unwrap().u64(0..50);
        sleep(Duration::from_millis(delay)).await;
        self.leave(&users);
        match self.answer(&batches) {
            None => {
                self.seen.lock().unwrap().accepted.extend(batches);
                Ok(receipt(&request))
            }
            Some(status) => Err(failure(status, request)),
        }
    }
}

fn receipt(request: &EncodedRequest) -> Receipt {
    Receipt {
        status: Some(StatusCode::ACCEPTED),
        attempts: 1,
        elapsed: Duration::ZERO,
        source_request_ids: request.shared_ids(),
        rate_limit_used: None,
        headers: HeaderMap::new(),
    }
}

fn failure(status: u16, request: EncodedRequest) -> Error {
    let status = StatusCode::from_u16(status).unwrap();
    let answer = Answer { status, headers: HeaderMap::new(), body: Bytes::new() };
    let attempt = AttemptStats {
        attempts: 1,
        elapsed: Duration::ZERO,
        may_have_been_sent: status.is_server_error(),
    };
    status_error(answer, None).with_stats(attempt).with_request(request)
}

/// A server whose responses are a function of the number of the request, from zero, and of the time since the start.
struct Scripted<F> {
    script: F,
    requests: AtomicUsize,
    start: Instant,
}

impl<F: Fn(usize, Duration) -> Option<u16> + Send + Sync + 'static> SendOnce for Arc<Scripted<F>> {
    async fn send_once(self, request: EncodedRequest, _: Option<Expiry>) -> Result<Receipt, Error> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        let status = (self.script)(number, self.start.elapsed());
        sleep(Duration::from_millis(10)).await;
        match status {
            None => Ok(receipt(&request)),
            Some(0) => Err(Error::new(ErrorKind::Closed, "closed")),
            Some(status) => Err(failure(status, request)),
        }
    }
}

fn scripted<F>(script: F) -> Arc<Scripted<F>>
where
    F: Fn(usize, Duration) -> Option<u16> + Send + Sync + 'static,
{
    Arc::new(Scripted { script, requests: AtomicUsize::new(0), start: Instant::now() })
}

/// A server that accepts everything after a time.
fn scripted_slow(latency: Duration) -> Arc<Slow> {
    Arc::new(Slow(latency))
}

struct Slow(Duration);

impl SendOnce for Arc<Slow> {
    async fn send_once(self, request: EncodedRequest, _: Option<Expiry>) -> Result<Receipt, Error> {
        sleep(self.0).await;
        Ok(receipt(&request))
    }
}

fn encoder() -> Encoder {
    Encoder { validation: Validation::Off, ..Encoder::default() }
}

fn event(name: impl Into<String>) -> CustomEvent {
    CustomEvent::new(name, CustomEventType::Other)
}

fn batch(number: usize) -> Batch {
    Batch::new(Environment::Development)
        .with_source_request_id(number.to_string())
        .with_event(event(number.to_string()))
}

async fn upload<S: SendOnce>(
    server: &S,
    batches: impl IntoIterator<Item = Batch, IntoIter: Send>,
    options: Options<'_>,
) -> UploadReport {
    upload_stream(server, stream::iter(batches), options).await
}

async fn upload_stream<S: SendOnce>(
    server: &S,
    source: impl futures_core::Stream<Item = Batch> + Send,
    options: Options<'_>,
) -> UploadReport {
    let retry = RetryPolicy::default().with_jitter_seed(7);
    let source = Box::pin(source.map(Box::new));
    run::run(server.clone(), Arc::new(encoder()), source, retry, options).await
}

fn concurrency<'a>(concurrency: usize) -> Options<'a> {
    Options { concurrency, ..Options::default() }
}

fn failed_ids(report: &UploadReport) -> Vec<&str> {
    report.failed().iter().map(super::FailedBatch::source_request_id).collect()
}

#[tokio::test(start_paused = true)]
async fn no_batches_make_no_request() {
    let server = Server::reliable();
    let report = upload(&server, [], Options::default()).await;
    assert_eq!((report.given(), report.delivered(), report.requests()), (0, 0, 0));
    assert!(report.is_complete());
    assert_eq!(server.seen.lock().unwrap().requests, 0);
}

#[tokio::test(start_paused = true)]
async fn batches_are_sent_in_order_in_requests_of_a_hundred() {
    let server = Server::reliable();
    let report = upload(&server, (0..250).map(batch), concurrency(0)).await;
    assert_eq!((report.given(), report.delivered(), report.requests()), (250, 250, 3));
    assert!(report.is_complete());
    let seen = server.seen.lock().unwrap();
    assert_eq!(seen.most_in_flight, 1);
    let ids: Vec<_> =
        seen.accepted.iter().filter_map(|batch| batch.source_request_id.clone()).collect();
    assert_eq!(ids, (0..250).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn requests_run_concurrently_unless_they_share_a_user() {
    for (one_user, most, requests) in [(false, 3, 10), (true, 1, 10)] {
        let server = Server::reliable();
        let batches = (0..1000).map(|number| {
            let mut batch = batch(number);
            batch.mpid = one_user.then_some(1);
            batch
        });
        let report = upload(&server, batches, concurrency(3)).await;
        assert_eq!((report.delivered(), report.requests()), (1000, requests));
        assert_eq!(server.seen.lock().unwrap().most_in_flight, most);
    }
}

#[tokio::test(start_paused = true)]
async fn the_batches_of_a_busy_user_are_packed_together_and_delay_no_other_user() {
    let mut times = Vec::new();
    for one_user in [false, true] {
        let server = scripted_slow(Duration::from_millis(100));
        let batches = (0..20_000).map(|number| {
            let mut batch = batch(number);
            let busy = one_user && number % 40 == 7;
            batch.mpid = Some(if busy { -1 } else { i64::try_from(number).unwrap() });
            batch
        });
        let report = upload(&server, batches, concurrency(4)).await;
        assert_eq!(report.delivered(), 20_000);
        times.push(report.elapsed().as_secs_f64());
    }
    println!("unique users {:.1} s, 2.5 % of one user {:.1} s", times[0], times[1]);
    assert!(times[1] <= 1.5 * times[0], "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_bad_batch_is_found_and_the_others_are_delivered_with_the_same_bytes() {
    let server = Server::reliable();
    let bad = [3, 4, 99, 100];
    let batches = (0..150).map(|number| {
        if bad.contains(&number) {
            batch(number).with_user_attribute(BAD, true)
        } else {
            batch(number)
        }
    });
    let report = upload(&server, batches, Options::default()).await;
    assert_eq!((report.given(), report.delivered()), (150, 146));
    assert_eq!(
        failed_ids(&report).iter().collect::<BTreeSet<_>>(),
        ["100", "3", "4", "99"].iter().collect()
    );
    assert!(
        report
            .failed()
            .iter()
            .all(|failed| failed.error().status() == Some(StatusCode::BAD_REQUEST))
    );
    assert!(report.failed().iter().all(|failed| failed.error().source_request_ids().len() == 1));
    let seen = server.seen.lock().unwrap();
    assert_eq!(report.requests(), seen.requests);
    let encoded = encoder().encode(&batch(77), std::time::SystemTime::UNIX_EPOCH).unwrap().bytes;
    let holds = |body: &&Bytes| body.windows(encoded.len()).any(|window| window == encoded);
    assert!(seen.bodies.iter().filter(holds).count() > 1, "it was sent again, byte for byte");
    assert_eq!(report.stopped(), None);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_too_large_for_the_server_is_halved() {
    let server = scripted(|number, _| (number == 0).then_some(413));
    let report = upload(&server, (0..10).map(batch), Options::default()).await;
    assert_eq!((report.delivered(), report.requests()), (10, 3));
}

#[tokio::test(start_paused = true)]
async fn a_status_that_no_batch_causes_stops_at_once_and_all_batches_are_returned_in_order() {
    for status in [301, 404, 405, 407, 421, 451, 501] {
        let server = scripted(move |number, _| (number > 2).then_some(status));
        let report = upload(&server, (0..10_000).map(batch), concurrency(2)).await;
        assert_eq!(report.stopped(), Some(Stopped::Refused), "{status}");
        assert_eq!(report.stop_error().unwrap().status().unwrap(), status);
        assert_eq!((report.delivered(), report.requests()), (300, 5), "{status}");
        let positions: Vec<_> = report.failed().iter().map(super::FailedBatch::position).collect();
        assert_eq!(positions, (300..report.given()).collect::<Vec<_>>());
        assert!(report.given() < 1_000);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_batches_in_a_row_that_are_refused_alone_stop_the_upload() {
    let server = scripted(|_, _| Some(400));
    let report = upload(&server, (0..10_000).map(batch), concurrency(1)).await;
    assert_eq!(report.stopped(), Some(Stopped::Refused));
    assert_eq!((report.delivered(), report.failed().len()), (0, report.given()));
    let refused = report.failed().iter().filter(|failed| failed.error().attempts() > 0).count();
    assert_eq!(refused, 100);
    // Some batches in between are accepted.
    let server = scripted(|number, _| (number % 150 != 149).then_some(400));
    let report = upload(&server, (0..1_000).map(batch), concurrency(1)).await;
    assert_eq!((report.given(), report.stopped()), (1_000, None));
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_cannot_be_encoded_fails_alone() {
    let nan = event("n").with_custom_attribute("n", f64::NAN);
    let huge = event("h").with_custom_attribute("h", "x".repeat(130_000));
    let batches = vec![batch(0), batch(1).with_event(nan), batch(2).with_event(huge), batch(3)];
    let server = Server::reliable();
    let report = upload(&server, batches.clone(), Options::default()).await;
    assert_eq!((report.given(), report.delivered(), report.requests()), (4, 2, 1));
    assert_eq!(failed_ids(&report), ["1", "2"]);
    let errors: Vec<_> = report.failed().iter().map(super::FailedBatch::error).collect();
    assert_eq!(errors[0].kind(), ErrorKind::Invalid);
    assert_eq!((errors[1].kind(), errors[1].pointer()), (ErrorKind::TooLarge, Some("/events/1")));
    let back: Vec<_> =
        report.into_failed().into_iter().map(super::FailedBatch::into_batches).collect();
    assert_eq!(back[1], [batches[2].clone()]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_batch_without_an_id_is_returned_with_the_id_that_was_sent() {
    let server = scripted(|_, _| Some(503));
    let batches = [Batch::new(Environment::Development).with_mpid(7)];
    let report = upload(&server, batches, Options::default()).await;
    let failed = report.into_failed().pop().unwrap();
    let sent = [failed.source_request_id().to_owned()];
    assert!(!format!("{failed:?}").contains("mpid"));
    let back = failed.into_batches();
    assert_eq!(back[0].source_request_id.as_ref(), sent.first());
    assert_eq!((back.len(), back[0].mpid), (1, Some(7)));
}

fn divisible() -> Batch {
    let part =
        |number: usize| event(number.to_string()).with_custom_attribute("p", "x".repeat(100_000));
    Batch::new(Environment::Development)
        .with_source_request_id("d")
        .with_mpid(1)
        .with_events((0..4).map(part))
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_was_split_has_one_outcome() {
    let server = Server::reliable();
    let mut outcomes = Vec::new();
    let on_outcome = |result: &BatchResult| outcomes.push(result.is_delivered());
    let options = Options { on_outcome: Some(Box::new(on_outcome)), ..Options::default() };
    let report = upload(&server, vec![batch(0), divisible(), batch(1)], options).await;
    assert_eq!((report.given(), report.delivered()), (3, 3));
    assert_eq!(outcomes, [true; 3]);
    let seen = server.seen.lock().unwrap();
    let ids: Vec<_> =
        seen.accepted.iter().filter_map(|batch| batch.source_request_id.as_deref()).collect();
    let parts: Vec<_> = ids.into_iter().filter(|id| id.starts_with('d')).collect();
    assert_eq!(parts, ["d/1of4", "d/2of4", "d/3of4", "d/4of4"]);
}

#[tokio::test(start_paused = true)]
async fn the_undelivered_parts_of_a_split_batch_are_returned() {
    let server = scripted(|number, _| (number % 2 == 1).then_some(404));
    let report = upload(&server, [divisible()], Options::default()).await;
    assert_eq!((report.given(), report.delivered(), report.failed().len()), (1, 0, 1));
    let requests = report.requests();
    let failed = report.into_failed().pop().unwrap();
    assert_eq!(failed.source_request_id(), "d");
    let back = failed.into_batches();
    let ids: Vec<_> = back.iter().filter_map(|batch| batch.source_request_id.as_deref()).collect();
    assert_eq!(requests, 2, "two parts fit into a request");
    assert_eq!(ids, ["d/3of4", "d/4of4"]);
    assert_eq!(back[1].events, divisible().events[3..]);
    assert_eq!(back[1].mpid, Some(1));
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_stop_everything() {
    let pulled = AtomicUsize::new(0);
    let batches = (0..10_000).map(|number| {
        pulled.fetch_add(1, Ordering::Relaxed);
        batch(number)
    });
    let server = scripted(|number, _| (number == 1).then_some(401));
    let report = upload(&server, batches, concurrency(2)).await;
    assert_eq!(report.stopped(), Some(Stopped::Unauthorized));
    assert!(!report.is_complete());
    assert_eq!(report.given(), pulled.load(Ordering::Relaxed));
    assert!(report.given() < 1_000, "{}", report.given());
    assert_eq!(report.given(), report.delivered() + report.failed().len());
    assert!(report.delivered() >= 100, "what was in flight ended as usual");
    assert!(report.failed().iter().all(|failed| failed.error().kind() == ErrorKind::Unauthorized));
    assert!(
        report
            .failed()
            .iter()
            .all(|failed| failed.error().status() == Some(StatusCode::UNAUTHORIZED))
    );
    let never_sent = report.failed().last().unwrap().error();
    assert!(never_sent.request().is_none(), "the request of another batch is not its own");
    assert_eq!(never_sent.attempts(), 0);
}

#[tokio::test(start_paused = true)]
async fn credentials_that_are_refused_during_halving_stop_the_other_half() {
    let server = scripted(|number, _| Some(if number == 0 { 400 } else { 401 }));
    let report = upload(&server, (0..10).map(batch), Options::default()).await;
    assert_eq!((report.requests(), report.failed().len()), (2, 10));
    assert_eq!(failed_ids(&report), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
}

#[tokio::test(start_paused = true)]
async fn a_closed_client_stops_everything() {
    let server = scripted(|_, _| Some(0));
    let report = upload(&server, (0..10_000).map(batch), Options::default()).await;
    assert_eq!(report.stopped(), Some(Stopped::Closed));
    assert_eq!(report.given(), report.failed().len());
    assert!(report.given() < 1_500);
}

#[tokio::test(start_paused = true)]
async fn after_enough_failures_no_batch_is_pulled_and_the_pulled_ones_are_sent() {
    let server = Server::reliable();
    let batches = (0..10_000).map(|number| {
        let batch = batch(number);
        if number < 5 { batch.with_user_attribute(BAD, true) } else { batch }
    });
    let options = Options { stop_after_failures: Some(5), ..concurrency(1) };
    let report = upload(&server, batches, options).await;
    assert_eq!(report.stopped(), Some(Stopped::TooManyFailures));
    assert_eq!(report.failed().len(), 5);
    assert_eq!(report.given(), report.delivered() + 5);
    assert!(report.given() < 1_000);
}

#[tokio::test(start_paused = true)]
async fn during_an_outage_nothing_is_pulled_and_one_request_at_a_time_is_tried() {
    let pulled = Arc::new(AtomicUsize::new(0));
    let [minute, second] = [60, 1].map(Duration::from_secs);
    let down = move |at: Duration| at >= second && at < second + 5 * minute;
    let server = scripted(move |_, at| down(at).then_some(503));
    let count = Arc::clone(&pulled);
    let batches = (0..100_000).map(|number| {
        count.fetch_add(1, Ordering::Relaxed);
        batch(number)
    });
    let (requests, watched) = (Arc::clone(&server), Arc::clone(&pulled));
    let watch = tokio::spawn(async move {
        sleep(2 * second).await;
        let before = (watched.load(Ordering::Relaxed), requests.requests.load(Ordering::Relaxed));
        sleep(4 * minute).await;
        (before, watched.load(Ordering::Relaxed), requests.requests.load(Ordering::Relaxed))
    });
    // The server accepts 400 batches in 10 ms. The outage therefore begins in the middle.
    let report = upload(&server, batches, Options::default()).await;
    assert_eq!((report.delivered(), report.failed().len()), (100_000, 0));
    let ((pulled, requests), pulled_later, requests_later) = watch.await.unwrap();
    assert!(pulled < 100_000, "the outage came too late");
    assert_eq!(pulled_later, pulled);
    let tries = requests_later - requests;
    assert!((8..60).contains(&tries), "{tries} tries in 4 minutes, 30 s apart at most");
    let elapsed = report.elapsed();
    assert!(elapsed < 6 * minute, "{elapsed:?}");
}

#[tokio::test(start_paused = true)]
async fn if_nothing_is_accepted_for_max_wait_the_pulled_batches_are_returned_in_order() {
    let minute = Duration::from_secs(60);
    for (status, kind) in [(503, ErrorKind::Server), (429, ErrorKind::RateLimited)] {
        let second = Duration::from_secs(1);
        let server = scripted(move |_, at| (at > second).then_some(status));
        let options = Options { max_wait: 3 * minute, ..Options::default() };
        let report = upload(&server, (0..1_000_000).map(batch), options).await;
        assert_eq!(report.stopped(), Some(Stopped::NothingAccepted));
        assert_eq!(report.stop_error().unwrap().kind(), kind);
        assert!(report.elapsed() >= 3 * minute && report.elapsed() <= 3 * minute + 2 * second);
        assert!(report.failed().len() <= 1_600, "{}", report.failed().len());
        assert!(report.failed().iter().all(|failed| failed.error().kind() == kind));
        let positions: Vec<_> = report.failed().iter().map(super::FailedBatch::position).collect();
        assert_eq!(positions.last(), Some(&(report.given() - 1)));
        assert!(positions.is_sorted());
        assert_eq!(report.given(), report.delivered() + positions.len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_fails_while_others_are_accepted_ends_after_five_attempts() {
    struct Poisoned(Mutex<u32>);
    impl SendOnce for Arc<Poisoned> {
        async fn send_once(
            self,
            request: EncodedRequest,
            _: Option<Expiry>,
        ) -> Result<Receipt, Error> {
            sleep(Duration::from_millis(10)).await;
            if request.source_request_ids().iter().any(|id| id == "150") {
                *self.0.lock().unwrap() += 1;
                return Err(failure(500, request));
            }
            Ok(receipt(&request))
        }
    }
    for requests in [1, 4] {
        let server = Arc::new(Poisoned(Mutex::default()));
        let source = stream::iter(0..20_000).then(|number| async move {
            sleep(Duration::from_micros(500)).await;
            batch(number)
        });
        let report = upload_stream(&server, source, concurrency(requests)).await;
        assert_eq!((report.given(), report.stopped()), (20_000, None));
        // An attempt while nothing else was sent does not count.
        let attempts = *server.0.lock().unwrap();
        assert!((5..8).contains(&attempts), "{attempts} attempts, {requests} in flight");
        let failed = report.failed();
        assert!(failed.len() <= 100 && failed.iter().any(|failed| failed.position() == 150));
        assert_eq!(failed[0].error().kind(), ErrorKind::RetriesExhausted);
        assert_eq!(failed[0].error().attempts(), attempts);
        assert!(failed[0].error().may_have_been_sent());
    }
}

#[tokio::test(start_paused = true)]
async fn batches_of_a_slow_source_do_not_wait_for_long() {
    let server = Server::reliable();
    let started = Instant::now();
    let source = stream::iter(0..3).then(|number| async move {
        sleep(Duration::from_secs(10)).await;
        batch(number)
    });
    let times = Mutex::new(Vec::new());
    let on_outcome = |_: &BatchResult| times.lock().unwrap().push(started.elapsed().as_secs());
    let options = Options { on_outcome: Some(Box::new(on_outcome)), ..Options::default() };
    let report = upload_stream(&server, source, options).await;
    assert_eq!((report.delivered(), report.requests()), (3, 3));
    assert_eq!(*times.lock().unwrap(), [10, 20, 30]);
}

#[tokio::test(start_paused = true)]
async fn batches_that_come_in_quick_succession_are_packed_together() {
    let server = Server::reliable();
    let source = stream::iter(0..50).then(|number| async move {
        sleep(Duration::from_millis(1)).await;
        batch(number)
    });
    let report = upload_stream(&server, source, Options::default()).await;
    assert_eq!((report.delivered(), report.requests()), (50, 1));
}

#[tokio::test(start_paused = true)]
async fn historical_data_are_checked_and_sent_to_their_own_endpoint() {
    struct Endpoints(Mutex<Vec<Endpoint>>);
    impl SendOnce for Arc<Endpoints> {
        async fn send_once(
            self,
            request: EncodedRequest,
            _: Option<Expiry>,
        ) -> Result<Receipt, Error> {
            self.0.lock().unwrap().push(request.endpoint());
            Ok(receipt(&request))
        }
    }
    let server = Arc::new(Endpoints(Mutex::default()));
    let old = event("old").with_timestamp_unixtime_ms(UnixMillis::from_secs(1_600_000_000));
    let options = Options { endpoint: Endpoint::HistoricalBulkEvents, ..Options::default() };
    let report = upload(&server, vec![batch(0), batch(1).with_events([old])], options).await;
    assert_eq!((report.delivered(), failed_ids(&report)), (1, vec!["0"]));
    assert_eq!(report.failed()[0].error().kind(), ErrorKind::Invalid);
    assert_eq!(*server.0.lock().unwrap(), [Endpoint::HistoricalBulkEvents]);
}

#[tokio::test(start_paused = true)]
async fn batches_are_pulled_no_faster_than_they_are_sent() {
    let pulled = AtomicUsize::new(0);
    let outcomes = AtomicUsize::new(0);
    let most = AtomicUsize::new(0);
    let batches = (0..20_000).map(|number| {
        let open = pulled.fetch_add(1, Ordering::Relaxed) - outcomes.load(Ordering::Relaxed);
        most.fetch_max(open, Ordering::Relaxed);
        batch(number).with_mpid(i64::try_from(number % 777).unwrap())
    });
    let server = Server::reliable();
    let on_outcome = |result: &BatchResult| {
        assert!(result.is_delivered());
        outcomes.fetch_add(1, Ordering::Relaxed);
    };
    let options = Options { on_outcome: Some(Box::new(on_outcome)), ..concurrency(2) };
    assert_eq!(upload(&server, batches, options).await.delivered(), 20_000);
    let most = most.load(Ordering::Relaxed);
    assert!(most <= 600, "two requests in flight, and twice as many batches waiting: {most}");
}

#[tokio::test(start_paused = true)]
async fn dropping_the_future_cancels_the_requests_and_pulls_no_more() {
    let server = Server::reliable();
    let pulled = AtomicUsize::new(0);
    let batches = (0..10_000).map(|number| {
        pulled.fetch_add(1, Ordering::Relaxed);
        batch(number)
    });
    let upload = upload(&server, batches, Options::default());
    assert!(tokio::time::timeout(Duration::ZERO, upload).await.is_err());
    let before = pulled.load(Ordering::Relaxed);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(pulled.load(Ordering::Relaxed), before);
    assert_eq!(server.seen.lock().unwrap().accepted.len(), 0);
    assert_eq!(Arc::strong_count(&server), 1);
}

#[derive(Clone, Debug)]
struct Plan {
    user: Option<i64>,
    /// The sizes of its events.
    events: Vec<usize>,
    bad: bool,
}

fn plan() -> impl Strategy<Value = Plan> {
    let small = prop::collection::vec(0_usize..2_000, 0..4);
    let large = prop::collection::vec(20_000_usize..120_000, 1..5);
    let events = prop_oneof![20 => small, 1 => large];
    (prop::option::of(0..8_i64), events, prop::bool::weighted(0.02))
        .prop_map(|(user, events, bad)| Plan { user, events, bad })
}

/// Events are named by batch and place: `17.2`.
fn planned((number, plan): (usize, &Plan)) -> Batch {
    let name = |place| format!("{number}.{place}");
    let events = plan.events.iter().enumerate();
    let event = |(place, size): (usize, &usize)| {
        event(name(place)).with_custom_attribute("p", "x".repeat(*size))
    };
    let mut batch = Batch::new(Environment::Development).with_events(events.map(event));
    batch.mpid = plan.user;
    batch.source_request_id = Some(number.to_string());
    if plan.bad {
        batch = batch.with_user_attribute(BAD, true);
    }
    batch
}

/// Returns the events of batches, and the ids of batches without events.
fn contents<'b>(batches: impl IntoIterator<Item = &'b Batch>) -> Vec<String> {
    let mut all = Vec::new();
    for batch in batches {
        let name = |event: &Event| match event {
            Event::CustomEvent(event) => event.event_name.clone(),
            _ => unreachable!("all are custom events"),
        };
        all.extend(batch.events.iter().map(name));
        if batch.events.is_empty() {
            all.push(format!("id {}", batch.source_request_id.as_deref().unwrap()));
        }
    }
    all
}

/// Returns the number of a batch or of the batch that a part belongs to.
fn number(batch: &Batch) -> usize {
    batch.source_request_id.as_deref().unwrap().split('/').next().unwrap().parse().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_batch_has_one_outcome_whatever_the_server_does(
        plans in prop::collection::vec(plan(), 0..300),
        concurrency in 1_usize..6,
        (unauthorized, unavailable, rate_limited) in (prop_oneof![3 => Just(0_u32), 1 => Just(5)], 0_u32..20, 0_u32..20),
        seed in any::<u64>(),
    ) {
        let failure_rates = FailureRates { unauthorized, unavailable, rate_limited };
        let server = Server::new(failure_rates, seed);
        let batches: Vec<Batch> = plans.iter().enumerate().map(planned).collect();
        let mut outcomes: BTreeMap<String, bool> = BTreeMap::new();
        let mut repeated = 0;
        let on_outcome = |result: &BatchResult| {
            let id = result.source_request_id().to_owned();
            repeated += usize::from(outcomes.insert(id, result.is_delivered()).is_some());
        };
        let options = Options { on_outcome: Some(Box::new(on_outcome)), concurrency, ..Options::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let report = runtime.unwrap().block_on(upload(&server, batches.clone(), options));

        let given = report.given();
        prop_assert_eq!(given, report.delivered() + report.failed().len());
        prop_assert_eq!(repeated, 0);
        prop_assert_eq!(outcomes.len(), given);
        prop_assert_eq!(outcomes.values().filter(|delivered| **delivered).count(), report.delivered());
        prop_assert!(report.stopped().is_some() || given == plans.len());

        let seen = server.seen.lock().unwrap();
        prop_assert_eq!(&seen.violations, &Vec::<String>::new());
        prop_assert!(seen.most_in_flight <= concurrency);
        prop_assert!(seen.requests >= report.requests());

        // The batches that arrived and those that were returned are all batches of the source.
        let back: Vec<Batch> = report.into_failed().into_iter().flat_map(super::FailedBatch::into_batches).collect();
        let mut found = contents(seen.accepted.iter().chain(&back));
        let mut expected = contents(&batches[..given]);
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);

        // The batches of each user arrived in order.
        let mut last: BTreeMap<i64, (usize, Option<String>)> = BTreeMap::new();
        for batch in &seen.accepted {
            if let Some(user) = batch.mpid {
                let next = (number(batch), contents([batch]).pop());
                let before = last.insert(user, next.clone());
                prop_assert!(before.is_none_or(|before| before < next));
            }
        }
    }
}
