//! Every check and the status of its failure, over TCP and in memory.

use crate::wire::{
    BULK, EVENTS, HISTORICAL, basic, batch, builder, exchange, in_memory, list, path, post,
};
use bytes::Bytes;
use http::{HeaderValue, Request};
use mparticle_client::Endpoint;
use mparticle_client::testing::BadBatches;

/// Sends a request to an emulator over TCP and in memory, and returns the status and the body.
async fn answer(request: Request<Bytes>) -> (u16, String) {
    let emulator = builder().start().await.unwrap();
    let over_tcp = exchange(&emulator, &request).await;
    let memory = in_memory(&builder().in_memory(), request).await.unwrap();
    assert_eq!(memory.status().as_u16(), over_tcp.status());
    let recorded: Vec<_> = emulator.requests().iter().map(|request| request.status).collect();
    assert_eq!(recorded, [Some(memory.status())]);
    assert_eq!(emulator.batches().is_empty(), over_tcp.status() != 202);
    (over_tcp.status(), over_tcp.body())
}

fn with(mut request: Request<Bytes>, name: &'static str, value: Option<&str>) -> Request<Bytes> {
    request.headers_mut().remove(name);
    if let Some(value) = value {
        request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
    }
    request
}

#[tokio::test]
async fn valid_requests_are_answered_202_without_a_body() {
    let old = r#"{"environment":"production","events":[{"event_type":"uninstall","data":{"timestamp_unixtime_ms":1600000000000}}]}"#;
    for (endpoint, body) in [
        (Endpoint::Events, batch("a")),
        (Endpoint::BulkEvents, list(&[batch("a"), batch("b")])),
        (Endpoint::HistoricalBulkEvents, list(&[old.to_owned()])),
    ] {
        assert_eq!(answer(post(&path(endpoint), body)).await, (202, String::new()), "{endpoint}");
    }
}

#[tokio::test]
async fn each_error_in_the_head_has_its_status() {
    let good = || post(EVENTS, batch("a"));
    let authorized = |value| with(good(), "authorization", value);
    let typed = |value| with(good(), "content-type", value);
    let mut get = good();
    *get.method_mut() = http::Method::GET;
    for (request, status, part) in [
        (post("/v2/event", batch("a")), 404, "`/v2/event`"),
        (post("/events", batch("a")), 404, "`/events`"),
        (post("/v2/events/", batch("a")), 404, "`/v2/events/`"),
        (post("/v2", batch("a")), 404, "`/v2`"),
        (get, 405, "GET"),
        (authorized(None), 401, "missing"),
        (authorized(Some("Bearer a2V5OnNlY3JldA==")), 401, "basic"),
        (authorized(Some("Basic")), 401, "basic"),
        (authorized(Some("Basic ?")), 401, "basic"),
        (authorized(Some(&basic("no colon"))), 401, "basic"),
        (authorized(Some(&basic("key:wrong"))), 403, "not valid"),
        (authorized(Some(&basic("wrong:secret"))), 403, "not valid"),
        (typed(None), 415, "``"),
        (typed(Some("text/plain")), 415, "text/plain"),
        (typed(Some("application/jsonp")), 415, "application/jsonp"),
    ] {
        let (found, body) = answer(request).await;
        assert_eq!(found, status, "{body}");
        assert!(body.contains(part), "{body} contains {part}");
        assert!(body.starts_with(r#"{"errors":[{"code":""#), "{body}");
    }
}

#[tokio::test]
async fn authorization_scheme_and_content_type_are_case_insensitive() {
    let lower = basic("key:secret").replace("Basic", "basic");
    let request = with(post(EVENTS, batch("a")), "authorization", Some(&lower));
    assert_eq!(answer(request).await.0, 202);
    let request = with(post(EVENTS, batch("a")), "content-type", Some("Application/JSON"));
    assert_eq!(answer(request).await.0, 202);
}

#[tokio::test]
async fn a_405_names_the_allowed_method() {
    let emulator = builder().start().await.unwrap();
    let mut request = post(EVENTS, "");
    *request.method_mut() = http::Method::PUT;
    assert_eq!(exchange(&emulator, &request).await.header("allow").as_deref(), Some("POST"));
}

#[tokio::test]
async fn the_error_for_an_invalid_body_contains_the_location_and_no_values() {
    let event = |event: &str| format!(r#"{{"environment":"production","events":[{event}]}}"#);
    let personal = "jane@example.com";
    for (path, body, part) in [
        (EVENTS, String::new(), "the body is not the JSON of a batch"),
        (EVENTS, "{".to_owned(), "the body is not the JSON of a batch"),
        (EVENTS, "[]".to_owned(), "the body is of the wrong type"),
        (EVENTS, "{}".to_owned(), r#"the body lacks the required field \"environment\""#),
        (EVENTS, format!(r#"{{"environment":"{personal}"}}"#), "`/environment`"),
        (
            EVENTS,
            format!(r#"{{"environment":"production","mpid":"{personal}"}}"#),
            "`/mpid` is of the wrong type",
        ),
        (
            EVENTS,
            format!(
                r#"{{"environment":"production","device_info":{{"screen_width":"{personal}"}}}}"#
            ),
            "`/device_info/screen_width`",
        ),
        (EVENTS, event("{}"), r#"`/events/0` lacks the required field \"event_type\""#),
        (
            EVENTS,
            event(r#"{"event_type":"custom_event","data":{}}"#),
            "`/events/0/data` lacks the required field",
        ),
        (BULK, "{}".to_owned(), "not the JSON of a list of batches"),
        (BULK, "[{}".to_owned(), "not the JSON of a list of batches"),
        (BULK, "[]".to_owned(), "no batch"),
        (BULK, list(&[batch("a"), "{}".to_owned()]), "`/1` lacks the required field"),
        (BULK, list(&[batch("a"), "7".to_owned()]), "`/1` is of the wrong type"),
        (HISTORICAL, list(&["{}".to_owned()]), "`/0` lacks"),
    ] {
        let (status, answer) = answer(post(path, body.clone())).await;
        assert_eq!(status, 400, "{body}");
        assert!(answer.contains(part), "{answer} contains {part}");
        assert!(answer.starts_with(r#"{"errors":[{"code":"BAD_REQUEST","message":""#), "{answer}");
        assert!(!answer.contains(personal), "{answer}");
    }
}

/// Returns a batch of this size.
fn batch_of(bytes: usize) -> String {
    let empty = batch("");
    batch(&"x".repeat(bytes - empty.len()))
}

#[tokio::test]
async fn sizes_and_counts_are_limited() {
    let two_of = |first, second| list(&[batch_of(first), batch_of(second)]);
    let count = |count: usize| list(&vec![batch("a"); count]);
    for (path, body, status, part) in [
        (EVENTS, batch_of(128_000), 202, ""),
        (EVENTS, batch_of(128_001), 400, "the body has 128001 bytes, more than 128000"),
        (BULK, two_of(128_000, 127_997), 202, ""),
        (BULK, two_of(128_000, 127_998), 400, "256001 bytes, more than 256000"),
        (BULK, two_of(100, 128_001), 400, "`/1` has 128001 bytes, more than 128000"),
        (BULK, count(100), 202, ""),
        (BULK, count(101), 400, "101 batches, more than 100"),
    ] {
        let (found, answer) = answer(post(path, body)).await;
        assert_eq!(found, status, "{answer}");
        assert!(answer.contains(part), "{answer} contains {part}");
    }
}

#[tokio::test]
async fn a_body_of_more_than_10_mib_is_not_read_completely() {
    let emulator = builder().start().await.unwrap();
    let received = exchange(&emulator, &post(EVENTS, vec![b' '; 11 << 20])).await;
    // The answer may be lost, because the connection ends while the body is still being sent.
    assert!(received.was_reset() || received.status() == 413);
    let response = in_memory(&emulator, post(EVENTS, vec![b' '; 11 << 20])).await.unwrap();
    assert_eq!(response.status(), 413);
    assert!(emulator.requests().is_empty());
}

#[tokio::test]
async fn invalid_batches_of_a_bulk_request_can_be_dropped_silently() {
    let emulator = builder().bad_batches(BadBatches::DropSilently).in_memory();
    let bad = r#"{"source_request_id":"bad"}"#.to_owned();
    let bodies = [batch("good"), bad.clone(), "7".to_owned(), batch_of(128_001)];
    let response = in_memory(&emulator, post(BULK, list(&bodies))).await.unwrap();
    assert_eq!(response.status(), 202);
    emulator.assert_exactly_once(["good"]);
    let dropped = emulator.unprocessed();
    assert_eq!(dropped.len(), 3);
    assert_eq!((dropped[0].id.as_deref(), &dropped[0].raw[..]), (Some("bad"), bad.as_bytes()));
    assert_eq!(dropped[0].reason, "`/1` lacks the required field \"environment\"");
    assert_eq!(dropped[1].id, None);

    // A body that is not a list is refused nevertheless.
    let response = in_memory(&emulator, post(BULK, "{}")).await.unwrap();
    assert_eq!(response.status(), 400);
}

#[tokio::test]
async fn historical_batches_that_break_the_rules_are_answered_202_and_not_processed() {
    let emulator = builder().in_memory();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let hours_ago = |hours: u64| now.as_millis() - u128::from(hours) * 3_600_000;
    let event = |timestamp: &str| format!(r#"{{"event_type":"uninstall","data":{{{timestamp}}}}}"#);
    let at = |time: u128| event(&format!(r#""timestamp_unixtime_ms":{time}"#));
    let with = |id: &str, events: &[String]| {
        let events = list(events);
        format!(r#"{{"environment":"production","source_request_id":"{id}","events":{events}}}"#)
    };
    let old = at(hours_ago(73));
    let body = list(&[
        with("old", &[old.clone(), old.clone()]),
        batch("no events"),
        with("empty", &[]),
        with("no time", &[old.clone(), event("")]),
        with("null", &[event(r#""timestamp_unixtime_ms":null"#)]),
        with("young", &[old, at(hours_ago(71))]),
    ]);
    let response = in_memory(&emulator, post(HISTORICAL, body.clone())).await.unwrap();
    assert_eq!(response.status(), 202);
    emulator.assert_exactly_once(["old"]);
    let dropped: Vec<_> =
        emulator.unprocessed().into_iter().map(|batch| (batch.id.unwrap(), batch.reason)).collect();
    for ((id, reason), (expected, part)) in dropped.iter().zip([
        ("no events", "at least one event"),
        ("empty", "at least one event"),
        ("no time", "`/events/1/data/timestamp_unixtime_ms` is missing"),
        ("null", "`/events/0/data/timestamp_unixtime_ms` is missing"),
        ("young", "`/events/1/data/timestamp_unixtime_ms` is less than 72 hours ago"),
    ]) {
        assert_eq!(id, expected);
        assert!(reason.contains(part), "{reason} contains {part}");
    }
    assert_eq!(dropped.len(), 5);

    // The other endpoints have no such rules.
    let elsewhere = builder().in_memory();
    in_memory(&elsewhere, post(BULK, body)).await.unwrap();
    assert_eq!((elsewhere.batches().len(), elsewhere.unprocessed().len()), (6, 0));
}

#[tokio::test]
async fn all_credentials_are_valid_if_the_emulator_accepts_any() {
    let emulator = builder().any_credentials().in_memory();
    for (authorization, status) in
        [(Some(basic("a:b")), 202), (Some("Bearer a".to_owned()), 401), (None, 401)]
    {
        let request = with(post(EVENTS, batch("a")), "authorization", authorization.as_deref());
        assert_eq!(in_memory(&emulator, request).await.unwrap().status(), status);
    }
}
