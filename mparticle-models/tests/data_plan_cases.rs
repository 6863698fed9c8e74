//! Compares the linter with recorded results of mParticle's Node.js library.
//!
//! The cases are in `data-plans/cases` of the folder in `MPARTICLE_REFERENCE`. The test is skipped if it is not set.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::path::Path;
use std::{env, fs};

use mparticle_models::data_plan::{DataPlanFile, Linter, Rules};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// A case. Inputs are kept as text, because the library shows the members of an object in their order.
#[derive(Deserialize)]
struct Case {
    kind: String,
    document: Option<Value>,
    schema: Option<Value>,
    input: Option<Input>,
    options: Option<Value>,
    expected: Option<Value>,
}

#[derive(Deserialize)]
struct Input {
    data: Option<Box<RawValue>>,
    batch: Option<Box<RawValue>>,
    event: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct User {
    user_attributes: Box<RawValue>,
}

/// Returns a plan with one point, whose definition is a schema.
fn plan_with_schema(schema: &Value) -> Value {
    json!({ "data_points": [{
        "match": { "type": "user_attributes", "criteria": {} },
        "validator": { "type": "json_schema", "definition": schema },
    }] })
}

/// Returns the results for the JSON text of a batch, in the form of the library.
fn results(document: &Value, batch: &str) -> Vec<Value> {
    let file = DataPlanFile::from_str(&document.to_string()).unwrap();
    let linter = Linter::new(&file.select(None, None).unwrap(), Rules::node());
    list(&linter.results_slice(batch.as_bytes()).unwrap())
}

/// Returns results as a list. The library returns one result as an object, which is empty if there are no errors.
fn list(results: &Value) -> Vec<Value> {
    match results {
        Value::Object(members) if members.is_empty() => Vec::new(),
        Value::Array(results) => results.clone(),
        result => vec![result.clone()],
    }
}

/// Sorts the errors of each result, because their order differs.
fn sorted(mut results: Vec<Value>) -> Vec<Value> {
    for result in &mut results {
        if let Some(Value::Array(errors)) = result.pointer_mut("/data/validation_errors") {
            // The order of members differs if other crates enable the feature `preserve_order` of serde_json.
            errors.sort_by_key(|error| {
                let members = error.as_object().into_iter().flatten();
                let mut members: Vec<_> =
                    members.map(|(name, value)| format!("{name}={value}")).collect();
                members.sort();
                members
            });
        }
    }
    results
}

fn of_user(attributes: &RawValue) -> String {
    format!(r#"{{ "events": [], "user_attributes": {attributes} }}"#)
}

/// Returns the results and the expected results of a case, or `None` if the case needs the network.
fn run(case: &Case) -> Option<(Vec<Value>, Vec<Value>)> {
    let expected = case.expected.as_ref()?;
    let input = case.input.as_ref()?;
    let batch = || input.batch.as_ref().unwrap().get();
    let event = || format!(r#"{{ "events": [{}] }}"#, input.event.as_ref().unwrap());
    let document = || case.document.as_ref().unwrap();
    Some(match case.kind.as_str() {
        "json_schema" => {
            let plan = plan_with_schema(case.schema.as_ref().unwrap());
            let found = results(&plan, &of_user(input.data.as_ref().unwrap()));
            let errors = |result: &Value| list(&result["data"]["validation_errors"]);
            let found: Vec<Value> = found.iter().flat_map(errors).collect();
            let as_result = |errors| vec![json!({ "data": { "validation_errors": errors } })];
            (as_result(found), as_result(list(expected)))
        }
        "validate_batch" => (results(document(), batch()), list(expected)),
        "validate_event" => (results(document(), &event()), list(expected)),
        "validate_user_attributes" => {
            let user: User = serde_json::from_str(batch()).unwrap();
            (results(document(), &of_user(&user.user_attributes)), list(expected))
        }
        "service_validate_batch" if case.options.is_none() => {
            (results(document(), batch()), list(&expected["results"]))
        }
        "service_validate_event" if case.options.is_none() => {
            (results(document(), &event()), list(&expected["results"]))
        }
        _ => return None,
    })
}

#[test]
fn the_recorded_results_of_the_node_library_agree() {
    let Some(folder) = env::var_os("MPARTICLE_REFERENCE") else {
        println!("skipped: MPARTICLE_REFERENCE is not set");
        return;
    };
    let mut agreeing = 0;
    for entry in fs::read_dir(Path::new(&folder).join("data-plans/cases")).unwrap() {
        let path = entry.unwrap().path();
        if !path.is_file() {
            continue;
        }
        let case: Case = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let Some((found, expected)) = run(&case) else { continue };
        assert_eq!(sorted(found), sorted(expected), "{}", path.display());
        agreeing += 1;
    }
    assert_eq!(agreeing, 28);
}
