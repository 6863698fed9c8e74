//! Uploads to a server that is made up: order, bounds, failures, and one outcome for every batch.

use super::{Deliver, Outcome, Stopped, UploadAll, UploadReport};
use crate::encoding::Encoder;
use crate::error::Answer;
use crate::models::{Batch, CustomEvent, CustomEventType, Environment, Event, UnixMillis};
use crate::{EncodedRequest, Endpoint, Error, ErrorKind, Receipt, Validation};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, StatusCode};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Attributes by which a batch tells the server what to do with it.
const BAD: &str = "bad";

/// What the server is to answer in percent of the requests, beside 400 for batches that are bad.
#[derive(Clone, Copy, Debug, Default)]
struct Mood {
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
    trouble: Vec<String>,
}

struct Server {
    mood: Mood,
    dice: Mutex<fastrand::Rng>,
    seen: Mutex<Seen>,
}

impl Server {
    fn new(mood: Mood, seed: u64) -> Arc<Self> {
        let dice = Mutex::new(fastrand::Rng::with_seed(seed));
        Arc::new(Self { mood, dice, seen: Mutex::default() })
    }

    fn calm() -> Arc<Self> {
        Self::new(Mood::default(), 0)
    }

    fn enter(&self, users: &BTreeSet<i64>, unsent: &EncodedRequest) {
        let mut seen = self.seen.lock().unwrap();
        seen.requests += 1;
        seen.in_flight += 1;
        seen.most_in_flight = seen.most_in_flight.max(seen.in_flight);
        if !seen.users_in_flight.is_disjoint(users) {
            seen.trouble.push("a user is in flight twice".into());
        }
        if unsent.body().len() > 256_000 || unsent.source_request_ids().len() > 100 {
            seen.trouble.push("a request is too large".into());
        }
        seen.users_in_flight.extend(users);
        seen.bodies.push(unsent.body().clone());
    }

    fn leave(&self, users: &BTreeSet<i64>) {
        let mut seen = self.seen.lock().unwrap();
        seen.in_flight -= 1;
        seen.users_in_flight.retain(|user| !users.contains(user));
    }

    fn answer(&self, batches: &[Batch]) -> Result<(), (ErrorKind, u16)> {
        let die = self.dice.lock().unwrap().u32(0..100);
        let Mood { unauthorized, unavailable, rate_limited } = self.mood;
        if die < unauthorized {
            return Err((ErrorKind::Unauthorized, 401));
        }
        if die < unauthorized + unavailable {
            return Err((ErrorKind::RetriesExhausted, 503));
        }
        if die < unauthorized + unavailable + rate_limited {
            return Err((ErrorKind::RateLimited, 429));
        }
        if batches.iter().any(|batch| batch.user_attributes.contains_key(BAD)) {
            return Err((ErrorKind::Rejected, 400));
        }
        Ok(())
    }
}

impl Deliver for Arc<Server> {
    async fn deliver(&self, unsent: EncodedRequest) -> Result<Receipt, Error> {
        let batches = crate::models::from_slice::<Vec<Batch>>(unsent.body()).unwrap();
        let ids: Vec<_> =
            batches.iter().filter_map(|batch| batch.source_request_id.clone()).collect();
        assert_eq!(ids, unsent.source_request_ids());
        let users = batches.iter().filter_map(|batch| batch.mpid).collect();
        self.enter(&users, &unsent);
        let delay = self.dice.lock().unwrap().u64(0..50);
        sleep(Duration::from_millis(delay)).await;
        self.leave(&users);
        match self.answer(&batches) {
            Ok(()) => {
                self.seen.lock().unwrap().accepted.extend(batches);
                Ok(receipt(&unsent))
            }
            Err((kind, status)) => Err(failure(kind, status, unsent)),
        }
    }
}

fn receipt(unsent: &EncodedRequest) -> Receipt {
    Receipt {
        status: Some(StatusCode::ACCEPTED),
        attempts: 1,
        elapsed: Duration::ZERO,
        source_request_ids: unsent.shared_ids(),
        rate_limit_used: None,
        headers: HeaderMap::new(),
    }
}

fn failure(kind: ErrorKind, status: u16, unsent: EncodedRequest) -> Error {
    let status = StatusCode::from_u16(status).unwrap();
    let answer = Answer { status, headers: HeaderMap::new(), body: Bytes::new() };
    let retry_after = (kind == ErrorKind::RateLimited).then_some(Duration::from_secs(100));
    let error = Error::new(kind, "it failed").with_answer(answer).with_request(unsent);
    error.with_retry_after(retry_after)
}

/// A server whose answers are a function of the number of the request, from zero.
struct Scripted<F>(F, AtomicUsize);

impl<F: Fn(usize) -> Option<(ErrorKind, u16)> + Send + Sync> Deliver for Arc<Scripted<F>> {
    async fn deliver(&self, unsent: EncodedRequest) -> Result<Receipt, Error> {
        let number = self.1.fetch_add(1, Ordering::Relaxed);
        sleep(Duration::from_millis(10)).await;
        match (self.0)(number) {
            None => Ok(receipt(&unsent)),
            Some((kind, status)) => Err(failure(kind, status, unsent)),
        }
    }
}

fn scripted<F>(script: F) -> Arc<Scripted<F>>
where
    F: Fn(usize) -> Option<(ErrorKind, u16)> + Send + Sync,
{
    Arc::new(Scripted(script, AtomicUsize::new(0)))
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

fn upload<'a, D: Deliver + Clone + 'a>(
    server: &D,
    batches: impl IntoIterator<Item = Batch, IntoIter: Send> + 'a,
) -> UploadAll<'a> {
    UploadAll::new(server.clone(), encoder(), stream::iter(batches))
}

fn failed_ids(report: &UploadReport) -> Vec<&str> {
    report.failed().iter().map(super::FailedBatch::source_request_id).collect()
}

#[tokio::test(start_paused = true)]
async fn no_batches_make_no_request() {
    let server = Server::calm();
    let report = upload(&server, []).await;
    assert_eq!((report.given(), report.delivered(), report.requests()), (0, 0, 0));
    assert!(report.is_complete());
    assert_eq!(server.seen.lock().unwrap().requests, 0);
}

#[tokio::test(start_paused = true)]
async fn batches_go_in_order_by_hundreds() {
    let server = Server::calm();
    let report = upload(&server, (0..250).map(batch)).concurrency(0).await;
    assert_eq!((report.given(), report.delivered(), report.requests()), (250, 250, 3));
    assert!(report.is_complete());
    let seen = server.seen.lock().unwrap();
    assert_eq!(seen.most_in_flight, 1);
    let ids: Vec<_> =
        seen.accepted.iter().filter_map(|batch| batch.source_request_id.clone()).collect();
    assert_eq!(ids, (0..250).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn unrelated_chunks_share_the_time_and_those_of_one_user_do_not() {
    for (one_user, most) in [(false, 3), (true, 1)] {
        let server = Server::calm();
        let batches = (0..1000).map(|number| {
            let mut batch = batch(number);
            batch.mpid = (one_user && number % 100 == 7).then_some(1);
            batch
        });
        let report = upload(&server, batches).concurrency(3).await;
        assert_eq!((report.delivered(), report.requests()), (1000, 10));
        assert_eq!(server.seen.lock().unwrap().most_in_flight, most);
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_batch_is_found_and_the_others_are_delivered_with_the_same_bytes() {
    let server = Server::calm();
    let bad = [3, 4, 99, 100];
    let batches = (0..150).map(|number| {
        if bad.contains(&number) {
            batch(number).with_user_attribute(BAD, true)
        } else {
            batch(number)
        }
    });
    let report = upload(&server, batches).await;
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
    let server = scripted(|number| (number == 0).then_some((ErrorKind::Rejected, 413)));
    let report = upload(&server, (0..10).map(batch)).await;
    assert_eq!((report.delivered(), report.requests()), (10, 3));
    let server = scripted(|_| Some((ErrorKind::Rejected, 404)));
    let report = upload(&server, (0..10).map(batch)).await;
    assert_eq!((report.failed().len(), report.requests()), (10, 1), "no batch is to blame");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_encoded_fails_alone() {
    let nan = event("n").with_custom_attribute("n", f64::NAN);
    let huge = event("h").with_custom_attribute("h", "x".repeat(130_000));
    let batches = [batch(0), batch(1).with_event(nan), batch(2).with_event(huge), batch(3)];
    let server = Server::calm();
    let report = upload(&server, batches.clone()).await;
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
async fn a_failed_batch_without_an_id_comes_back_with_the_one_that_was_sent() {
    let server = scripted(|_| Some((ErrorKind::RetriesExhausted, 503)));
    let report = upload(&server, [Batch::new(Environment::Development).with_mpid(7)]).await;
    let failed = report.into_failed().pop().unwrap();
    let sent = failed.error().source_request_ids().to_vec();
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
async fn a_batch_that_was_divided_has_one_outcome() {
    let server = Server::calm();
    let mut outcomes = Vec::new();
    let report = upload(&server, [batch(0), divisible(), batch(1)])
        .on_outcome(|outcome| outcomes.push(format!("{outcome:?}").starts_with("Delivered")))
        .await;
    assert_eq!((report.given(), report.delivered()), (3, 3));
    assert_eq!(outcomes, [true; 3]);
    let seen = server.seen.lock().unwrap();
    let ids: Vec<_> =
        seen.accepted.iter().filter_map(|batch| batch.source_request_id.as_deref()).collect();
    assert_eq!(ids, ["0", "d/1of4", "d/2of4", "d/3of4", "d/4of4", "1"]);
}

#[tokio::test(start_paused = true)]
async fn of_a_batch_that_was_divided_the_missing_parts_come_back() {
    let server = scripted(|number| (number % 2 == 1).then_some((ErrorKind::RetriesExhausted, 503)));
    let report = upload(&server, [divisible()]).await;
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
    let server = scripted(|number| (number == 1).then_some((ErrorKind::Unauthorized, 401)));
    let report = upload(&server, batches).concurrency(2).await;
    assert_eq!(report.stopped(), Some(Stopped::Unauthorized));
    assert!(!report.is_complete());
    assert_eq!(report.given(), pulled.load(Ordering::Relaxed));
    assert!(report.given() < 700, "{}", report.given());
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
async fn credentials_refused_amid_halving_stop_the_other_half() {
    let server = scripted(|number| match number {
        0 => Some((ErrorKind::Rejected, 400)),
        _ => Some((ErrorKind::Unauthorized, 401)),
    });
    let report = upload(&server, (0..10).map(batch)).await;
    assert_eq!((report.requests(), report.failed().len()), (2, 10));
    assert_eq!(failed_ids(&report), ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    let unsent = |failed: &super::FailedBatch| failed.error().request().is_some();
    assert!(report.failed()[..5].iter().all(unsent) && !report.failed()[5..].iter().any(unsent));
}

#[tokio::test(start_paused = true)]
async fn a_closed_client_stops_everything() {
    let server = scripted(|_| Some((ErrorKind::Closed, 500)));
    let report = upload(&server, (0..10_000).map(batch)).await;
    assert_eq!(report.stopped(), Some(Stopped::Closed));
    assert_eq!(report.given(), report.failed().len());
    assert!(report.given() < 1_000);
}

#[tokio::test(start_paused = true)]
async fn enough_failures_stop_the_pulling_and_what_was_pulled_is_sent() {
    let server = scripted(|number| (number == 0).then_some((ErrorKind::RetriesExhausted, 503)));
    let report =
        upload(&server, (0..10_000).map(batch)).concurrency(1).stop_after_failures(50).await;
    assert_eq!(report.stopped(), Some(Stopped::TooManyFailures));
    assert_eq!(report.failed().len(), 100);
    assert!(report.delivered() >= 100);
    assert_eq!(report.given(), report.delivered() + 100);
    assert!(report.given() < 1_000);
}

#[tokio::test(start_paused = true)]
async fn it_waits_as_long_as_mparticle_asks_and_no_longer_than_allowed() {
    // Each answer asks for 100 seconds.
    for (refusals, allowed, delivered, waited) in
        [(1, 100, true, 100), (6, 600, true, 600), (7, 600, false, 600), (1, 99, false, 0)]
    {
        let server =
            scripted(move |number| (number < refusals).then_some((ErrorKind::RateLimited, 429)));
        let started = Instant::now();
        let patience = Duration::from_secs(allowed);
        let report = upload(&server, [batch(0)]).max_rate_limit_wait(patience).await;
        assert_eq!(report.is_complete(), delivered);
        assert_eq!(report.requests(), 1);
        assert_eq!(started.elapsed().as_secs(), waited);
        assert_eq!(report.elapsed(), started.elapsed());
        if !delivered {
            assert_eq!(report.failed()[0].error().kind(), ErrorKind::RateLimited);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_trickles_holds_nothing_back_for_long() {
    let server = Server::calm();
    let started = Instant::now();
    let source = stream::iter(0..3).then(|number| async move {
        sleep(Duration::from_secs(10)).await;
        batch(number)
    });
    let times = Mutex::new(Vec::new());
    let report = UploadAll::new(Arc::clone(&server), encoder(), source)
        .on_outcome(|_| times.lock().unwrap().push(started.elapsed().as_secs()))
        .await;
    assert_eq!((report.delivered(), report.requests()), (3, 3));
    assert_eq!(*times.lock().unwrap(), [10, 20, 30]);
}

#[tokio::test(start_paused = true)]
async fn what_comes_in_quick_succession_is_packed_together() {
    let server = Server::calm();
    let source = stream::iter(0..50).then(|number| async move {
        sleep(Duration::from_millis(1)).await;
        batch(number)
    });
    let report = UploadAll::new(Arc::clone(&server), encoder(), source).await;
    assert_eq!((report.delivered(), report.requests()), (50, 1));
}

#[tokio::test(start_paused = true)]
async fn historical_data_are_checked_and_sent_to_their_own_endpoint() {
    struct Endpoints(Mutex<Vec<Endpoint>>);
    impl Deliver for Arc<Endpoints> {
        async fn deliver(&self, unsent: EncodedRequest) -> Result<Receipt, Error> {
            self.0.lock().unwrap().push(unsent.endpoint());
            Ok(receipt(&unsent))
        }
    }
    let server = Arc::new(Endpoints(Mutex::default()));
    let old = event("old").with_timestamp_unixtime_ms(UnixMillis::from_secs(1_600_000_000));
    let report = upload(&server, [batch(0), batch(1).with_events([old])]).historical().await;
    assert_eq!((report.delivered(), failed_ids(&report)), (1, vec!["0"]));
    assert_eq!(report.failed()[0].error().kind(), ErrorKind::Invalid);
    assert_eq!(*server.0.lock().unwrap(), [Endpoint::HistoricalBulkEvents]);
}

#[tokio::test(start_paused = true)]
async fn a_long_source_is_pulled_no_faster_than_it_is_sent() {
    let pulled = AtomicUsize::new(0);
    let outcomes = AtomicUsize::new(0);
    let most = AtomicUsize::new(0);
    let batches = (0..20_000).map(|number| {
        let open = pulled.fetch_add(1, Ordering::Relaxed) - outcomes.load(Ordering::Relaxed);
        most.fetch_max(open, Ordering::Relaxed);
        batch(number).with_mpid(i64::try_from(number % 777).unwrap())
    });
    let server = Server::calm();
    let upload = upload(&server, batches).concurrency(2).on_outcome(|outcome| {
        assert!(matches!(outcome, Outcome::Delivered { .. }));
        outcomes.fetch_add(1, Ordering::Relaxed);
    });
    assert_eq!(upload.await.delivered(), 20_000);
    let most = most.load(Ordering::Relaxed);
    assert!(most <= 500, "two requests, two chunks and one that fills: {most}");
}

#[tokio::test(start_paused = true)]
async fn dropping_it_cancels_the_requests_and_pulls_no_more() {
    let server = Server::calm();
    let pulled = AtomicUsize::new(0);
    let batches = (0..10_000).map(|number| {
        pulled.fetch_add(1, Ordering::Relaxed);
        batch(number)
    });
    let upload = tokio::time::timeout(Duration::ZERO, upload(&server, batches).into_future());
    assert!(upload.await.is_err());
    let before = pulled.load(Ordering::Relaxed);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(pulled.load(Ordering::Relaxed), before);
    assert_eq!(server.seen.lock().unwrap().accepted.len(), 0);
    assert_eq!(Arc::strong_count(&server), 1);
}

#[test]
fn its_future_can_be_spawned() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let upload = is_send(upload(&Server::calm(), [batch(0)]));
    assert!(format!("{upload:?}").contains("concurrency: 4"));
    drop(is_send(upload.into_future()));
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

/// What tells the contents of batches: the events, and the ids of those that have none.
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

/// The number of the batch, whether or not it is a part.
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
        let mood = Mood { unauthorized, unavailable, rate_limited };
        let server = Server::new(mood, seed);
        let batches: Vec<Batch> = plans.iter().enumerate().map(planned).collect();
        let mut outcomes: BTreeMap<String, bool> = BTreeMap::new();
        let mut repeated = 0;
        let upload = upload(&server, batches.clone()).concurrency(concurrency).on_outcome(|outcome| {
            let (id, delivered) = match outcome {
                Outcome::Delivered { source_request_id, .. } => (source_request_id, true),
                Outcome::Failed(failed) => (failed.source_request_id(), false),
            };
            repeated += usize::from(outcomes.insert(id.to_owned(), delivered).is_some());
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let report = runtime.unwrap().block_on(upload.into_future());

        let given = report.given();
        prop_assert_eq!(given, report.delivered() + report.failed().len());
        prop_assert_eq!(repeated, 0);
        prop_assert_eq!(outcomes.len(), given);
        prop_assert_eq!(outcomes.values().filter(|delivered| **delivered).count(), report.delivered());
        prop_assert!(report.stopped().is_some() || given == plans.len());

        let seen = server.seen.lock().unwrap();
        prop_assert_eq!(&seen.trouble, &Vec::<String>::new());
        prop_assert!(seen.most_in_flight <= concurrency);
        prop_assert!(seen.requests >= report.requests());

        // What arrived and what came back are what was given.
        let back: Vec<Batch> = report.into_failed().into_iter().flat_map(super::FailedBatch::into_batches).collect();
        let mut found = contents(seen.accepted.iter().chain(&back));
        let mut expected = contents(&batches[..given]);
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);

        // What arrived of a user arrived in order.
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
