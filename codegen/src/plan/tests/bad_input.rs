//! What is wrong with a plan is reported at its place, and never a panic.

use std::fs;

use serde_json::{Value, json};

use super::super::embed;
use super::super::emit::Layout;
use super::super::input::{self, Choice};
use super::super::overrides::Overrides;
use super::super::{generate, generate_from};
use super::{fixtures, read};
use crate::diagnostic::{Code, Diagnostic};

/// A plan of one event with one attribute.
#[allow(clippy::needless_pass_by_value, reason = "the values are written where they are passed")]
fn attribute(definition: Value) -> Value {
    custom(json!({ "properties": { "custom_attributes": { "properties": { "a": definition } } } }))
}

#[allow(clippy::needless_pass_by_value, reason = "the values are written where they are passed")]
fn custom(data: Value) -> Value {
    json!({ "data_points": [{
        "match": { "type": "custom_event", "criteria": { "event_name": "E", "custom_event_type": "other" } },
        "validator": { "type": "json_schema", "definition": { "properties": { "data": data } } },
    }] })
}

#[allow(clippy::needless_pass_by_value, reason = "the values are written where they are passed")]
fn matching(matches: Value) -> Value {
    json!({ "data_points": [{ "match": matches, "validator": { "type": "json_schema", "definition": {} } }] })
}

const DATA: &str = "/data_points/0/validator/definition/properties/data";
const ATTRIBUTE: &str =
    "/data_points/0/validator/definition/properties/data/properties/custom_attributes/properties/a";
const SKIP: &str = ", or leave it out with `\"custom_event:other:E\".attributes.\"a\".skip = true` in the overrides";

#[test]
fn each_error_has_a_place_and_a_way_out() {
    let at = |suffix: &str| format!("{ATTRIBUTE}{suffix}");
    let cases = [
        (json!({ "data_points": {} }), Code::InvalidPlan, "/data_points".to_owned()),
        (json!({ "data_points": [1] }), Code::InvalidPlan, "/data_points/0".to_owned()),
        (custom(json!(1)), Code::InvalidPlan, DATA.to_owned()),
        (custom(json!({ "properties": [] })), Code::InvalidPlan, format!("{DATA}/properties")),
        (custom(json!({ "required": "a" })), Code::InvalidPlan, format!("{DATA}/required")),
        (custom(json!({ "required": [1] })), Code::InvalidPlan, format!("{DATA}/required")),
        (
            custom(json!({ "additionalProperties": 1 })),
            Code::InvalidPlan,
            format!("{DATA}/additionalProperties"),
        ),
        (custom(json!({ "anyOf": [] })), Code::UnsupportedKeyword, format!("{DATA}/anyOf")),
        (attribute(json!("text")), Code::InvalidPlan, at("")),
        (attribute(json!({ "type": "text" })), Code::InvalidPlan, at("/type")),
        (attribute(json!({ "type": 1 })), Code::InvalidPlan, at("/type")),
        (attribute(json!({ "type": "array" })), Code::UnsupportedShape, at("")),
        (attribute(json!({ "type": "object" })), Code::UnsupportedShape, at("")),
        (attribute(json!({ "type": ["object", "array"] })), Code::UnsupportedShape, at("")),
        (attribute(json!({ "properties": {} })), Code::UnsupportedShape, at("")),
        (attribute(json!({ "const": [] })), Code::UnsupportedShape, at("/const")),
        (attribute(json!({ "enum": [] })), Code::InvalidPlan, at("/enum")),
        (attribute(json!({ "enum": "a" })), Code::InvalidPlan, at("/enum")),
        (attribute(json!({ "enum": ["a", {}] })), Code::UnsupportedShape, at("/enum/1")),
        (attribute(json!({ "$ref": "#" })), Code::UnsupportedKeyword, at("/$ref")),
        (attribute(json!({ "not": {} })), Code::UnsupportedKeyword, at("/not")),
        (attribute(json!({ "if": {} })), Code::UnsupportedKeyword, at("/if")),
    ];
    for (plan, code, pointer) in cases {
        let (_, report) = read("p.json", &plan, &mut Overrides::default());
        let [error] = report.errors.as_slice() else { panic!("{plan}: {:?}", report.errors) };
        assert_eq!((error.code, &error.origin.pointer), (code, &pointer), "{plan}: {error:?}");
        assert!(!error.help.is_empty(), "{plan}");
        if pointer.starts_with(ATTRIBUTE) {
            assert!(error.help.ends_with(SKIP), "{}", error.help);
            let skip = "\"custom_event:other:E\".attributes.\"a\".skip = true";
            let mut overrides = Overrides::parse("o.toml", skip).unwrap();
            let (_, report) = read("p.json", &plan, &mut overrides);
            assert_eq!((report.errors, overrides.unused()), (Vec::new(), Vec::new()));
        }
    }
}

#[test]
fn what_becomes_no_type_is_a_warning() {
    let event = json!({ "event_name": "E", "custom_event_type": "other" });
    let skipped = |matches: Value| (matching(matches), Code::SkippedPoint, "/data_points/0/match");
    let twice = matching(json!({ "type": "user_attributes" }));
    let twice = json!({ "data_points": [twice["data_points"][0], twice["data_points"][0]] });
    let repeated = format!("{ATTRIBUTE}/enum/1");
    let cases = [
        skipped(json!({})),
        skipped(json!({ "type": 1 })),
        skipped(json!({ "type": "session_start" })),
        skipped(json!({ "type": "user_identity_chagne" })),
        skipped(json!({ "type": "custom_event" })),
        skipped(json!({ "type": "custom_event", "criteria": { "event_name": "E" } })),
        skipped(
            json!({ "type": "custom_event", "criteria": { "event_name": 1, "custom_event_type": "other" } }),
        ),
        skipped(json!({ "type": "screen_view", "criteria": {} })),
        skipped(json!({ "type": "product_action", "criteria": null })),
        (json!({ "data_points": [{}] }), Code::SkippedPoint, "/data_points/0/match"),
        (twice, Code::RepeatedPoint, "/data_points/1"),
        (attribute(json!({ "enum": ["a", "a"] })), Code::Contradiction, repeated.as_str()),
    ];
    for (plan, code, pointer) in cases {
        let (_, report) = read("p.json", &plan, &mut Overrides::default());
        assert_eq!(report.errors, [], "{plan}");
        let [warning] = report.warnings.as_slice() else { panic!("{plan}: {:?}", report.warnings) };
        assert_eq!((warning.code, warning.origin.pointer.as_str()), (code, pointer), "{plan}");
        assert!(!warning.help.is_empty(), "{plan}");
    }
    // What another dialect means or what nobody knows is left to the linter.
    for definition in [
        json!({ "type": "string", "pattern": "(?i)(" }),
        json!({ "type": "string", "format": "duration" }),
        json!({ "type": "string", "minimum": {} }),
        json!({ "type": "string", "required": true }),
        json!({ "$comment": 1 }),
    ] {
        let (_, report) = read("p.json", &attribute(definition), &mut Overrides::default());
        assert_eq!((report.errors, report.warnings), (Vec::new(), Vec::new()));
    }
    let (_, report) = read(
        "p.json",
        &matching(json!({ "type": "custom_event", "criteria": event })),
        &mut Overrides::default(),
    );
    assert_eq!(report.warnings, []);
}

fn generated(text: &[u8]) -> Result<String, Vec<Diagnostic>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.json");
    fs::write(&path, text).unwrap();
    let generated = generate(&path, None, &Choice::default(), Layout::Module)?;
    Ok(generated.text)
}

#[test]
fn a_file_that_is_no_json_is_refused_at_its_line() {
    let deep = "[".repeat(100_000);
    let cases: [(&[u8], Code, &str); 6] = [
        (b"", Code::InvalidJson, "p.json:1"),
        (b"{\n\"data_points\": [,] }", Code::InvalidJson, "p.json:2"),
        (b"\xff\xfe", Code::InvalidJson, "p.json:1"),
        (deep.as_bytes(), Code::InvalidJson, "p.json:1"),
        (b"{ \"data_points\": [],\n\"data_points\": [] }", Code::RepeatedKey, "p.json:2"),
        (b"[]", Code::PlanChoice, "p.json"),
    ];
    for (text, code, place) in cases {
        let errors = generated(text).unwrap_err();
        assert_eq!(errors.len(), 1);
        assert_eq!((errors[0].code, errors[0].origin.to_string().as_str()), (code, place));
        assert!(!errors[0].help.is_empty());
    }
    let with_mark =
        [b"\xef\xbb\xbf", matching(json!({ "type": "user_attributes" })).to_string().as_bytes()]
            .concat();
    assert!(generated(&with_mark).unwrap().contains("pub struct Attributes"));
    let missing = generate("absent.json".as_ref(), None, &Choice::default(), Layout::Module);
    assert_eq!(missing.err().unwrap()[0].code, Code::UnreadableFile);
}

/// One long list must not make the time grow with its square.
#[test]
fn two_megabytes_are_read() {
    let values: Vec<_> = (0..50_000).map(|n| format!("the value of the number {n:020}")).collect();
    let plan = attribute(json!({ "type": "string", "enum": values }));
    assert!(plan.to_string().len() > 2_000_000);
    let start = std::time::Instant::now();
    let (_, report) = read("p.json", &plan, &mut Overrides::default());
    assert_eq!(report.errors, []);
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
}

/// Replaces each node of a plan in turn: the result is code or a report, never a panic.
#[test]
fn no_mutation_of_a_plan_panics() {
    let text = fs::read_to_string(fixtures().join("awkward.json")).unwrap();
    let plan: Value = serde_json::from_str(&text).unwrap();
    let mut pointers = Vec::new();
    collect(&plan, String::new(), &mut pointers);
    let mut rng = fastrand::Rng::with_seed(4);
    let replacements = [json!(null), json!(true), json!([]), json!({}), json!(7), json!("text")];
    for _ in 0..100 {
        let mut plan = plan.clone();
        for _ in 0..12 {
            let pointer = &pointers[rng.usize(..pointers.len())];
            if let Some(node) = plan.pointer_mut(pointer) {
                *node = replacements[rng.usize(..replacements.len())].clone();
            }
        }
        let Ok(chosen) = input::choose("p.json", &plan, &Choice::default()) else { continue };
        let (read, _) = read("p.json", &plan, &mut Overrides::default());
        let models = mparticle_models::DataPlanVersion::from_str(&embed::json(&read));
        assert!(models.is_ok(), "{models:?}");
        match generate_from("p.json", &chosen, Overrides::default(), Layout::Module) {
            Ok(generated) => assert!(syn::parse_file(&generated.text).is_ok()),
            Err(errors) => {
                let is_helpful = |error: &Diagnostic| {
                    error.code != Code::Lowering
                        && !error.help.is_empty()
                        && !error.origin.pointer.is_empty()
                };
                assert!(errors.iter().all(is_helpful), "{errors:?}");
            }
        }
    }
}

fn collect(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    let children: Vec<_> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.replace('~', "~0").replace('/', "~1"), value))
            .collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, item)| (index.to_string(), item)).collect()
        }
        _ => Vec::new(),
    };
    for (name, child) in children {
        collect(child, format!("{pointer}/{name}"), pointers);
    }
    pointers.push(pointer);
}
