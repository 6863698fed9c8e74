//! Uploads of any number of batches to an emulator: nothing is lost or counted twice, and the order of a user is kept.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod sample;

use futures_util::stream;
use mparticle_client::models::{
    Batch, CustomEvent, CustomEventType, Environment, UnixMillis, UserIdentities,
};
use mparticle_client::testing::{Answer, Emulator, RateLimit, ReceivedBatch};
use mparticle_client::{ErrorKind, FailedBatch, Stopped, Timeouts};
use sample::{batch, builder};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// Returns batch `number`, of its own user.
fn of_user(number: usize) -> Batch {
    let event = CustomEvent::new(format!("Event {number}"), CustomEventType::Other);
    Batch::new(Environment::Production)
        .with_source_request_id(format!("id-{number}"))
        .with_user_identities(UserIdentities::new().with_customer_id(format!("user-{number}")))
        .with_event(event)
}

/// Returns batch `number`, of one of `users` users.
fn of_one_of(users: usize, number: usize) -> Batch {
    of_user(number % users).with_source_request_id(format!("id-{number}"))
}

/// Returns a batch that mParticle refuses with 400, because it has no environment.
fn malformed(number: usize) -> Batch {
    let mut batch = of_user(number);
    batch.environment = None;
    batch
}

fn filled(bytes: usize) -> CustomEvent {
    CustomEvent::new("filler", CustomEventType::Other)
        .with_custom_attribute("fill", "x".repeat(bytes))
}

fn ids(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("id-{number}")).collect()
}

fn accepted_ids(emulator: &Emulator) -> Vec<String> {
    emulator.batches().into_iter().map(|batch| batch.id.unwrap()).collect()
}

/// Returns how many batches each request contains.
fn sizes(emulator: &Emulator) -> Vec<usize> {
    let count = |body: &[u8]| serde_json::from_slice::<Vec<serde_json::Value>>(body).unwrap().len();
    emulator.requests().iter().map(|request| count(&request.body)).collect()
}

#[tokio::test(start_paused = true)]
async fn batches_are_packed_in_order_into_as_few_requests_as_they_take() {
    let emulator = Emulator::start().await.unwrap();
    let client = builder(&emulator).build().unwrap();
    let report = client.upload_all((0..250).map(of_user)).concurrency(1).await;
    assert_eq!((report.given(), report.delivered(), report.requests()), (250, 250, 3));
    assert!(report.is_complete() && report.failed().is_empty() && report.stopped().is_none());
    assert_eq!(sizes(&emulator), [100, 100, 50]);
    assert_eq!(accepted_ids(&emulator), ids(0..250));
    assert!(emulator.requests().iter().all(|request| request.path == "/v2/bulkevents"));
    assert!(emulator.duplicates().is_empty());

    let nothing = client.upload_all(Vec::new()).await;
    assert!(nothing.is_complete());
    assert_eq!((nothing.given(), emulator.requests().len()), (0, 3));
}

#[tokio::test(start_paused = true)]
async fn no_request_is_larger_than_256_kb() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    let large = |number: usize| of_user(number).with_event(filled(10_000 + 997 * number));
    let report = client.upload_all((0..60).map(large)).await;
    assert!(report.is_complete());
    emulator.assert_exactly_once(ids(0..60));
    let requests = emulator.requests();
    assert!(requests.iter().all(|request| request.body.len() <= 256_000));
    // Each is as full as it can be: the space that is left is smaller than the next batch.
    let total: usize = requests.iter().map(|request| request.body.len()).sum();
    assert!(requests.len() <= total / (256_000 - 70_000) + 1, "{}", requests.len());
}

#[tokio::test(start_paused = true)]
async fn as_many_requests_are_in_flight_as_the_concurrency_allows() {
    for (concurrency, seconds) in [(0, 12), (1, 12), (4, 3), (6, 2), (100, 1)] {
        let emulator = Emulator::in_memory();
        emulator.always(Answer::normal().delayed(SECOND));
        let client = builder(&emulator).build().unwrap();
        let start = Instant::now();
        let report = client.upload_all((0..1200).map(of_user)).concurrency(concurrency).await;
        assert!(report.is_complete());
        assert_eq!(start.elapsed(), seconds * SECOND, "{concurrency}");
        assert_eq!(report.elapsed(), start.elapsed());
    }
}

/// Returns the numbers of the batches of each user, in the order in which they were accepted.
fn by_user(batches: &[ReceivedBatch]) -> BTreeMap<String, Vec<usize>> {
    let mut order = BTreeMap::<_, Vec<_>>::new();
    for batch in batches {
        let user = batch.json["user_identities"]["customer_id"].as_str().unwrap().to_owned();
        let number = batch.id.as_ref().unwrap().strip_prefix("id-").unwrap().parse().unwrap();
        order.entry(user).or_default().push(number);
    }
    order
}

#[tokio::test(start_paused = true)]
async fn batches_of_a_user_arrive_in_their_order_whatever_fails() {
    // A user has another batch after 3 or after 250 batches: in the same request, or in a later one.
    for users in [3, 250] {
        let emulator = Emulator::in_memory();
        let script = (0..40).map(|number| match number % 5 {
            0 => Answer::status(503),
            1 => Answer::normal().delayed(3 * SECOND),
            2 => Answer::close().after_processing(),
            3 => Answer::reset(),
            _ => Answer::normal(),
        });
        emulator.script(script);
        let client = builder(&emulator).build().unwrap();
        let batches = (0..1500).map(|number| of_one_of(users, number));
        let report = client.upload_all(batches).concurrency(8).await;
        assert!(report.is_complete(), "{report:?}");
        emulator.assert_exactly_once(ids(0..1500));
        let order = by_user(&emulator.batches());
        assert_eq!(order.len(), users);
        assert!(order.values().all(|numbers| numbers.is_sorted()), "{users}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_of_more_than_128_kb_is_divided_by_its_events() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    let events = (0..300).map(|number| {
        CustomEvent::new(format!("Event {number}"), CustomEventType::Other)
            .with_custom_attribute("fill", "x".repeat(1000))
    });
    let large = batch().with_source_request_id("large").with_events(events);
    let total = large.events.len();
    let mut told = Vec::new();
    let report = client
        .upload_all([of_user(1), large.clone(), of_user(2)])
        .on_outcome(|result| {
            if result.is_delivered() {
                told.push(result.source_request_id().to_owned());
            }
        })
        .await;
    assert!(report.is_complete());
    assert_eq!((report.given(), report.delivered()), (3, 3));
    told.sort();
    assert_eq!(told, ["id-1", "id-2", "large"]);
    emulator.assert_exactly_once(["id-1", "large/1of3", "large/2of3", "large/3of3", "id-2"]);
    let mut names = Vec::new();
    for part in emulator.batches() {
        if part.id.as_ref().unwrap().starts_with("large/") {
            assert!(part.raw.len() <= 128_000);
            assert_eq!(part.json["user_identities"]["customer_id"], "customer-4711");
            assert_eq!(part.json["user_attributes"]["shoe size"], "attr-of-user-4711");
            let events = part.json["events"].as_array().unwrap().clone();
            names.extend(events.into_iter().map(|event| event["data"]["event_name"].clone()));
        }
    }
    let given: Vec<_> = serde_json::to_value(&large).unwrap()["events"].as_array().unwrap().clone();
    let given: Vec<_> =
        given.into_iter().map(|event| event["data"]["event_name"].clone()).collect();
    assert_eq!((names.len(), names), (total, given));
}

#[tokio::test(start_paused = true)]
async fn the_parts_of_a_divided_batch_that_were_not_delivered_can_be_sent_later() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    let large = of_user(0).with_events((0..4).map(|_| filled(100_000)));
    // Each request contains two parts. The first is accepted without an answer, and nothing is accepted after that.
    emulator.script([Answer::close().after_processing()]);
    emulator.always(Answer::status(503));
    let report = client.upload_all([large]).concurrency(1).max_wait(20 * SECOND).await;
    assert_eq!((report.given(), report.delivered(), report.failed().len()), (1, 0, 1));
    assert_eq!(report.stopped(), Some(Stopped::NothingAccepted));
    emulator.always(Answer::normal());
    let failed = report.into_failed().remove(0);
    assert_eq!(failed.source_request_id(), "id-0");
    let left = failed.into_batches();
    let report = client.upload_all(left).await;
    assert!(report.is_complete());
    emulator.assert_exactly_once((1..=4).map(|part| format!("id-0/{part}of4")));
    assert_eq!(emulator.duplicates().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_bad_batch_is_found_and_all_others_are_delivered() {
    for bad in [vec![0], vec![99], vec![17, 18, 63], vec![150], (0..99).collect(), vec![]] {
        let emulator = Emulator::start().await.unwrap();
        let client = builder(&emulator).build().unwrap();
        let batch =
            |number| if bad.contains(&number) { malformed(number) } else { of_user(number) };
        let report = client.upload_all((0..200).map(batch)).concurrency(3).await;
        assert_eq!((report.given(), report.delivered()), (200, 200 - bad.len()));
        assert_eq!(report.stopped(), None);
        emulator.assert_exactly_once(ids((0..200).filter(|number| !bad.contains(number))));
        let mut failed = Vec::new();
        for batch in report.into_failed() {
            assert_eq!(batch.error().kind(), ErrorKind::Rejected);
            assert_eq!(batch.error().source_request_ids(), [batch.source_request_id()]);
            let again = batch.into_batches();
            assert_eq!((again.len(), again[0].environment.as_ref()), (1, None));
            failed.push(again[0].source_request_id.clone().unwrap());
        }
        failed.sort_by_key(|id| id[3..].parse::<usize>().unwrap());
        assert_eq!(failed, ids(bad));
        assert!(emulator.duplicates().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_hundred_batches_in_a_row_that_are_refused_alone_stop_the_upload() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    let batch = |number| if number < 300 { malformed(number) } else { of_user(number) };
    let report = client.upload_all((0..1000).map(batch)).concurrency(1).await;
    assert_eq!((report.stopped(), report.delivered()), (Some(Stopped::Refused), 0));
    assert_eq!(report.failed().len(), report.given());
    assert_eq!(report.stop_error().unwrap().status().unwrap().as_u16(), 400);
    let left: Vec<_> = report.failed().iter().map(FailedBatch::position).collect();
    assert!(left.is_sorted() && left.len() < 1000, "{}", left.len());
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_stop_the_upload_and_every_batch_that_was_pulled_is_returned() {
    for status in [401, 403] {
        let emulator = Emulator::in_memory();
        emulator.script([Answer::normal()]);
        emulator.always(Answer::status(status));
        let client = builder(&emulator).build().unwrap();
        let mut taken = 0;
        let source = (0..100_000).inspect(|_| taken += 1).map(of_user);
        let report = client.upload_all(source).concurrency(2).await;
        assert_eq!(report.stopped(), Some(Stopped::Unauthorized));
        assert!(!report.is_complete());
        assert_eq!(report.delivered(), 100);
        assert_eq!(report.delivered() + report.failed().len(), report.given());
        assert!(emulator.requests().len() <= 3, "{}", emulator.requests().len());
        let given = report.given();
        assert!(given < 1500, "{given}");
        let unauthorized = ErrorKind::Unauthorized;
        assert!(report.failed().iter().all(|failed| failed.error().kind() == unauthorized));
        let left: BTreeSet<_> = report
            .into_failed()
            .into_iter()
            .map(|failed| failed.source_request_id().to_owned())
            .collect();
        let accepted: BTreeSet<_> = accepted_ids(&emulator).into_iter().collect();
        assert_eq!(left.union(&accepted).cloned().collect::<BTreeSet<_>>(), {
            ids(0..given).into_iter().collect::<BTreeSet<_>>()
        });
        assert!(left.is_disjoint(&accepted));
        assert_eq!(taken, given, "every batch that was pulled is counted");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_waited_for() {
    let limit = RateLimit::per_second(50).burst(100);
    let emulator = Emulator::builder().rate_limit(limit).in_memory();
    let client = builder(&emulator).build().unwrap();
    let start = Instant::now();
    let report = client.upload_all((0..2000).map(of_user)).await;
    assert!(report.is_complete(), "{:?}", report.failed().first());
    emulator.assert_exactly_once(ids(0..2000));
    assert!(start.elapsed() >= 38 * SECOND, "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_waited_for_until_nothing_was_accepted_for_max_wait() {
    for (max_wait, delivered) in
        [(None, 300), (Some(200 * SECOND), 300), (Some(100 * SECOND), 0), (Some(SECOND), 0)]
    {
        let emulator = Emulator::in_memory();
        emulator.always(Answer::status(429).retry_after(150));
        let later = emulator.clone();
        tokio::spawn(async move {
            tokio::time::sleep(150 * SECOND).await;
            later.always(Answer::normal());
        });
        let client = builder(&emulator).build().unwrap();
        let upload = client.upload_all((0..300).map(of_user)).concurrency(3);
        let upload = match max_wait {
            Some(max_wait) => upload.max_wait(max_wait),
            None => upload,
        };
        let start = Instant::now();
        let report = upload.await;
        assert_eq!(report.delivered(), delivered, "{max_wait:?}");
        assert_eq!(report.failed().len(), 300 - delivered);
        if delivered > 0 {
            assert!(report.is_complete() && start.elapsed() >= 150 * SECOND);
            // The requests in flight together were refused, and after that one probe a minute.
            let refused = emulator.counts().rate_limited_requests;
            assert!((3..=5).contains(&refused), "{refused}");
        } else {
            assert_eq!(Some(start.elapsed()), max_wait);
            assert_eq!(report.stopped(), Some(Stopped::NothingAccepted));
            let limited = ErrorKind::RateLimited;
            assert!(report.failed().iter().all(|failed| failed.error().kind() == limited));
            assert_eq!(report.stop_error().unwrap().kind(), limited);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn old_events_go_to_their_endpoint_and_young_ones_are_not_sent() {
    let now = UnixMillis::from(SystemTime::now()).as_millis();
    let at = |number: usize| {
        let hours = if number % 10 == 0 { 71 } else { 73 };
        let time = UnixMillis::from_millis(now - hours * 3_600_000);
        let event = CustomEvent::new("Old", CustomEventType::Other);
        let mut batch = of_user(number);
        batch.events = vec![event.with_timestamp_unixtime_ms(time).into()];
        batch
    };
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    let report = client.upload_all((0..250).map(at)).historical().await;
    assert_eq!((report.given(), report.delivered(), report.failed().len()), (250, 225, 25));
    assert!(report.failed().iter().all(|failed| failed.error().kind() == ErrorKind::Invalid));
    emulator.assert_exactly_once(ids((0..250).filter(|number| number % 10 != 0)));
    assert!(emulator.unprocessed().is_empty());
    let path = "/v2/bulkevents/historical";
    assert!(emulator.requests().iter().all(|request| request.path == path));
}

#[tokio::test(start_paused = true)]
async fn after_an_outage_the_failed_batches_are_uploaded_and_counted_once() {
    let emulator = Emulator::start().await.unwrap();
    emulator.script([
        Answer::normal(),
        Answer::close().after_processing(),
        Answer::status(500).after_processing(),
        Answer::normal(),
    ]);
    emulator.always(Answer::status(503));
    let client = builder(&emulator).build().unwrap();
    let unnamed = |number: usize| {
        let mut batch = of_user(number);
        batch.source_request_id = None;
        batch
    };
    let mut given = BTreeSet::new();
    let mut outcomes = 0;
    let report = client
        .upload_all((0..3000).map(unnamed))
        .concurrency(2)
        .on_outcome(|result| {
            outcomes += 1;
            let id = result.source_request_id();
            assert!(given.insert(id.to_owned()), "{id} twice");
        })
        .await;
    let pulled = report.given();
    assert_eq!((outcomes, given.len()), (pulled, pulled));
    assert_eq!(report.delivered() + report.failed().len(), pulled);
    assert!((400..1500).contains(&pulled), "nothing is pulled during an outage: {pulled}");
    assert!(report.delivered() >= 100 && !report.failed().is_empty());
    assert_eq!(report.stopped(), Some(Stopped::NothingAccepted));
    // Ten minutes after the last acceptance.
    assert!(report.elapsed() >= 600 * SECOND && report.elapsed() < 660 * SECOND);
    let mut left: Vec<Batch> =
        report.into_failed().into_iter().flat_map(FailedBatch::into_batches).collect();
    left.extend((pulled..3000).map(unnamed));
    // Stores the batches, as for a later run of the program.
    for batch in &mut left {
        *batch = serde_json::from_str(&serde_json::to_string(batch).unwrap()).unwrap();
    }
    emulator.always(Answer::normal());
    let client = builder(&emulator).build().unwrap();
    let report = client
        .upload_all(left)
        .on_outcome(|result| {
            given.insert(result.source_request_id().to_owned());
        })
        .await;
    assert!(report.is_complete());
    assert_eq!(given.len(), 3000);
    emulator.assert_exactly_once(given);
    assert_eq!(emulator.batches().len(), 3000);
    assert!(!emulator.duplicates().is_empty(), "some had arrived before");
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_cannot_be_encoded_fails_alone() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    let batches = [
        of_user(0),
        of_user(1).with_event(filled(130_000)),
        of_user(2).with_user_attribute("weight", f64::NAN),
        of_user(3).with_user_attribute("long", "x".repeat(130_000)),
        of_user(4),
    ];
    let given: Vec<_> = batches.clone().into_iter().collect();
    let report = client.upload_all(batches).await;
    emulator.assert_exactly_once(ids([0, 4]));
    let kinds: Vec<_> = report
        .failed()
        .iter()
        .map(|failed| (failed.source_request_id().to_owned(), failed.error().kind()))
        .collect();
    let expected = [ErrorKind::TooLarge, ErrorKind::Invalid, ErrorKind::TooLarge];
    assert_eq!(kinds, ids(1..4).into_iter().zip(expected).collect::<Vec<_>>());
    for (failed, given) in report.into_failed().into_iter().zip(&given[1..4]) {
        let back = failed.into_batches();
        assert_eq!(format!("{:?}", back[0]), format!("{given:?}"));
        assert_eq!(back.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_upload_stops_after_the_allowed_number_of_failures() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    let bad = |number: usize| of_user(number).with_user_attribute("weight", f64::NAN);
    let report = client.upload_all((0..10_000).map(bad)).stop_after_failures(7).await;
    assert_eq!(report.stopped(), Some(Stopped::TooManyFailures));
    assert_eq!((report.given(), report.failed().len()), (7, 7));
    let mixed = |number: usize| if number < 3 { bad(number) } else { of_user(number) };
    let report = client.upload_all((0..500).map(mixed)).stop_after_failures(4).await;
    assert_eq!((report.given(), report.delivered(), report.stopped()), (500, 497, None));
}

#[tokio::test(start_paused = true)]
async fn a_slow_stream_does_not_hold_batches_back() {
    let emulator = Emulator::in_memory();
    let client = builder(&emulator).build().unwrap();
    let slow = stream::unfold(0, |number| async move {
        tokio::time::sleep(SECOND).await;
        (number < 5).then(|| (of_user(number), number + 1))
    });
    let report = client.upload_all_stream(slow).await;
    assert!(report.is_complete());
    assert_eq!(sizes(&emulator), [1; 5]);
    assert!(report.elapsed() <= 6 * SECOND + SECOND / 2, "{:?}", report.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_upload_that_is_dropped_pulls_and_sends_nothing_more() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::normal().delayed(SECOND));
    let client = builder(&emulator).build().unwrap();
    let mut taken = 0;
    let source = (0..100_000).inspect(|_| taken += 1).map(of_user);
    let upload = client.upload_all(source).concurrency(2);
    assert!(timeout(3 * SECOND / 2, upload).await.is_err());
    let seen = emulator.requests().len();
    assert_eq!(seen, 4);
    tokio::time::sleep(60 * SECOND).await;
    assert_eq!(emulator.requests().len(), seen);
    assert!(taken < 1500, "{taken}");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_nothing_is_tried_with_one_request_at_a_time_until_max_wait() {
    let emulator = Emulator::in_memory();
    emulator.always(Answer::hang());
    // The deadline of a single upload does not count.
    let timeouts = Timeouts::default().with_overall(20 * SECOND);
    let client = builder(&emulator).timeouts(timeouts).build().unwrap();
    let upload = client.upload_all((0..100_000).map(of_user)).concurrency(4);
    let report = upload.max_wait(120 * SECOND).await;
    assert_eq!(report.stopped(), Some(Stopped::NothingAccepted));
    assert_eq!(report.elapsed(), 120 * SECOND);
    assert_eq!(report.failed().len(), report.given());
    assert!(report.given() < 1500, "nothing is pulled during the outage: {}", report.given());
    let error = report.stop_error().unwrap();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    // Four requests at first, then one every 15 seconds and a backoff.
    let requests = emulator.requests();
    assert!((8..=11).contains(&requests.len()), "{}", requests.len());
    let sent = |failed: &FailedBatch| failed.error().may_have_been_sent();
    let in_doubt = report.failed().iter().filter(|failed| sent(failed)).count();
    assert!(in_doubt >= 400, "{in_doubt}");
}
