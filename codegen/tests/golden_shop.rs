//! Tests of a small schema with our own conventions. The generated code is a module of this test.

#![allow(missing_docs, reason = "the support module is compiled as a part of this test")]
#![allow(unexpected_cfgs, reason = "the support module has features that this crate lacks")]
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "only a part of both modules is used"
)]

#[path = "golden/shop/generated/mod.rs"]
mod generated;

#[path = "../../mparticle-models/src/support/mod.rs"]
pub mod support;

use serde_json::{Value, json};

use generated::{Order, Packed, Parcel, Sent, State, Step};
use support::UnixMillis;

#[test]
fn fields_are_written_with_their_wire_names_and_read_back() {
    let order = Order::new("A-1", State::Paid, UnixMillis::from_secs(1_700_000_000))
        .with_type("book")
        .with_total(20.0)
        .with_discounts([0.5, 1.0])
        .with_weight(300_u64)
        .with_label("a", 1)
        .with_nested_map("m", [("n", true)])
        .with_note("free", json!([1, { "a": null }]))
        .with_step(Packed::new(2).with_by("Ann").with_tag("fragile"))
        .with_step(Sent::new().with_road("truck"))
        .with_parent(Order::new("A-0", State::Open, UnixMillis::from_secs(1)));
    let expected = json!({
        "id": "A-1",
        "state": "paid",
        "type": "book",
        "placed_at": 1_700_000_000_000_i64,
        "total": 20,
        "discounts": [0.5, 1],
        "gift": null,
        "weight": 300,
        "labels": { "a": 1 },
        "nested": { "m": { "n": true } },
        "notes": { "free": [1, { "a": null }] },
        "steps": [
            { "step": "packed", "body": { "boxes": 2, "by": "Ann", "tags": ["fragile"] } },
            { "step": "sent", "body": { "road": "truck" } },
        ],
        "parent": { "id": "A-0", "state": "open", "placed_at": 1_000, "gift": null },
    });
    let written = order.to_vec().unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), expected);
    assert_eq!(Order::from_slice(&written).unwrap(), order);
}

#[test]
fn other_spellings_are_read_and_the_documented_one_is_written() {
    let order = Order::from_str(
        r#"{ "id": 7, "state": "SETTLED", "kind": "x", "gift": "", "weight": "12" }"#,
    )
    .unwrap();
    let expected = json!({ "id": "7", "state": "paid", "type": "x", "gift": null, "weight": 12 });
    assert_eq!(serde_json::to_value(order).unwrap(), expected);
}

#[test]
fn unknown_fields_and_values_survive() {
    let text = json!({
        "id": "1", "state": "lost", "gift": true, "new": { "a": 1 },
        "steps": [
            { "step": "stolen", "body": { "by": "Eve" }, "at": "night" },
            { "step": "sent", "body": { "road": "r", "lane": 2 }, "at": "day" },
        ],
    });
    let order = Order::from_str(&text.to_string()).unwrap();
    assert_eq!(serde_json::to_value(&order).unwrap(), text);
}

#[test]
fn every_rule_is_checked_and_reported_with_its_place() {
    let order = Order::from_str(
        r#"{ "id": "123456789", "gift": true, "reference": "no-uuid", "placed_at": 1700000000,
             "labels": { "toolong": "12345", "b": [1, 2, 3], "c": ["1234"] },
             "steps": [{ "step": "sent", "body": {} }] }"#,
    )
    .unwrap();
    let mut found: Vec<_> = order
        .validate()
        .iter()
        .map(|violation| format!("{} {}", violation.pointer, violation.rule.as_str()))
        .collect();
    found.sort();
    let expected = [
        "/id maxLength",
        "/labels maxProperties",
        "/labels/b maxItems",
        "/labels/c/0 maxLength",
        "/labels/toolong maxLength",
        "/labels/toolong propertyNames",
        "/placed_at unixMillis",
        "/reference uuid",
        "/state required",
        "/steps/0/body exactlyOneOf",
    ];
    assert_eq!(found, expected);
}

#[test]
fn an_error_names_the_place_in_the_document() {
    let cases = [
        (r#"{ "gift": true }"#, "/id"),
        (
            r#"{ "id": "1", "steps": [{ "step": "packed", "body": { "boxes": "many" } }] }"#,
            "/steps/0/body/boxes",
        ),
        (r#"{ "id": "1", "steps": [{ "body": {}, "step": "packed" }] }"#, "/steps/0/body/boxes"),
        (r#"{ "id": "1", "parent": { "id": "2", "total": [] } }"#, "/parent/total"),
    ];
    for (text, pointer) in cases {
        assert_eq!(Order::from_str(text).unwrap_err().pointer(), pointer, "{text}");
    }
}

#[test]
fn the_shared_fields_of_a_union_can_be_reached() {
    let mut step = Step::from(Packed::new(1));
    step.common_mut().unwrap().by = Some("Bo".to_owned());
    assert_eq!(step.common().unwrap().by.as_deref(), Some("Bo"));
    assert_eq!(step.step(), "packed");
}

#[test]
fn a_constructor_also_takes_the_fields_that_the_base_requires() {
    let parcel = serde_json::to_value(Parcel::new(3, "fragile")).unwrap();
    assert_eq!(parcel, json!({ "size": 3, "label": "fragile" }));
}
