//! Tests of encoding: ids, defaults, limits and splitting.

use super::split::parts_of;
use super::{
    BatchJson, Encoder, MAX_BATCH_BYTES, MAX_BATCHES, MAX_REQUEST_BYTES, source_request_id,
};
use crate::models::{
    Batch, Context, CustomEvent, CustomEventType, DataPlanContext, Environment, Event, UnixMillis,
};
use crate::{Endpoint, Error, ErrorKind, Validation};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::error::Error as _;
use std::time::{Duration, SystemTime};

impl Encoder {
    /// Encodes a batch for the endpoint for single batches, with a new `source_request_id` if the batch has none.
    pub(crate) fn encode(&self, batch: &Batch, now: SystemTime) -> Result<BatchJson, Error> {
        self.encode_for(Endpoint::Events, source_request_id(batch), batch, now)
    }
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn encoder(validation: Validation) -> Encoder {
    Encoder { validation, ..Encoder::default() }
}

fn with_defaults() -> Encoder {
    Encoder {
        environment: Some(Environment::Development),
        data_plan: Some(DataPlanContext::new("plan").with_plan_version(2)),
        validation: Validation::Off,
        ..Encoder::default()
    }
}

fn batch(fields: &Value) -> Batch {
    Batch::from_str(&fields.to_string()).unwrap()
}

fn event(name: &str) -> CustomEvent {
    CustomEvent::new(name, CustomEventType::Other)
}

/// Returns a batch with one event per size, each padded with that many characters.
fn padded(sizes: &[usize]) -> Batch {
    let event = |size: &usize| event("e").with_custom_attribute("p", "x".repeat(*size));
    Batch::new(Environment::Development).with_mpid(1).with_events(sizes.iter().map(event))
}

fn value(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

fn encoded(encoder: &Encoder, batch: &Batch) -> (String, Value) {
    let before = batch.clone();
    let sent = encoder.encode(batch, now()).unwrap();
    assert_eq!(*batch, before, "the batch of the caller is unchanged");
    assert!(Batch::from_slice(&sent.bytes).is_ok(), "no key is repeated");
    (sent.source_request_id, value(&sent.bytes))
}

#[test]
fn a_batch_without_an_id_gets_a_uuid_each_time_it_is_encoded() {
    let plain = Encoder::default();
    for fields in [
        json!({}),
        json!({"mpid": 1}),
        json!({"mpid": 1, "source_request_id": " "}),
        json!({"mpid": 1, "batch_id": 7}),
    ] {
        let mut batch = batch(&fields);
        if fields.get("source_request_id").is_some() {
            batch.source_request_id = Some(" ".into());
        }
        let (id, document) = encoded(&plain, &batch);
        assert_eq!(uuid::Uuid::parse_str(&id).unwrap().get_version_num(), 4);
        let mut expected = json!({"source_request_id": id});
        if let Some(mpid) = fields.get("mpid") {
            expected["mpid"] = mpid.clone();
        }
        assert_eq!(document, expected);
        assert_ne!(encoded(&plain, &batch).0, id);
    }
}

#[test]
fn an_id_set_by_the_caller_is_kept_unchanged() {
    for id in ["a", " a ", "\"quoted\" \\ \u{1f980}\n"] {
        let batch = batch(&json!({"mpid": 1})).with_source_request_id(id);
        let (found, document) = encoded(&Encoder::default(), &batch);
        assert_eq!(found, id);
        assert_eq!(document, json!({"mpid": 1, "source_request_id": id}));
        let again =
            Encoder::default().encode_for(Endpoint::Events, "other".into(), &batch, now()).unwrap();
        assert_eq!(value(&again.bytes), json!({"mpid": 1, "source_request_id": "other"}));
    }
}

#[test]
fn neither_a_batch_id_nor_a_second_id_is_ever_sent() {
    let mut batch = batch(&json!({"mpid": 1, "source_request_id": "a", "batch_id": 5}));
    batch.extra.insert("batch_id".into(), json!(6));
    batch.extra.insert("source_request_id".into(), json!("b"));
    batch.extra.insert("novel".into(), json!(true));
    let (_, document) = encoded(&Encoder::default(), &batch);
    assert_eq!(document, json!({"mpid": 1, "source_request_id": "a", "novel": true}));
}

#[test]
fn defaults_fill_only_absent_fields() {
    let plan = json!({"plan_id": "plan", "plan_version": 2});
    for (fields, environment, context) in [
        (json!({}), json!("development"), json!({"data_plan": plan})),
        (json!({"environment": "production"}), json!("production"), json!({"data_plan": plan})),
        (
            json!({"context": {"data_plan": {"plan_id": "own"}}}),
            json!("development"),
            json!({"data_plan": {"plan_id": "own"}}),
        ),
        (
            json!({"context": {"location": {"latitude": 1, "longitude": 2}}}),
            json!("development"),
            json!({"data_plan": plan, "location": {"latitude": 1, "longitude": 2}}),
        ),
    ] {
        for id in [None, Some("a")] {
            let mut batch = batch(&fields);
            batch.source_request_id = id.map(Into::into);
            let (id, document) = encoded(&with_defaults(), &batch);
            let expected = json!({
                "source_request_id": id, "environment": environment, "context": context
            });
            assert_eq!(document, expected);
        }
    }
}

#[test]
fn a_known_name_among_the_unknown_fields_is_an_error_with_its_pointer() {
    for name in ["environment", "context"] {
        let mut batch = batch(&json!({}));
        batch.extra.insert(name.into(), json!("own"));
        let error = with_defaults().encode(&batch, now()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(error.pointer(), Some(format!("/{name}").as_str()));
    }
    let mut batch = Batch::new(Environment::Production).with_context(Context::new());
    batch.context.as_mut().unwrap().extra.insert("data_plan".into(), json!("own"));
    let error = with_defaults().encode(&batch, now()).unwrap_err();
    assert_eq!(error.pointer(), Some("/context/data_plan"));
}

#[test]
fn a_number_that_is_not_finite_is_an_error_with_its_pointer() {
    for validation in [Validation::Off, Validation::Warn] {
        let batch = padded(&[1]).with_event(event("e").with_custom_attribute("n", f64::NAN));
        let error = encoder(validation).encode(&batch, now()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(error.pointer(), Some("/events/1/data/custom_attributes/n"));
        assert!(error.source().is_some());
        let error = encoder(validation).bulk(&[padded(&[]), batch], Endpoint::BulkEvents, now());
        assert_eq!(error.unwrap_err().pointer(), Some("/1/events/1/data/custom_attributes/n"));
    }
}

#[test]
fn strict_validation_returns_every_violation() {
    let batch = batch(&json!({"ip": "nowhere", "mp_deviceid": "none"}));
    let error = encoder(Validation::Strict).encode(&batch, now()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let pointers = |error: &Error| {
        error.violations().iter().map(|violation| violation.pointer.clone()).collect::<Vec<_>>()
    };
    assert_eq!(pointers(&error), ["/environment", "/ip", "/mp_deviceid"]);
    assert_eq!(error.pointer(), Some("/environment"));
    assert!(!error.to_string().contains("nowhere"), "{error}");

    let strict =
        Encoder { environment: Some(Environment::Production), ..encoder(Validation::Strict) };
    let error = strict.bulk(&[padded(&[]), batch], Endpoint::BulkEvents, now()).unwrap_err();
    assert_eq!(pointers(&error), ["/1/ip", "/1/mp_deviceid"], "the default of the client applies");
    assert_eq!(error.pointer(), Some("/1/ip"));
}

#[test]
fn validation_that_warns_or_is_off_does_not_refuse_a_batch() {
    let batch = batch(&json!({"ip": "nowhere"}));
    for validation in [Validation::Warn, Validation::Off] {
        assert_eq!(encoded(&encoder(validation), &batch).1["ip"], "nowhere");
    }
}

#[test]
fn an_event_more_than_a_day_ahead_is_a_violation() {
    let at = |hours: i64| UnixMillis::from_millis(1_700_000_000_000 + hours * 3_600_000);
    let batch = |hours| padded(&[1]).with_event(event("e").with_timestamp_unixtime_ms(at(hours)));
    let strict = encoder(Validation::Strict);
    assert!(strict.encode(&batch(24), now()).is_ok());
    let error = strict.encode(&batch(25), now()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.pointer(), Some("/events/1/data/timestamp_unixtime_ms"));
    assert!(error.to_string().contains("25 hours"), "{error}");
    assert!(encoder(Validation::Warn).encode(&batch(25), now()).is_ok());
}

#[test]
fn a_single_request_holds_at_most_128_000_bytes() {
    let encoder = Encoder::default();
    let size = |padding| encoder.encode(&padded(&[padding]), now()).unwrap().bytes.len();
    let most = MAX_BATCH_BYTES - size(0);
    let unsent = encoder.single(&padded(&[most]), now()).unwrap();
    assert_eq!(unsent.body().len(), MAX_BATCH_BYTES);
    assert_eq!(unsent.endpoint(), Endpoint::Events);
    assert_eq!(value(unsent.body())["source_request_id"], unsent.source_request_ids()[0]);
    let error = encoder.single(&padded(&[most + 1]), now()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert!(error.to_string().contains("128001"), "{error}");
}

#[test]
fn two_batches_of_a_request_must_not_have_the_same_id() {
    let own = |id: &str| batch(&json!({"environment": "production", "source_request_id": id}));
    let bulk = |batches: &[Batch]| {
        encoder(Validation::Off).bulk(batches, Endpoint::BulkEvents, now()).map(|_request| ())
    };
    let error = bulk(&[own("a"), own("b"), own("a")]).unwrap_err();
    assert_eq!((error.kind(), error.pointer()), (ErrorKind::Invalid, Some("/2/source_request_id")));
    assert!(error.to_string().contains("that of batch 0"), "{error}");
    // Each blank id is replaced by a new one.
    bulk(&[own("a"), own("b"), own(" "), own(" ")]).unwrap();
}

#[test]
fn a_bulk_request_holds_at_most_100_batches_and_256_000_bytes() {
    let encoder = Encoder::default();
    let bulk = |batches: &[Batch]| encoder.bulk(batches, Endpoint::BulkEvents, now());
    assert_eq!(bulk(&[]).unwrap_err().kind(), ErrorKind::Invalid);
    let hundred = bulk(&vec![padded(&[1]); MAX_BATCHES]).unwrap();
    assert_eq!(value(hundred.body()).as_array().unwrap().len(), MAX_BATCHES);
    assert_eq!(hundred.source_request_ids().len(), MAX_BATCHES);
    let error = bulk(&vec![padded(&[1]); MAX_BATCHES + 1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    let error = bulk(&[padded(&[1]), padded(&[MAX_BATCH_BYTES])]).unwrap_err();
    assert_eq!((error.kind(), error.pointer()), (ErrorKind::TooLarge, Some("/1")));

    let empty = bulk(&[padded(&[0]), padded(&[0])]).unwrap().body().len();
    let half = (MAX_REQUEST_BYTES - empty) / 2;
    let rest = MAX_REQUEST_BYTES - empty - half;
    let full = bulk(&[padded(&[half]), padded(&[rest])]).unwrap();
    assert_eq!(full.body().len(), MAX_REQUEST_BYTES);
    let error = bulk(&[padded(&[half]), padded(&[rest + 1])]).unwrap_err();
    assert_eq!((error.kind(), error.pointer()), (ErrorKind::TooLarge, None));
    assert!(error.to_string().contains("256001"), "{error}");
}

#[test]
fn historical_rules_apply_only_to_the_historical_endpoint() {
    let batches = [padded(&[1])];
    let historical = Endpoint::HistoricalBulkEvents;
    let error = Encoder::default().bulk(&batches, historical, now()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.pointer(), Some("/0/events/0/data/timestamp_unixtime_ms"));
    assert!(Encoder::default().bulk(&batches, Endpoint::BulkEvents, now()).is_ok());
}

#[test]
fn debug_shows_only_ids_and_sizes() {
    let batch = batch(&json!({"source_request_id": "a", "ip": "1.2.3.4"}));
    let encoded = Encoder::default().encode(&batch, now()).unwrap();
    let shown = format!("{encoded:?}");
    assert!(shown.contains("\"a\"") && !shown.contains("1.2.3.4"), "{shown}");
}

fn split(batch: &Batch) -> Result<Vec<super::split::Part>, Error> {
    let mut original = batch.clone();
    let parts = with_defaults().split("id \"1\"", &mut original);
    assert_eq!(original, *batch, "the batch has its original content");
    parts
}

#[test]
fn an_event_that_is_too_large_for_a_part_is_named() {
    let error = split(&padded(&[10, 100_000, 130_000, 10])).unwrap_err();
    assert_eq!((error.kind(), error.pointer()), (ErrorKind::TooLarge, Some("/events/2")));
}

#[test]
fn a_batch_that_is_too_large_without_its_events_cannot_be_split() {
    for sizes in [&[][..], &[1, 1]] {
        let batch = padded(sizes).with_user_attribute("a", "x".repeat(MAX_BATCH_BYTES));
        let error = split(&batch).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooLarge);
        assert_eq!(error.pointer(), None);
        assert!(error.to_string().contains("without its events"), "{error}");
    }
}

#[test]
fn the_suffixes_of_ten_or_more_parts_take_more_space() {
    let one = padded(&[0]).with_source_request_id("x");
    let fixed = with_defaults().encode(&one, now()).unwrap().bytes.len();
    let suffixed = fixed - "x".len() + r#"id \"1\"/12of12"#.len();
    let twelve = |unused| padded(&[MAX_BATCH_BYTES - suffixed - unused; 12]);
    for unused in [0, 1, 10] {
        let parts = split(&twelve(unused)).unwrap();
        assert_eq!(parts.len(), 12);
        assert_eq!(parts[11].encoded.bytes.len(), MAX_BATCH_BYTES - unused);
        assert_eq!(parts[11].encoded.source_request_id, "id \"1\"/12of12");
    }
    // With one more byte, an event fits into a part with the suffix `/9of12`, but not with `/10of12`.
    let batch = padded(&[MAX_BATCH_BYTES - suffixed + 1; 12]);
    assert_eq!(split(&batch).unwrap_err().pointer(), Some("/events/9"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn parts_keep_all_events_in_order_and_repeat_the_other_fields(
        sizes in prop::collection::vec(0_usize..60_000, 1..40),
    ) {
        let batch = with_ids(padded(&sizes));
        let parts = split(&batch).unwrap();
        let count = parts.len();
        let mut events: Vec<Event> = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            prop_assert!(part.encoded.bytes.len() <= MAX_BATCH_BYTES);
            let mut read = Batch::from_slice(&part.encoded.bytes).unwrap();
            let id = format!("id \"1\"/{}of{count}", index + 1);
            prop_assert_eq!(&part.encoded.source_request_id, &id);
            prop_assert_eq!(read.source_request_id.as_deref(), Some(id.as_str()));
            prop_assert!(!read.events.is_empty());
            events.append(&mut read.events);
            let whole = with_defaults().encode_for(Endpoint::Events, id, &batch.clone().with_events([] as [Event; 0]), now());
            prop_assert_eq!(read, Batch::from_slice(&whole.unwrap().bytes).unwrap());
        }
        prop_assert_eq!(&events, &batch.events);
        // Greedy: the first event of a part did not fit into the part before it.
        for pair in parts.windows(2) {
            let next = &batch.events[pair[1].events.start];
            let grown = pair[0].encoded.bytes.len() + 1 + next.to_vec().unwrap().len();
            prop_assert!(grown > MAX_BATCH_BYTES);
        }
        let wanted = parts.into_iter().step_by(2).map(|part| (part.encoded, part.events));
        let (bytes, wanted): (Vec<_>, Vec<_>) =
            wanted.map(|(encoded, events)| (encoded.bytes, (encoded.source_request_id, events))).unzip();
        let batches = parts_of(batch, wanted);
        prop_assert_eq!(batches.len(), bytes.len());
        for (batch, bytes) in batches.iter().zip(&bytes) {
            let again = with_defaults().encode(batch, now()).unwrap();
            prop_assert_eq!(value(&again.bytes), value(bytes));
        }
    }

    #[test]
    fn an_encoded_batch_reads_as_the_same_batch_with_its_id(
        sizes in prop::collection::vec(0_usize..50, 0..5),
        id in prop::option::of("[ -~é]{0,20}"),
    ) {
        let mut batch = padded(&sizes);
        batch.source_request_id = id;
        let encoded = Encoder::default().encode(&batch, now()).unwrap();
        let read = Batch::from_slice(&encoded.bytes).unwrap();
        prop_assert_eq!(read, batch.with_source_request_id(encoded.source_request_id));
    }
}

fn with_ids(mut batch: Batch) -> Batch {
    batch.batch_id = Some(9);
    batch.with_source_request_id("own")
}
