//! Batches are compared with a data plan before they are sent, and by the emulator.
#![cfg(all(feature = "data-plan", feature = "queue", feature = "testing"))]
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

mod log;

use log::Log;
use mparticle_client::models::data_plan::{DataPlanFile, FindingKind, Linter, Rules};
use mparticle_client::models::{Batch, CustomEvent, CustomEventType, DataPlanContext, Environment};
use mparticle_client::testing::Emulator;
use mparticle_client::{Client, ErrorKind, OnFinding, Outcome};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const PLAN: &str = r#"{
    "data_plan_id": "shop",
    "version": 3,
    "version_document": { "data_points": [{
        "match": {
            "type": "custom_event",
            "criteria": { "event_name": "Signed up", "custom_event_type": "other" }
        },
        "validator": { "type": "json_schema", "definition": { "properties": { "data": {
            "properties": { "custom_attributes": {
                "properties": { "plan": { "type": "string", "enum": ["free", "paid"] } },
                "additionalProperties": false
            } }
        } } } }
    }] }
}"#;

fn linter() -> Linter {
    let version = DataPlanFile::from_str(PLAN).unwrap().select(None, None).unwrap();
    Linter::new(&version, Rules::platform())
}

fn client(emulator: &Emulator, on_finding: OnFinding) -> Client {
    emulator.client_builder().lint(linter(), on_finding).build().unwrap()
}

fn batch(plan: &str) -> Batch {
    let event = CustomEvent::new("Signed up", CustomEventType::Other);
    Batch::new(Environment::Development)
        .with_mpid(42)
        .with_event(event.with_custom_attribute("plan", plan))
}

#[tokio::test]
async fn a_batch_that_follows_the_plan_is_sent() {
    let emulator = Emulator::builder().lint(linter()).in_memory();
    let client = client(&emulator, OnFinding::Reject);
    client.upload_events(&batch("paid")).await.unwrap();
    client.bulk_upload_events(&[batch("free"), batch("paid")]).await.unwrap();
    assert_eq!(emulator.batches().len(), 3);
    assert_eq!(emulator.findings(), []);
}

#[tokio::test]
async fn a_rejected_batch_is_an_error_without_values() {
    let emulator = Emulator::in_memory();
    let client = client(&emulator, OnFinding::Reject);
    let pointer = "/events/0/data/custom_attributes/plan";
    let error = client.upload_events(&batch("secret-value")).await.unwrap_err();
    assert_eq!((error.kind(), error.pointer()), (ErrorKind::Invalid, Some(pointer)));
    assert_eq!(error.findings()[0].kind, FindingKind::InvalidValue);
    assert!(error.to_string().contains("data plan: invalid value"), "{error}");
    for text in [format!("{error}"), format!("{error:#}"), format!("{error:?}")] {
        assert!(!text.contains("secret-value"), "{text}");
    }

    let error = client.bulk_upload_events(&[batch("free"), batch("gold")]).await.unwrap_err();
    assert_eq!(error.pointer(), Some(format!("/1{pointer}").as_str()));
    assert_eq!(emulator.requests().len(), 0);
}

#[tokio::test]
async fn upload_all_and_a_queue_give_a_rejected_batch_its_outcome() {
    let emulator = Emulator::in_memory();
    let client = client(&emulator, OnFinding::Reject);
    let report = client.upload_all([batch("free"), batch("gold"), batch("paid")]).await;
    assert_eq!((report.delivered(), report.failed().len()), (2, 1));
    assert_eq!(report.failed()[0].error().findings().len(), 1);

    let outcomes = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&outcomes);
    let queue = client.queue().on_outcome(move |result| {
        seen.lock().unwrap().push(matches!(result.outcome(), Outcome::Delivered(_)));
    });
    let queue = queue.build().await.unwrap();
    queue.try_send(batch("paid")).unwrap();
    let refused = queue.try_send(batch("gold"));
    assert!(refused.is_err(), "{refused:?}");
    assert!(queue.shutdown(Duration::from_secs(5)).await.is_complete());
    assert_eq!(*outcomes.lock().unwrap(), [true]);
}

#[tokio::test]
async fn a_stream_of_batches_is_compared() {
    let emulator = Emulator::in_memory();
    let client = client(&emulator, OnFinding::Reject);
    let batches = futures_util::stream::iter([batch("free"), batch("gold")]);
    let report = client.upload_all_stream(batches).await;
    assert_eq!((report.delivered(), report.failed_count()), (1, 1));
    assert_eq!(emulator.batches().len(), 1);
}

#[cfg(feature = "blocking")]
#[test]
fn a_blocking_client_compares_batches() {
    let emulator = Emulator::in_memory();
    let builder = emulator.client_builder().lint(linter(), OnFinding::Reject);
    let client = builder.build_blocking().unwrap();
    client.upload_events(&batch("free")).unwrap();
    let error = client.upload_events(&batch("gold")).unwrap_err();
    assert_eq!(error.findings()[0].kind, FindingKind::InvalidValue);
    assert_eq!(emulator.batches().len(), 1);
}

#[tokio::test]
async fn a_warning_has_the_place_and_no_value() {
    let (log, _guard) = Log::capture();
    let emulator = Emulator::builder().lint(linter()).in_memory();
    let client = client(&emulator, OnFinding::Warn);
    client.upload_events(&batch("secret-value")).await.unwrap();
    let text = log.text();
    assert_eq!(text.matches("does not follow the data plan").count(), 1, "{text}");
    assert!(text.contains("WARN") && text.contains("/events/0/data/custom_attributes"), "{text}");
    assert!(!text.contains("secret-value") && !text.contains("/plan"), "{text}");

    let findings = emulator.findings();
    assert_eq!(findings.len(), 1);
    assert_eq!((findings[0].0, findings[0].1.kind), (0, FindingKind::InvalidValue));
}

#[tokio::test]
async fn the_number_of_warnings_of_a_batch_is_limited() {
    let (log, _guard) = Log::capture();
    let emulator = Emulator::in_memory();
    let client = client(&emulator, OnFinding::Warn);
    let events = (0..15).map(|number| CustomEvent::new(number.to_string(), CustomEventType::Other));
    let batch = Batch::new(Environment::Development).with_mpid(42).with_events(events);
    client.upload_events(&batch).await.unwrap();
    let text = log.text();
    assert_eq!(text.matches("does not follow the data plan").count(), 11, "{text}");
    assert!(text.contains("more=5"), "{text}");
}

#[tokio::test]
async fn a_batch_that_names_another_plan_is_not_compared() {
    let emulator = Emulator::in_memory();
    let client = client(&emulator, OnFinding::Reject);
    let other = DataPlanContext::new("warehouse").with_plan_version(3);
    client.upload_events(&batch("gold").with_data_plan(other)).await.unwrap();
    let own = DataPlanContext::new("shop").with_plan_version(3);
    let error = client.upload_events(&batch("gold").with_data_plan(own)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn the_context_of_the_client_names_the_plan() {
    let emulator = Emulator::in_memory();
    let context = DataPlanContext::new("shop").with_plan_version(3);
    let builder = emulator.client_builder().lint(linter(), OnFinding::Reject).data_plan(context);
    builder.build().unwrap().upload_events(&batch("paid")).await.unwrap();
    let sent = &emulator.batches()[0].json["context"]["data_plan"];
    assert_eq!((&sent["plan_id"], &sent["plan_version"]), (&"shop".into(), &3.into()));
}

#[tokio::test]
async fn historical_batches_are_compared() {
    let emulator = Emulator::in_memory();
    let client = client(&emulator, OnFinding::Reject);
    let old = |plan| {
        let event = CustomEvent::new("Signed up", CustomEventType::Other)
            .with_timestamp_unixtime_ms(
                std::time::SystemTime::now() - Duration::from_secs(90 * 3600),
            );
        Batch::new(Environment::Development)
            .with_mpid(42)
            .with_event(event.with_custom_attribute("plan", plan))
    };
    let error =
        client.bulk_upload_historical_events(&[old("free"), old("gold")]).await.unwrap_err();
    assert_eq!(error.findings()[0].kind, FindingKind::InvalidValue);
    assert_eq!(emulator.requests().len(), 0);
    client.bulk_upload_historical_events(&[old("free")]).await.unwrap();
    assert_eq!(emulator.batches().len(), 1);
}
