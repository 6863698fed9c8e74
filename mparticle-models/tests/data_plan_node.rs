//! The results of Node rules, keyword by keyword.
//!
//! Each line of `data_plan_node.jsonl` has the schema of an attribute, its value, and the errors that version 1.0.6 of
//! mParticle's Node.js library reports: keyword, kind, pointer, key, what is expected, and the actual value.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use mparticle_models::data_plan::{DataPlanFile, Linter, Rules};
use serde_json::{Value, json};

const CASES: &str = include_str!("data_plan_node.jsonl");

/// Keywords that say nothing about a value on their own, or report under another keyword.
const WITHOUT_ERRORS: [&str; 8] =
    ["$ref", "allOf", "else", "items", "patternProperties", "properties", "then", "type"];

fn linter(case: &Value) -> Linter {
    let definition = json!({ "properties": { "a": case["schema"], "b": { "type": "string" } } });
    let plan = json!({ "data_points": [{
        "match": { "type": "user_attributes" },
        "validator": { "type": "json_schema", "definition": definition },
    }] });
    let version = DataPlanFile::from_str(&plan.to_string()).unwrap().select(None, None).unwrap();
    Linter::new(&version, Rules::node())
}

fn row(error: &Value) -> Value {
    let names =
        ["schema_keyword", "validation_error_type", "error_pointer", "key", "expected", "actual"];
    names.iter().map(|name| error[name].clone()).collect()
}

fn sorted(rows: impl Iterator<Item = Value>) -> Vec<String> {
    let mut rows: Vec<String> = rows.map(|row| row.to_string()).collect();
    rows.sort();
    rows
}

#[test]
fn each_keyword_has_the_errors_of_the_library() {
    for line in CASES.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        // The value as it is written, because the library repeats objects with the order of their keys.
        let (_, value) = line.split_once(r#""value": "#).unwrap();
        let (value, _) = value.rsplit_once(r#", "errors": "#).unwrap();
        let batch = format!(r#"{{ "user_attributes": {{ "a": {value} }} }}"#);
        let linter = linter(&case);
        assert_eq!(linter.plan_findings(), [], "{line}");
        let results = linter.results_slice(batch.as_bytes()).unwrap();
        let errors = results.pointer("/0/data/validation_errors").and_then(Value::as_array);
        let found = sorted(errors.into_iter().flatten().map(row));
        let recorded = sorted(case["errors"].as_array().unwrap().iter().cloned());
        assert_eq!(found, recorded, "{line}");
    }
}

#[test]
fn the_cases_cover_each_keyword() {
    let cases: Vec<Value> = CASES.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let reported: BTreeSet<&str> = cases
        .iter()
        .flat_map(|case| case["errors"].as_array().unwrap())
        .filter_map(|error| error[0].as_str())
        .collect();
    let used = cases.iter().flat_map(|case| case["schema"].as_object().unwrap().keys());
    for keyword in used.map(String::as_str) {
        assert!(reported.contains(keyword) || WITHOUT_ERRORS.contains(&keyword), "{keyword}");
    }
}
