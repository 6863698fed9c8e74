//! Tests of a schema with every notation of mParticle's published schema. The generated code is a module of this test.

#![allow(missing_docs, reason = "the support module is compiled as a part of this test")]
#![allow(unexpected_cfgs, reason = "the support module has features that this crate lacks")]
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "only a part of both modules is used"
)]

#[path = "golden/quirks/generated/mod.rs"]
mod generated;

#[path = "../../mparticle-models/src/support/mod.rs"]
pub mod support;

use serde_json::{Value, json};

use generated::{Batch, Event};

#[test]
fn values_in_the_published_notation_are_read_and_written_back() {
    let document = json!({
        "environment": "production",
        "events": [
            { "event_type": "start", "data": { "session_id": 1, "os": "iOS" } },
            { "event_type": "stop", "data": { "os": "IOS", "later": {} }, "beside": 1 },
            { "event_type": "crumb", "data": {
                "label": "outer",
                "crumbs": [{ "event_type": "crumb", "data": { "label": "inner" } }],
            } },
        ],
        "ip": "::1",
        "attributes": { "scalar": 1.5, "list": ["a", null, true], "tag": null },
        "nested": { "1": { "a": null } },
        "identities": { "email": "a@example.com", "unknown": 1 },
        "keys": ["k"],
        "context": { "type": "t", "plan_version": 2 },
    });
    let batch = Batch::from_str(&document.to_string()).unwrap();
    let mut written = document;
    written["events"][0]["data"]["os"] = json!("IOS");
    assert_eq!(serde_json::to_value(&batch).unwrap(), written, "in the first of two spellings");
    let known = batch.events.iter().filter(|event| event.common().is_some());
    assert_eq!(known.count(), 3);
}

#[test]
fn a_closed_union_keeps_unknown_tags_and_reports_them() {
    let event = Event::Unknown {
        event_type: "later".to_owned(),
        data: Value::Null,
        extra: support::Extra::new(),
    };
    let batch = Batch::new("production").with_events([event]);
    let found: Vec<_> = batch.validate().into_iter().map(|found| found.pointer).collect();
    assert_eq!(found, ["/events/0/event_type"]);
}
