//! What the linter finds with each set of rules, on typed batches and on JSON.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

use mparticle_models::Batch;
use mparticle_models::data_plan::{DataPlanFile, Finding, FindingKind, Linter, Rules, Subject};
use proptest::prelude::*;
use serde_json::{Value, json};

fn linter(points: &Value, rules: Rules) -> Linter {
    let json = json!({
        "data_plan_id": "shop",
        "version": 3,
        "version_document": { "data_points": points },
    });
    let file = DataPlanFile::from_str(&json.to_string()).unwrap();
    Linter::new(&file.select(None, None).unwrap(), rules)
}

fn custom_event(definition: &Value) -> Value {
    json!({
        "match": {
            "type": "custom_event",
            "criteria": { "event_name": "Chosen", "custom_event_type": "other" },
        },
        "validator": { "type": "json_schema", "definition": definition },
    })
}

/// Returns a point whose event has one attribute.
fn with_attribute(definition: &Value) -> Value {
    custom_event(&json!({ "properties": { "data": { "properties": {
        "custom_attributes": { "properties": { "a": definition } },
    } } } }))
}

fn batch(attributes: &Value) -> Value {
    json!({ "environment": "development", "events": [{
        "event_type": "custom_event",
        "data": {
            "event_name": "Chosen",
            "custom_event_type": "other",
            "custom_attributes": attributes,
        },
    }] })
}

fn kinds(findings: &[Finding]) -> Vec<FindingKind> {
    findings.iter().map(|finding| finding.kind).collect()
}

/// Definitions of an attribute with a value, and whether the rules of Node and of the platform accept it.
fn values() -> Vec<(Value, Value, bool, bool)> {
    vec![
        (json!({ "type": "string" }), json!("x"), true, true),
        (json!({ "type": "string" }), json!(1), false, false),
        (json!({ "type": "number" }), json!(1.5), true, true),
        (json!({ "type": "number" }), json!("42"), false, true),
        (json!({ "type": "boolean" }), json!(true), true, true),
        (json!({ "type": "boolean" }), json!("TRUE"), false, true),
        (json!({ "type": "integer" }), json!(1.5), false, false),
        (json!({ "enum": ["a", "b"] }), json!("b"), true, true),
        (json!({ "enum": ["a", "b"] }), json!("c"), false, false),
        (json!({ "const": 2 }), json!(2), true, true),
        (json!({ "const": 2 }), json!(3), false, false),
        (json!({ "type": "number", "minimum": 2 }), json!(1), false, false),
        (json!({ "type": "number", "maximum": 2 }), json!(2), true, true),
        (json!({ "type": "number", "exclusiveMaximum": 2 }), json!(2), false, false),
        (json!({ "type": "string", "minLength": 2 }), json!("x"), false, false),
        (json!({ "type": "string", "maxLength": 1 }), json!("x"), true, true),
        (json!({ "type": "string", "pattern": "^[a-z]+$" }), json!("abc"), true, true),
        (json!({ "type": "string", "pattern": "^[a-z]+$" }), json!("ABC"), false, false),
        (json!({ "type": "string", "format": "email" }), json!("a@example.com"), true, true),
        (json!({ "type": "string", "format": "email" }), json!("a"), false, false),
        (json!({ "type": "string", "format": "date" }), json!("2026-02-31"), true, false),
    ]
}

#[test]
fn values_are_compared_with_their_definitions() {
    for (definition, value, node, platform) in values() {
        for (rules, accepted) in [(Rules::node(), node), (Rules::platform(), platform)] {
            let linter = linter(&json!([with_attribute(&definition)]), rules);
            let json = batch(&json!({ "a": value }));
            let found = linter.lint_json(&json);
            let context = format!("{definition} {value} {rules:?}: {found:?}");
            assert_eq!(found.is_empty(), accepted, "{context}");
            if let Some(first) = found.first() {
                assert_eq!(first.kind, FindingKind::InvalidValue, "{context}");
                assert_eq!(first.pointer, "/events/0/data/custom_attributes/a", "{context}");
                assert_eq!(first.subject, Subject::Event(0), "{context}");
            }
            let typed = Batch::from_str(&json.to_string()).unwrap();
            assert_eq!(linter.lint(&typed), found, "{context}");
        }
    }
}

#[test]
fn unplanned_and_missing_data_is_found() {
    let definition = json!({ "properties": { "data": { "properties": { "custom_attributes": {
        "properties": { "a": {}, "b": {} },
        "required": ["a"],
        "additionalProperties": false,
    } } } } });
    let points = json!([custom_event(&definition), {
        "match": { "type": "user_attributes", "criteria": {} },
        "validator": { "type": "json_schema", "definition": {
            "properties": { "tier": { "type": "string" } }, "additionalProperties": false,
        } },
    }]);
    for rules in [Rules::node(), Rules::platform()] {
        let linter = linter(&points, rules);
        let mut json = batch(&json!({ "c": 1 }));
        json["user_attributes"] = json!({ "level": 1 });
        json["events"].as_array_mut().unwrap().push(json!({
            "event_type": "screen_view", "data": { "screen_name": "Home" },
        }));
        let found = linter.lint_json(&json);
        let mut sorted = kinds(&found);
        sorted.sort();
        let (missing, unplanned) = (FindingKind::MissingAttribute, FindingKind::UnplannedAttribute);
        assert_eq!(
            sorted,
            [FindingKind::UnplannedEvent, unplanned, unplanned, missing],
            "{found:?}"
        );
        let user = found.iter().find(|found| found.subject == Subject::UserAttributes).unwrap();
        assert_eq!(user.pointer, "/user_attributes/level");
    }
}

#[test]
fn the_platform_compares_identities_in_both_spellings() {
    let points = json!([{
        "match": { "type": "user_identities", "criteria": {} },
        "validator": { "type": "json_schema", "definition": {
            "properties": { "customerid": { "type": "string" }, "ios_idfa": {} },
            "additionalProperties": false,
        } },
    }]);
    let planned = json!({
        "user_identities": { "customer_id": "1" }, "device_info": { "ios_advertising_id": "2" },
    });
    let unplanned = json!({ "user_identities": { "email": "a@example.com" } });
    let platform = linter(&points, Rules::platform());
    assert_eq!(platform.lint_json(&planned), []);
    let found = platform.lint_json(&unplanned);
    assert_eq!(kinds(&found), [FindingKind::UnplannedAttribute]);
    assert_eq!(found[0].pointer, "/user_identities/email");
    assert_eq!(linter(&points, Rules::node()).lint_json(&unplanned), []);
}

#[test]
fn a_faulty_plan_is_told_with_its_place_and_its_other_rules_work() {
    let faults = [
        (json!({ "maxLenght": 5 }), "/custom_attributes/properties/a/maxLenght"),
        (json!({ "enum": ["a", "a"] }), "/enum/1"),
        (json!({ "type": "string", "format": "nonsense" }), "/format"),
        (json!({ "type": "string", "pattern": "(" }), "/pattern"),
        (json!({ "type": "nonsense" }), "/type"),
    ];
    for (definition, place) in faults {
        let points = json!([with_attribute(&definition), {
            "match": { "type": "screen_view", "criteria": { "screen_name": "Home" } },
            "validator": { "type": "json_schema", "definition": { "required": ["nothing"] } },
        }]);
        let linter = linter(&points, Rules::node());
        let faults = linter.plan_findings();
        assert_eq!(kinds(faults), [FindingKind::PlanFault], "{definition}: {faults:?}");
        assert!(faults[0].pointer.ends_with(place), "{faults:?}");
        let home = json!({ "events": [{
            "event_type": "screen_view", "data": { "screen_name": "Home" },
        }] });
        assert_eq!(kinds(&linter.lint_json(&home)), [FindingKind::MissingAttribute]);
    }
}

#[test]
fn points_that_no_event_can_match_are_told() {
    let points = json!([
        {},
        { "match": { "type": "custom_event" }, "validator": { "type": "json_schema" } },
        { "match": { "type": "profile" }, "validator": { "type": "json_schema", "definition": {} } },
    ]);
    let linter = linter(&points, Rules::platform());
    let places: Vec<&str> =
        linter.plan_findings().iter().map(|found| found.pointer.as_str()).collect();
    for index in 0..3 {
        let place = format!("/version_document/data_points/{index}");
        assert!(places.iter().any(|found| found.starts_with(&place)), "{place}: {places:?}");
    }
}

#[test]
fn a_batch_of_another_plan_is_not_compared_by_the_platform() {
    let mut json = batch(&json!({ "a": 1 }));
    json["context"] = json!({ "data_plan": { "plan_id": "shop", "plan_version": 2 } });
    let points = json!([with_attribute(&json!({ "type": "string" }))]);
    let found = linter(&points, Rules::platform()).lint_json(&json);
    assert_eq!(kinds(&found), [FindingKind::OtherPlan]);
    assert_eq!(
        kinds(&linter(&points, Rules::node()).lint_json(&json)),
        [FindingKind::InvalidValue]
    );
}

#[test]
fn nesting_without_end_neither_panics_nor_hangs() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(DataPlanFile::from_str(&deep).is_err());
    let linter = linter(&json!([]), Rules::node());
    assert!(linter.lint_slice(deep.as_bytes()).is_err());
}

#[test]
fn schemas_and_batches_that_take_long_are_given_up() {
    let endless = custom_event(&json!({ "allOf": [{ "$ref": "#" }, { "$ref": "#" }] }));
    let many = json!({ "items": { "allOf": vec![json!({ "type": "string" }); 5_000] } });
    let many = with_attribute(&many);
    let unique = with_attribute(&json!({ "uniqueItems": true }));
    let list = json!((0..20_000).map(|number| json!([number])).collect::<Vec<_>>());
    for (point, is_given_up) in [(endless, true), (many, true), (unique, false)] {
        for rules in [Rules::node(), Rules::platform()] {
            let linter = linter(&json!([point]), rules);
            let start = std::time::Instant::now();
            let found = linter.lint_json(&batch(&json!({ "a": list })));
            assert!(start.elapsed().as_secs() < 60, "{rules:?} {point}");
            let given_up = found.iter().any(|f| f.keyword == Some("$limit"));
            assert!(given_up == is_given_up, "{rules:?} {is_given_up}");
        }
    }
}

fn scalars() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3..4_i64).prop_map(Value::from),
        (-3.0..3.0_f64).prop_map(Value::from),
        prop::sample::select(vec!["", "a", "ab", "42", "true", "a@b.de", "2026-01-31"])
            .prop_map(Value::from),
    ]
}

fn keywords() -> impl Strategy<Value = Value> {
    let types = vec!["string", "number", "integer", "boolean", "null", "object", "nonsense"];
    let keyword = prop_oneof![
        prop::sample::select(types).prop_map(|name| ("type", Value::from(name))),
        prop::collection::vec(scalars(), 0..4).prop_map(|values| ("enum", Value::from(values))),
        scalars().prop_map(|value| ("const", value)),
        scalars().prop_map(|value| ("minimum", value)),
        scalars().prop_map(|value| ("maxLength", value)),
        prop::sample::select(vec!["^a", "(", r"\d+", "(?=a)", "b$"])
            .prop_map(|pattern| ("pattern", pattern.into())),
        prop::sample::select(vec!["email", "date", "uri", "nonsense"])
            .prop_map(|format| ("format", format.into())),
    ];
    prop::collection::vec(keyword, 0..4).prop_map(|keywords| {
        keywords.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    })
}

proptest! {
    /// A typed batch has the findings of the JSON that it is written as.
    #[test]
    fn typed_batches_and_their_json_have_the_same_findings(
        definition in keywords(),
        closed in any::<bool>(),
        attributes in prop::collection::btree_map("[ab]", scalars(), 0..3),
    ) {
        let definition = json!({ "properties": { "data": { "properties": { "custom_attributes": {
            "properties": { "a": definition }, "required": ["a"], "additionalProperties": !closed,
        } } } } });
        let json = batch(&json!(attributes));
        let typed = Batch::from_str(&json.to_string()).unwrap();
        let written = typed.to_json().unwrap();
        for rules in [Rules::node(), Rules::platform()] {
            let linter = linter(&json!([custom_event(&definition)]), rules);
            prop_assert_eq!(linter.lint(&typed), linter.lint_slice(written.as_bytes()).unwrap());
        }
    }
}
