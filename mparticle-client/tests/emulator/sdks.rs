//! The requests of mParticle's own SDKs, replayed over TCP.

use crate::recording::{RecordedRequest, Recording};
use crate::wire::{builder, exchange};
use serde_json::Value;

/// How the emulator treats a recorded request.
enum Expected {
    /// 202, and these types of events are received. There is one list for each batch.
    Accepted(&'static [&'static [&'static str]]),
    /// 400 with this message.
    Refused(&'static str),
}

use Expected::{Accepted, Refused};

const CUSTOM: &[&str] = &["custom_event"];

#[tokio::test]
async fn requests_of_the_python_sdk_are_received() {
    replay(
        "python",
        "mParticle Python client/0.16.0",
        &[
            ("app event", Accepted(&[CUSTOM])),
            (
                "event types",
                Accepted(&[&[
                    "first_run",
                    "session_start",
                    "screen_view",
                    "breadcrumb",
                    "opt_out",
                    "profile",
                    "push_registration",
                    "push_message",
                    "network_performance",
                    "user_attribute_change",
                    "session_end",
                ]]),
            ),
            (
                "convenience constructors",
                Accepted(&[&[
                    "application_state_transition",
                    "application_state_transition",
                    "application_state_transition",
                    "application_state_transition",
                    "custom_event",
                    "custom_event",
                ]]),
            ),
            ("user without events", Accepted(&[&[]])),
            ("batch fields", Accepted(&[CUSTOM])),
            ("connected tv", Accepted(&[CUSTOM])),
            ("consent", Accepted(&[CUSTOM])),
            ("commerce", Accepted(&[&["commerce_event"; 4]])),
            ("media", Accepted(&[CUSTOM])),
            ("bulk", Accepted(&[CUSTOM; 3])),
            ("bulk with callback", Accepted(&[CUSTOM])),
            // The SDK sends crash reports with the type of commerce events. All fields of a commerce event are
            // optional, so the error cannot be detected.
            ("crash report", Accepted(&[&["commerce_event"]])),
            // Events that are passed to the constructor of a batch are sent without a type.
            (
                "events of the constructor",
                Refused("`/events/0` lacks the required field \"event_type\""),
            ),
            // The SDK writes a decimal as text. A price is documented as a number.
            (
                "decimal price",
                Refused("`/events/0/data/product_action/products/0/price` is of the wrong type"),
            ),
            // The SDK does not check types. An MPID is documented as an integer.
            ("mpid as text", Refused("`/mpid` is of the wrong type")),
            // A timestamp is documented as an integer.
            (
                "fractional timestamp",
                Refused("`/events/0/data/timestamp_unixtime_ms` violates `anyOf` of the schema"),
            ),
            // The SDK writes `NaN`, which is not JSON.
            ("not a number", Refused("the body is not the JSON of a batch, at line 1, column 94")),
            // The SDK sends an empty list as an empty body.
            (
                "empty bulk",
                Refused("the body is not the JSON of a list of batches, at line 1, column 0"),
            ),
            // The SDK does not check for required fields.
            ("no environment", Refused("the body lacks the required field \"environment\"")),
        ],
    )
    .await;
}

#[tokio::test]
async fn requests_of_the_node_sdk_are_received() {
    replay(
        "node",
        "node-superagent/3.8.3",
        &[
            ("app event", Accepted(&[CUSTOM])),
            (
                "event types",
                Accepted(&[&[
                    "first_run",
                    "session_start",
                    "screen_view",
                    "breadcrumb",
                    "opt_out",
                    "profile",
                    "push_registration",
                    "push_message",
                    "network_performance",
                    "application_state_transition",
                    "crash_report",
                    "session_end",
                ]]),
            ),
            ("user without events", Accepted(&[&[]])),
            ("batch fields", Accepted(&[CUSTOM])),
            ("consent", Accepted(&[CUSTOM])),
            ("empty consent", Accepted(&[CUSTOM])),
            ("commerce", Accepted(&[&["commerce_event"; 4]])),
            ("media", Accepted(&[CUSTOM])),
            ("bulk", Accepted(&[CUSTOM; 3])),
            ("text beyond ASCII", Accepted(&[CUSTOM])),
            // The SDK drops all fields that are specific to the type of an event.
            (
                "constructed from an object",
                Refused("`/events/0/data` lacks the required field \"event_name\""),
            ),
            ("null fields", Accepted(&[CUSTOM])),
            // The SDK writes a date as text. A timestamp is documented as an integer.
            (
                "date as timestamp",
                Refused("`/events/0/data/timestamp_unixtime_ms` violates `anyOf` of the schema"),
            ),
            ("custom event type without a constant", Accepted(&[CUSTOM])),
            // The SDK does not check enum values, which are documented as a closed set.
            (
                "unknown custom event type",
                Refused("`/events/0/data/custom_event_type` violates `oneOf` of the schema"),
            ),
            // The SDK does not check for required fields.
            (
                "profile event without a type",
                Refused("`/events/0/data` lacks the required field \"profile_event_type\""),
            ),
            ("empty bulk", Refused("the request has no batch")),
            ("no environment", Refused("the body lacks the required field \"environment\"")),
            // The SDK does not check that the body of a bulk request is a list.
            (
                "batch for the bulk endpoint",
                Refused("the body is not the JSON of a list of batches, at line 1, column 0"),
            ),
        ],
    )
    .await;
}

/// Replays a recording and checks each answer.
async fn replay(sdk: &str, user_agent: &str, expected: &[(&str, Expected)]) {
    let recording = Recording::read(sdk);
    let names: Vec<_> = recording.requests.iter().map(|request| request.name.as_str()).collect();
    let expected_names: Vec<_> = expected.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, expected_names);
    for (request, (name, expected)) in recording.requests.iter().zip(expected) {
        assert_eq!(request.header("user-agent"), Some(user_agent), "{name}");
        assert_eq!(request.header("content-type"), Some("application/json"), "{name}");
        assert_eq!(request.header("authorization"), Some("Basic a2V5OnNlY3JldA=="), "{name}");
        check(request, expected).await;
    }
}

async fn check(request: &RecordedRequest, expected: &Expected) {
    let name = &request.name;
    let emulator = builder().start().await.unwrap();
    let received = exchange(&emulator, &request.request()).await;
    let batches = emulator.batches();
    match expected {
        Refused(message) => {
            assert_eq!(received.status(), 400, "{name}");
            let answer: Value = serde_json::from_str(&received.body()).unwrap();
            assert_eq!(answer["errors"][0]["message"], *message, "{name}");
            assert!(batches.is_empty(), "{name}");
        }
        Accepted(event_types) => {
            assert_eq!((received.status(), received.body()), (202, String::new()), "{name}");
            let received: Vec<_> = batches.iter().map(|batch| batch.json.clone()).collect();
            assert_eq!(received, sent_batches(&request.body), "{name}");
            let received: Vec<_> = received.iter().map(types_of_events).collect();
            assert_eq!(received, *event_types, "{name}");
            // The bytes of the body are recorded, too.
            assert_eq!(emulator.requests()[0].body, request.body, "{name}");
        }
    }
}

/// Returns the batches of a body, which is a batch or a list of batches.
fn sent_batches(body: &str) -> Vec<Value> {
    match serde_json::from_str(body).unwrap() {
        Value::Array(batches) => batches,
        batch => vec![batch],
    }
}

fn types_of_events(batch: &Value) -> Vec<&str> {
    let events = batch.get("events").and_then(Value::as_array).into_iter().flatten();
    events.map(|event| event["event_type"].as_str().unwrap()).collect()
}
