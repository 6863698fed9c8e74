//! What mParticle gave back: quarantined batches, and the output of S3, webhooks and Kinesis.

use crate::process::{emulator, upload_file};
use crate::{Folder, json_lines, lines};
use serde_json::{Value, json};

fn event(id: &str, name: &str) -> Value {
    json!({"event_type": "custom_event", "data": {
        "event_id": id,
        "event_name": name,
        "custom_event_type": "other",
        "timestamp_unixtime_ms": "1599790566900",
    }})
}

fn quarantined(version: i64) -> Value {
    json!({
        "events": [event("-7", "blocked"), event("8", "allowed")],
        "user_identities": {"email": "a@example.com", "customer_id": "1"},
        "user_attributes": {"plan": "gold", "age": "40"},
        "environment": "development",
        "source_request_id": "old",
        "source_info": {"channel": "partner"},
        "timestamp_unixtime_ms": "1599790566950",
        "batch_id": "-5158959812941698317",
        "context": {"data_plan": {"plan_id": "p", "plan_version": 1, "block_metadata": {
            "dto_version": version,
            "blocked_event_ids": ["-7"],
            "blocked_event_attributes": [{"event_id": "8", "event_attributes": ["./data/custom_attributes/a"]}],
            "blocked_user_attributes": ["plan"],
            "blocked_user_identities": ["customer_id"],
        }}},
    })
}

/// As in a file of S3, in the body of a webhook, and in a record of Kinesis.
fn exported() -> Value {
    json!({
        "events": [event("-7", "exported")],
        "user_identities": [{"identity_type": "email", "identity": "a@example.com", "timestamp_unixtime_ms": 1}],
        "environment": "development",
        "source_request_id": "old",
        "batch_id": 4711,
        "mpid": "77",
        "message_id": "m",
        "message_type": "events",
        "schema_version": 2,
        "timestamp_unixtime_ms": 1_599_790_566_950_i64,
        "source_info": {"channel": "server_to_server"},
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarantined_batch_is_sent_only_as_a_replay_of_what_was_blocked() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let content = lines([quarantined(1).to_string(), quarantined(2).to_string()]);
    let file = folder.write("in.jsonl", &content);
    let ended = upload_file(&emulator, &file, &["--same-ids"]).await.with_code(1);
    ended.prints(&["blocked: 2 errors", "pass --replay-blocked"]);
    assert!(emulator.requests().is_empty());

    // The failed file takes the option as well as the original.
    let failed = folder.path("in.jsonl.failed.jsonl");
    let ended = upload_file(&emulator, &failed, &["--replay-blocked"]).await.with_code(1);
    ended.prints(&[
        "Delivered 1 batch",
        "dto_version 2, and only 1 is known",
        "oldReplay: 1 warning",
        "blockedEventAttributes: 1 warning",
        "./data/custom_attributes/a",
    ]);
    let sent = &emulator.batches()[0].json;
    let id = sent["source_request_id"].clone();
    assert_ne!(id, "old");
    assert_eq!(
        sent["events"],
        json!([{"event_type": "custom_event", "data": {
            "event_name": "blocked",
            "custom_event_type": "other",
            "timestamp_unixtime_ms": 1_599_790_566_900_i64,
        }}])
    );
    assert_eq!(sent["user_identities"], json!({"email": "a@example.com"}));
    assert_eq!(sent["context"], json!({"data_plan": {"plan_id": "p", "plan_version": 1}}));
    for gone in ["batch_id", "source_info", "timestamp_unixtime_ms", "user_attributes"] {
        assert_eq!(sent[gone], Value::Null, "{gone}");
    }

    // A rerun without the checkpoint repeats the ids.
    let again = folder.write("again.jsonl", std::fs::read(&failed).unwrap());
    let keep = ["--replay-blocked", "--keep", "identities,user-attributes"];
    upload_file(&emulator, &again, &keep).await.with_code(1);
    let duplicates = emulator.duplicates();
    assert_eq!((emulator.batches().len(), duplicates.len()), (1, 1));
    assert_eq!(duplicates[0].json["source_request_id"], id);
    assert_eq!(duplicates[0].json["user_attributes"], json!({"plan": "gold"}));
    assert_eq!(duplicates[0].json["user_identities"]["customer_id"], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_sent_only_with_a_word_on_its_ids() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let file = folder.write("in.jsonl", lines([exported().to_string()]));
    let ended = upload_file(&emulator, &file, &[]).await.with_code(1);
    ended.prints(&["export: 1 error", "pass --as-new", "--same-ids"]);
    let failed = folder.path("in.jsonl.failed.jsonl");
    assert_eq!(json_lines(&failed)[0]["batch"]["batch_id"], 4711);

    upload_file(&emulator, &failed, &["--as-new"]).await.with_code(0);
    let again = folder.write("again.jsonl", lines([exported().to_string()]));
    upload_file(&emulator, &again, &["--same-ids"]).await.with_code(0);
    let [new, same] = [0, 1].map(|index| emulator.batches()[index].json.clone());
    assert_ne!(new["source_request_id"], "old");
    assert_eq!(same["source_request_id"], "old");
    assert_eq!(new["mpid"], 77);
    assert_eq!(new["user_identities"], json!({"email": "a@example.com"}));
    for gone in
        ["batch_id", "source_info", "timestamp_unixtime_ms", "message_type", "schema_version"]
    {
        assert_eq!(new[gone], Value::Null, "{gone}");
    }
    assert_eq!(new["events"][0]["data"]["event_id"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exported_event_with_its_user_is_treated_like_a_batch() {
    let (folder, emulator) = (Folder::new(), emulator().await);
    let line = json!({"user": {"mpid": 7}, "event": event("-7", "exported")}).to_string();
    let file = folder.write("in.jsonl", lines([line.clone(), line]));
    upload_file(&emulator, &file, &[]).await.with_code(1).prints(&["export: 2 errors"]);
    let failed = folder.path("in.jsonl.failed.jsonl");
    upload_file(&emulator, &failed, &["--as-new"]).await.with_code(0);
    let batches = emulator.batches();
    assert_eq!(batches.len(), 2);
    assert_eq!(batches[0].json["events"][0]["data"]["event_id"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_published_sample_of_a_quarantined_batch_is_replayed() {
    let Ok(reference) = std::env::var("MPARTICLE_REFERENCE") else {
        println!("skipped: MPARTICLE_REFERENCE is not set");
        return;
    };
    let (folder, emulator) = (Folder::new(), emulator().await);
    let sample = format!("{reference}/data-plans/batches/quarantine_example_batch.json");
    let file = folder.write("in.json", std::fs::read(sample).unwrap());
    upload_file(&emulator, &file, &["--replay-blocked"]).await.with_code(0);
    let events = emulator.batches()[0].json["events"].as_array().unwrap().len();
    assert_eq!(events, 2);
}
