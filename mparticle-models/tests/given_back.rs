//! Batches that mParticle gave back: quarantine and exports.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

use mparticle_models::{Batch, KeepBlocked, ReplayError};
use serde_json::{Value, json};

fn quarantined(metadata: &Value) -> Batch {
    let event = |id: &str, name: &str| {
        json!({
            "event_type": "custom_event",
            "data": {
                "event_id": id,
                "event_name": name,
                "custom_event_type": "other",
                "timestamp_unixtime_ms": "1599790566900",
            },
        })
    };
    let batch = json!({
        "environment": "development",
        "mpid": "-8",
        "batch_id": "-5158959812941698317",
        "source_request_id": "old",
        "timestamp_unixtime_ms": "1599790566950",
        "source_info": {"channel": "partner"},
        "message_type": "events",
        "user_identities": {"email": "a@example.com", "customer_id": "1"},
        "device_info": {"brand": "b", "ios_advertising_id": "613ff528-afd1-4c1b-9628-e6ed25ece9c0"},
        "user_attributes": {"$gender": "M", "$age": "40"},
        "deleted_user_attributes": ["old_attribute"],
        "events": [
            event("-7", "blocked"),
            event("8", "allowed"),
            {"event_type": "novel", "data": {"event_id": "9", "x": 1}},
        ],
        "context": {"data_plan": {"plan_id": "p", "plan_version": 2, "block_metadata": metadata}},
    });
    Batch::from_str(&batch.to_string()).unwrap()
}

fn metadata() -> Value {
    json!({
        "dto_version": 1,
        "blocked_event_ids": ["-7", "9", "10"],
        "blocked_event_attributes": [
            {"event_id": "8", "event_attributes": ["./data/custom_attributes/a"]},
        ],
        "blocked_user_attributes": ["$gender"],
        "blocked_user_identities": ["customer_id"],
        "blocked_device_identities": ["ios_advertising_id"],
    })
}

fn json_of(batch: &Batch) -> Value {
    serde_json::from_slice(&batch.to_vec().unwrap()).unwrap()
}

#[test]
fn a_replay_holds_what_was_blocked_alone() {
    let replay = quarantined(&metadata()).replay_blocked(KeepBlocked::default()).unwrap();
    let expected = json!({
        "environment": "development",
        "mpid": -8,
        "user_identities": {"email": "a@example.com"},
        "device_info": {"brand": "b"},
        "events": [
            {"event_type": "custom_event", "data": {
                "event_name": "blocked",
                "custom_event_type": "other",
                "timestamp_unixtime_ms": 1_599_790_566_900_i64,
            }},
            {"event_type": "novel", "data": {"x": 1}},
        ],
        "context": {"data_plan": {"plan_id": "p", "plan_version": 2}},
    });
    assert_eq!(json_of(replay.batch.as_ref().unwrap()), expected);
    assert_eq!(replay.missing_events, [10]);
    assert_eq!(replay.lost_attributes[0].event_id, 8);
    assert_eq!(replay.lost_attributes[0].event_attributes, ["./data/custom_attributes/a"]);
}

#[test]
fn blocked_data_of_the_user_stays_if_it_is_asked_for() {
    let replay = |keep| {
        let replay = quarantined(&metadata()).replay_blocked(keep).unwrap();
        json_of(&replay.batch.unwrap())
    };
    let kept = replay(KeepBlocked::default().with_identities());
    assert_eq!(kept["user_identities"]["customer_id"], "1");
    assert!(kept["device_info"]["ios_advertising_id"].is_string());
    assert_eq!(kept["user_attributes"], Value::Null);
    let kept = replay(KeepBlocked::default().with_user_attributes());
    assert_eq!(kept["user_attributes"], json!({"$gender": "M"}));
    assert_eq!(kept["user_identities"], json!({"email": "a@example.com"}));
}

#[test]
fn nothing_is_replayed_where_attributes_of_events_alone_were_blocked() {
    let metadata = json!({
        "dto_version": 1,
        "blocked_event_attributes": [{"event_id": 8, "event_attributes": ["./data/a"]}],
    });
    let replay = quarantined(&metadata).replay_blocked(KeepBlocked::default()).unwrap();
    assert_eq!(replay.batch, None);
    assert_eq!(replay.lost_attributes.len(), 1);
}

#[test]
fn metadata_that_is_not_understood_is_an_error_with_its_place() {
    for (metadata, pointer, message) in [
        (json!(null), "/context/data_plan/block_metadata", "no data plan blocked it"),
        (
            json!({"dto_version": 2}),
            "/context/data_plan/block_metadata/dto_version",
            "dto_version 2, and only 1 is known",
        ),
        (json!({}), "/context/data_plan/block_metadata/dto_version", "dto_version null"),
        (
            json!({"dto_version": 1, "blocked_event_ids": ["x"]}),
            "/context/data_plan/block_metadata",
            "not a 64-bit integer",
        ),
    ] {
        let error: ReplayError =
            quarantined(&metadata).replay_blocked(KeepBlocked::default()).unwrap_err();
        assert_eq!(error.pointer(), pointer);
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn an_export_is_recognized_by_the_ids_that_mparticle_assigns() {
    let is_export = |json: &Value| Batch::from_str(&json.to_string()).unwrap().is_export();
    assert!(!is_export(&json!({"mpid": 1, "source_request_id": "a"})));
    assert!(is_export(&json!({"batch_id": "1"})));
    for event_type in ["opt_out", "novel"] {
        let data = json!({"event_id": 1, "is_opted_out": true});
        assert!(is_export(&json!({"events": [{"event_type": event_type, "data": data}]})));
    }
}

#[test]
fn the_published_sample_of_a_quarantined_batch_is_replayed() {
    let Ok(reference) = std::env::var("MPARTICLE_REFERENCE") else {
        println!("skipped: MPARTICLE_REFERENCE is not set");
        return;
    };
    let path = format!("{reference}/data-plans/batches/quarantine_example_batch.json");
    let batch = Batch::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(batch.is_export());
    let replay = batch.replay_blocked(KeepBlocked::default()).unwrap();
    let json = json_of(&replay.batch.unwrap());
    let names: Vec<_> = json["events"].as_array().unwrap().iter().collect();
    assert_eq!(names.len(), 2);
    assert_eq!(json["events"][0]["data"]["event_name"], "blocked navigation event 1");
    assert_eq!(json["events"][1]["data"]["timestamp_unixtime_ms"], 1_599_790_566_900_i64);
    assert_eq!(json["user_identities"], json!({"email": "someone@example.com"}));
    assert_eq!(json["user_attributes"], Value::Null);
    assert_eq!(json["context"], json!({"data_plan": {"plan_id": "main_block", "plan_version": 1}}));
    for gone in ["batch_id", "source_info", "timestamp_unixtime_ms", "source_request_id"] {
        assert_eq!(json[gone], Value::Null, "{gone}");
    }
    assert_eq!(replay.lost_attributes.len(), 1);
}
