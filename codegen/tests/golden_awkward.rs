//! Tests of a schema with awkward names and rules. The generated code is a module of this test.

#![allow(missing_docs, reason = "the support module is compiled as a part of this test")]
#![allow(unexpected_cfgs, reason = "the support module has features that this crate lacks")]
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "only a part of both modules is used"
)]

#[path = "golden/awkward/generated/mod.rs"]
#[allow(clippy::used_underscore_binding, reason = "a name that begins with a digit needs a letter")]
mod generated;

#[path = "../../mparticle-models/src/support/mod.rs"]
pub mod support;

use serde_json::{Value, json};

use generated::{AKind, Base, Derived, Step, Ticket};

#[allow(clippy::unwrap_used, reason = "a helper of a test may panic, too")]
#[track_caller]
fn survives(document: &Value) -> Ticket {
    let ticket = Ticket::from_str(&document.to_string()).unwrap();
    assert_eq!(serde_json::to_value(&ticket).unwrap(), *document);
    ticket
}

#[test]
fn unknown_fields_survive_wherever_a_base_is_used() {
    survives(&json!({
        "report": "r", "place": [],
        "base": { "b": "1", "g": "2", "new": { "a": 1 } },
        "derived": { "d": "1", "b": "2", "g": "3", "kinds": ["k"], "new": { "a": 1 } },
        "loop": { "x": 1, "new": 1, "previous": { "x": 2, "new": 2 } },
        "step": { "Extra": "unknown", "extra": { "g": "1", "new": 1 }, "beside": 2 },
        "later": true,
    }));
    let base = Base::from_str(r#"{ "b": "1", "new": 1 }"#).unwrap();
    assert_eq!(serde_json::to_value(base).unwrap(), json!({ "b": "1", "new": 1 }));
}

#[test]
fn fields_may_have_the_names_of_keywords_variables_and_our_own_fields() {
    let ticket = Ticket::new("r", ["p"])
        .with_2nd("2")
        .with_gen("g")
        .with_async("a")
        .with_self("s")
        .with_union("u")
        .with_default("d")
        .with_extra("e")
        .with_envelope("v")
        .with_common("c")
        .with_rtl("l");
    let expected = json!({
        "report": "r", "place": ["p"], "2nd": "2", "gen": "g", "async": "a", "self": "s", "union": "u",
        "default": "d", "extra": "e", "envelope": "v", "common": "c", "\u{202e}rtl": "l",
    });
    assert_eq!(serde_json::to_value(&ticket).unwrap(), expected);
    survives(&expected);
}

#[test]
fn values_that_differ_only_in_letter_case_are_one() {
    assert_eq!(AKind::from("Self"), AKind::Self_);
    assert_eq!(AKind::from("a_b_test"), AKind::ABTest);
    assert_eq!(AKind::from("unknown value"), AKind::UnknownValue_);
}

#[test]
fn the_parts_of_a_union_may_have_the_names_that_we_use() {
    let step = Step::Unknown {
        extra_: "later".to_owned(),
        extra__: json!({ "a": 1 }),
        extra: support::Extra::new(),
    };
    assert_eq!(step.extra_(), "later");
    let written = json!({ "Extra": "later", "extra": { "a": 1 } });
    assert_eq!(serde_json::to_value(&step).unwrap(), written);
}

#[test]
fn every_rule_is_checked() {
    let ticket = survives(&json!({
        "report": "long", "place": ["long"], "value": "long", "2nd": "long",
        "count": 0, "ratio": 1.5, "counts": [2, 1],
        "untyped_list": [1, null], "untyped_map": { "a": 1, "b": null },
        "deep": [{ "a": [["long"]] }],
        "derived": { "d": "1" },
    }));
    let found = ticket.validate();
    let found: Vec<_> = found.iter().map(|found| found.pointer.as_str()).collect();
    let expected = [
        "/report",
        "/place/0",
        "/value",
        "/2nd",
        "/count",
        "/ratio",
        "/counts/1",
        "/untyped_list",
        "/untyped_map",
        "/deep/0/a/0/0",
        "/derived/b",
        "/derived/kinds",
    ];
    assert_eq!(found, expected);
    let derived = Derived::new();
    assert_eq!(derived.validate().len(), 2);
}
