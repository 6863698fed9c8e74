//! The differences between two versions of a data plan.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::{env, fs};

use mparticle_models::DataPlanVersion;
use mparticle_models::data_plan::{ChangeKind, DataPlanFile, Diff, diff};
use proptest::prelude::*;
use serde_json::{Value, json};

fn version(points: &Value) -> DataPlanVersion {
    let json = json!({ "data_points": points }).to_string();
    DataPlanFile::from_str(&json).unwrap().select(None, None).unwrap()
}

fn point(name: &str, attributes: &Value) -> Value {
    json!({
        "match": { "type": "screen_view", "criteria": { "screen_name": name } },
        "validator": { "type": "json_schema", "definition": { "properties": { "data": {
            "properties": { "custom_attributes": attributes },
        } } } },
    })
}

/// Returns the version whose only screen has these attributes.
fn screen(attributes: &Value) -> DataPlanVersion {
    version(&json!([point("Cart", attributes)]))
}

/// Returns the version whose only attribute has this definition.
fn attribute(definition: &Value) -> DataPlanVersion {
    screen(&json!({ "properties": { "size": definition } }))
}

/// Returns the kinds of changes, and what they break: `c` for code, `d` for data.
fn summary(diff: &Diff) -> Vec<(ChangeKind, String)> {
    let breaks = |code: bool, data: bool| {
        format!("{}{}", if code { "c" } else { "" }, if data { "d" } else { "" })
    };
    let changes = diff.changes.iter();
    changes.map(|change| (change.kind, breaks(change.breaks_code, change.breaks_data))).collect()
}

#[test]
fn each_change_of_a_rule_is_told_with_what_it_breaks() {
    use ChangeKind::{Changed, Narrowed, Widened};
    let cases = [
        (json!({ "type": "string" }), json!({ "type": "number" }), Changed, "cd"),
        (json!({ "type": "number" }), json!({ "type": "integer" }), Narrowed, "cd"),
        (json!({ "type": "string" }), json!({ "type": ["string", "null"] }), Widened, "c"),
        (json!({ "enum": ["S", "M"] }), json!({ "enum": ["M"] }), Narrowed, "cd"),
        (json!({ "enum": ["S"] }), json!({ "enum": ["M", "S"] }), Widened, "c"),
        (json!({ "enum": ["S"] }), json!({ "enum": ["M"] }), Changed, "cd"),
        (json!({}), json!({ "enum": ["M"] }), Narrowed, "cd"),
        (json!({ "const": 1 }), json!({ "const": 2 }), Changed, "cd"),
        (json!({ "minimum": 1 }), json!({ "minimum": 2 }), Narrowed, "d"),
        (json!({ "maximum": 1 }), json!({ "maximum": 2 }), Widened, ""),
        (json!({ "maxLength": 2 }), json!({ "maxLength": 1 }), Narrowed, "d"),
        (json!({ "minLength": 2 }), json!({}), Widened, ""),
        (json!({ "format": "email" }), json!({ "format": "uri" }), Changed, "d"),
        (json!({}), json!({ "pattern": "^a" }), Narrowed, "cd"),
        (
            json!({ "additionalProperties": { "type": "string" } }),
            json!({ "additionalProperties": { "type": "number" } }),
            Changed,
            "d",
        ),
    ];
    for (old, new, kind, breaks) in cases {
        let found = diff(&attribute(&old), &attribute(&new));
        assert_eq!(summary(&found), [(kind, breaks.to_owned())], "{old} {new}: {found}");
        let change = found.changes.first().unwrap();
        assert_eq!(change.point, "screen_view::Cart");
        assert_eq!(change.attribute.as_deref(), Some("/data/custom_attributes/size"));
    }
}

#[test]
fn attributes_and_their_maps_are_compared() {
    use ChangeKind::{Added, Narrowed, PossiblyRenamed, Removed, Widened};
    let size = json!({ "properties": { "size": { "type": "string" } } });
    let both =
        json!({ "properties": { "size": { "type": "string" }, "count": { "type": "integer" } } });
    let required = json!({ "properties": { "size": { "type": "string" } }, "required": ["size"] });
    let colour = json!({ "properties": { "colour": { "type": "string" } } });
    let closed = |attributes: &Value| {
        let mut closed = attributes.clone();
        closed.as_object_mut().unwrap().insert("additionalProperties".into(), false.into());
        closed
    };
    let cases = [
        // The attribute was free before.
        (&size, &both, vec![(Added, "d")]),
        (&closed(&size), &closed(&both), vec![(Added, "")]),
        (&both, &size, vec![(Removed, "c")]),
        (&closed(&both), &closed(&size), vec![(Removed, "cd")]),
        (&size, &required, vec![(Narrowed, "cd")]),
        (&required, &size, vec![(Widened, "c")]),
        (&size, &closed(&size), vec![(Narrowed, "cd")]),
        (&closed(&size), &size, vec![(Widened, "")]),
        (&closed(&size), &closed(&colour), vec![(Removed, "cd"), (PossiblyRenamed, "")]),
    ];
    for (old, new, expected) in cases {
        let found = diff(&screen(old), &screen(new));
        let expected: Vec<_> =
            expected.into_iter().map(|(kind, breaks)| (kind, breaks.to_owned())).collect();
        assert_eq!(summary(&found), expected, "{old} {new}: {found}");
    }
}

fn kinds(old: &DataPlanVersion, new: &DataPlanVersion) -> Vec<ChangeKind> {
    diff(old, new).changes.iter().map(|change| change.kind).collect()
}

#[test]
fn points_are_compared_by_their_keys() {
    use ChangeKind::{Added, PossiblyRenamed, Removed};
    let (none, text) = (json!({}), json!({ "properties": { "size": { "type": "string" } } }));
    let of = |points: &[(&str, &Value)]| {
        let points = points.iter().map(|(name, attributes)| point(name, attributes));
        version(&points.collect::<Vec<_>>().into())
    };
    let both = of(&[("Cart", &text), ("Home", &none)]);
    assert_eq!(kinds(&both, &of(&[("Home", &none), ("Cart", &text)])), []);
    assert_eq!(kinds(&of(&[("Cart", &text)]), &both), [Added]);
    assert_eq!(kinds(&both, &of(&[("Cart", &text)])), [Removed]);
    let renamed = of(&[("Basket", &text), ("Home", &none)]);
    assert_eq!(kinds(&both, &renamed), [Removed, PossiblyRenamed]);
}

#[test]
fn descriptions_and_order_make_no_difference() {
    let old = json!({ "description": "a", "required": ["b", "a"], "properties": {
        "a": { "type": ["string", "null"], "enum": ["x", "y"] }, "b": { "description": "old" },
    } });
    let new = json!({ "description": "b", "required": ["a", "b"], "properties": {
        "b": { "description": "new" }, "a": { "enum": ["y", "x"], "type": ["null", "string"] },
    } });
    assert_eq!(diff(&screen(&old), &screen(&new)).changes, []);
}

#[test]
fn a_diff_is_text_and_json() {
    let found = diff(&attribute(&json!({ "maximum": 2 })), &attribute(&json!({ "maximum": 1 })));
    let line = "screen_view::Cart /data/custom_attributes/size: narrowed: maximum from 2 to 1 (breaks data)\n";
    assert_eq!(found.to_string(), line);
    assert_eq!(
        serde_json::to_value(&found).unwrap(),
        json!({ "changes": [{
            "point": "screen_view::Cart",
            "attribute": "/data/custom_attributes/size",
            "kind": "narrowed",
            "detail": "maximum from 2 to 1",
            "breaks_code": false,
            "breaks_data": true,
        }] })
    );
}

#[test]
fn faulty_points_are_left_out() {
    let faulty = json!([
        {},
        { "match": { "type": "custom_event" } },
        { "match": { "type": "nonsense" }, "validator": { "type": "json_schema", "definition": 7 } },
        point("Cart", &json!({ "properties": 5, "required": true, "enum": {}, "type": 3 })),
    ]);
    assert_eq!(diff(&version(&faulty), &version(&faulty)).changes, []);
    assert!(!diff(&version(&faulty), &version(&json!([]))).changes.is_empty());
}

fn definitions() -> impl Strategy<Value = Value> {
    let keyword = prop_oneof![
        (0..9_i32).prop_map(|n| ("minimum", n.into())),
        (0..9_i32).prop_map(|n| ("maxLength", n.into())),
        prop::collection::vec(0..4_i32, 1..4).prop_map(|list| ("enum", list.into())),
        prop::sample::select(vec!["string", "number", "integer"]).prop_map(|t| ("type", t.into())),
        any::<bool>().prop_map(|b| ("additionalProperties", b.into())),
    ];
    prop::collection::vec(keyword, 0..4).prop_map(|keywords| {
        keywords.into_iter().map(|(name, value): (&str, Value)| (name.to_owned(), value)).collect()
    })
}

proptest! {
    #[test]
    fn what_is_narrower_in_one_direction_is_wider_in_the_other(
        old in definitions(),
        new in definitions(),
    ) {
        let (old, new) = (attribute(&old), attribute(&new));
        prop_assert!(diff(&old, &old).changes.is_empty());
        let opposite = |kind| match kind {
            ChangeKind::Narrowed => ChangeKind::Widened,
            ChangeKind::Widened => ChangeKind::Narrowed,
            other => other,
        };
        let there = diff(&old, &new).changes;
        let back = diff(&new, &old).changes;
        let expected: Vec<_> = back.iter().map(|change| opposite(change.kind)).collect();
        prop_assert_eq!(there.iter().map(|change| change.kind).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn versions_of_a_real_plan_are_compared() {
    let Some(folder) = env::var_os("MPARTICLE_REFERENCE") else {
        println!("skipped: MPARTICLE_REFERENCE is not set");
        return;
    };
    let folder = Path::new(&folder).join("data-plans/versions");
    let read = |name: &str| {
        let bytes = fs::read(folder.join(name)).unwrap();
        DataPlanFile::from_slice(&bytes).unwrap().select(None, None).unwrap()
    };
    // Only a description differs between the first two.
    for (old, new, is_empty) in [
        ("dpnode_sample_data_plan_v1.json", "dpnode_sample_data_plan_v2.json", true),
        ("eslint_rob_test_v2.json", "eslint_rob_test_v3.json", false),
    ] {
        let (old, new) = (read(old), read(new));
        assert_eq!(diff(&old, &new).changes.is_empty(), is_empty);
        assert_eq!(diff(&new, &new).changes, []);
    }
}
