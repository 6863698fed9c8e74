//! `drift` reports exactly the differences between a schema and ours.
//!
//! `drift/schema` and `drift/published.json` describe the same orders in two notations.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use mparticle_codegen::diagnostic::render;
use mparticle_codegen::drift::{Difference, Report, drift, readme};
use serde::Deserialize;
use serde_json::{Value, json};

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/drift")
}

/// A folder for the files of one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("drift").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[track_caller]
fn compared(theirs: &Path, ours: &Path) -> Report {
    drift(theirs, ours).unwrap_or_else(|diagnostics| panic!("{}", render(&diagnostics, false)))
}

/// Compares the published schema with one value replaced, or removed if there is none.
fn changed(name: &str, pointer: &str, value: Option<Value>) -> Report {
    let text = fs::read_to_string(tests().join("published.json")).unwrap();
    let mut schema: Value = serde_json::from_str(&text).unwrap();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = schema.pointer_mut(parent).unwrap();
    match (parent, value) {
        (Value::Object(parent), Some(value)) => drop(parent.insert(key.to_owned(), value)),
        (Value::Object(parent), None) => drop(parent.remove(key).unwrap()),
        (Value::Array(parent), Some(value)) => parent.push(value),
        (Value::Array(parent), None) => drop(parent.remove(key.parse().unwrap())),
        (other, _) => panic!("{pointer} is in {other}"),
    }
    let path = folder(name).join("published.json");
    fs::write(&path, schema.to_string()).unwrap();
    compared(&path, &tests().join("schema"))
}

#[test]
fn two_notations_of_one_schema_do_not_differ() {
    let report = compared(&tests().join("published.json"), &tests().join("schema"));
    assert!(report.is_clean(), "{}", report.render(false));
    assert_eq!(
        report.render(false),
        "0 unexplained differences from schema/, 4 explained, 0 stale explanations\n"
    );
}

/// A change of the published schema. `set` is the new value. Without it, the old value is removed.
#[derive(Deserialize)]
struct Case {
    at: String,
    set: Option<Value>,
    /// The first line of the difference.
    line: String,
    /// The place in our schema.
    ours: String,
}

#[test]
fn each_difference_is_named_with_both_places() {
    let text = fs::read_to_string(tests().join("cases.json")).unwrap();
    let cases: Vec<Case> = serde_json::from_str(&text).unwrap();
    for (index, case) in cases.into_iter().enumerate() {
        let report = changed(&format!("case-{index}"), &case.at, case.set);
        let wanted = |difference: &&Difference| {
            let text = difference.to_string();
            text.starts_with(&format!("{}\n  --> published.json#", case.line))
                && text.ends_with(&format!("\n  ours: {}\n", case.ours))
        };
        let found = report.differences.iter().filter(wanted).count();
        assert_eq!(found, 1, "{}: {}\n{}", case.at, case.line, report.render(false));
        assert!(!report.is_clean());
    }
}

#[test]
fn a_new_field_is_shown_with_its_place_and_the_entry_that_explains_it() {
    let report = changed("shown", "/properties/gift", Some(json!({ "type": "string" })));
    assert_eq!(
        report.render(false),
        "adds field gift\n  --> published.json#/properties/gift\n  ours: order.json#/properties/gift\n\n\
         change schema/, or add each one to the `explains` of a row of schema/differences.toml:\n  \
         { change = \"adds\", what = [\"field\"], at = [\"order.json#/properties/gift\"] },\n\n\
         1 unexplained difference from schema/, 4 explained, 0 stale explanations\n"
    );
}

#[test]
fn an_explanation_that_no_longer_applies_is_an_error() {
    let limit = changed("limit", "/definitions/Text/maxLength", Some(json!(80)));
    assert_eq!(
        render(&limit.stale, false),
        "error[stale-explanation]: the row `note` explains nothing that widens \
         `order.json#/properties/note/maxLength`\n  --> differences.toml:28\n  = help: remove this part, and \
         correct the row, which becomes text of schema/README.md\n\nerror: 1 error\n"
    );
    let opened = changed("opened", "/additionalProperties", None);
    assert_eq!(opened.stale.len(), 2, "{}", opened.render(false));
    assert!(!opened.is_clean());
}

#[test]
fn an_explanation_covers_only_what_it_names() {
    let ours = folder("covers");
    for file in ["order.json", "step.json", "differences.toml"] {
        fs::copy(tests().join("schema").join(file), ours.join(file)).unwrap();
    }
    let mut text = fs::read_to_string(ours.join("differences.toml")).unwrap();
    text.push_str(
        "[[less]]\nid = \"x\"\nwhere = \"\"\npublished = \"\"\nours = \"\"\nwhy = \"\"\n\
         explains = [{ change = \"adds\", what = [\"value co*\"], at = [\"order.json#/$defs/Payment\"] }]\n",
    );
    fs::write(ours.join("differences.toml"), text).unwrap();
    let published = fs::read_to_string(tests().join("published.json")).unwrap();
    let theirs = folder("covers-theirs").join("published.json");
    for (values, unexplained) in
        [(r#""cash", "card", "coin""#, 0), (r#""cash", "card", "coin", "iou""#, 1)]
    {
        fs::write(&theirs, published.replace(r#""cash", "card""#, values)).unwrap();
        let report = compared(&theirs, &ours);
        assert_eq!(report.differences.len(), unexplained, "{}", report.render(false));
    }
}

#[test]
fn another_version_of_our_schema_is_compared_type_by_type() {
    let theirs = folder("version");
    for file in ["order.json", "step.json"] {
        fs::copy(tests().join("schema").join(file), theirs.join(file)).unwrap();
    }
    let clean = compared(&theirs, &tests().join("schema"));
    assert_eq!(clean.render(false), "0 differences from schema/\n");

    let order = fs::read_to_string(theirs.join("order.json")).unwrap();
    let order = order.replace("\"note\": {", "\"gift\": { \"type\": \"string\" }, \"note\": {");
    fs::write(
        theirs.join("order.json"),
        order.replace("\"Payment\": {", "\"Unused\": { \"type\": \"string\" }, \"Payment\": {"),
    )
    .unwrap();
    let step = fs::read_to_string(theirs.join("step.json")).unwrap();
    fs::write(theirs.join("step.json"), step.replace("\"maxLength\": 80", "\"maxLength\": 8"))
        .unwrap();
    let report = compared(&theirs, &tests().join("schema"));
    assert_eq!(
        report.render(false),
        "adds type\n  --> order.json#/$defs/Unused\n  ours: order.json#/$defs/Unused\n\n\
         adds field gift\n  --> order.json#/properties/gift\n  ours: order.json#/properties/gift\n\n\
         2 differences from schema/\n"
    );
}

#[test]
fn a_schema_that_cannot_be_read_is_an_error_with_its_place() {
    let errors = |name: &str, pointer: &str, value: Value| {
        let text = fs::read_to_string(tests().join("published.json")).unwrap();
        let mut schema: Value = serde_json::from_str(&text).unwrap();
        *schema.pointer_mut(pointer).unwrap() = value;
        let path = folder(name).join("published.json");
        fs::write(&path, schema.to_string()).unwrap();
        render(&drift(&path, &tests().join("schema")).unwrap_err(), false)
    };
    let found = errors("gone", "/definitions/StepName", json!({ "$ref": "#/definitions/Gone" }));
    assert!(found.starts_with("error[unresolved-reference]"), "{found}");
    assert!(found.contains("\n  --> published.json#/definitions/StepName\n"), "{found}");

    let names = json!({ "Integer": {}, "Text": {}, "SentStep": {}, "PackedStep": {} });
    let found = errors("no-counterpart", "/definitions", names);
    let message = "error[stale-explanation]: the published schema does not define StepName";
    assert!(found.starts_with(message), "{found}");
}

/// Returns the pointers of all values in a document, except the document itself.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let mut inner = |key: &str, value: &Value| {
        let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        pointers(value, &at, found);
        found.push(at);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| inner(key, value)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, value)| inner(&index.to_string(), value));
        }
        _ => {}
    }
}

#[test]
fn no_mutation_of_a_published_schema_panics() {
    let text = fs::read_to_string(tests().join("published.json")).unwrap();
    let original: Value = serde_json::from_str(&text).unwrap();
    let mut places = Vec::new();
    pointers(&original, "", &mut places);
    let path = folder("mutations").join("published.json");
    let itself = json!({ "$ref": "#" });
    for pointer in places {
        for value in [Value::Null, json!(true), json!([]), json!({}), json!(7), itself.clone()] {
            let mut schema = original.clone();
            *schema.pointer_mut(&pointer).unwrap() = value;
            fs::write(&path, schema.to_string()).unwrap();
            if let Err(diagnostics) = drift(&path, &tests().join("schema")) {
                assert!(!diagnostics.is_empty(), "{pointer}");
            }
        }
    }
}

#[test]
fn mistakes_in_the_differences_are_reported_with_their_line() {
    let ours = folder("mistakes");
    fs::copy(tests().join("schema/order.json"), ours.join("order.json")).unwrap();
    let found = render(&drift(&tests().join("published.json"), &ours).unwrap_err(), false);
    assert!(found.starts_with("error[unreadable-file]: cannot read `differences.toml`"), "{found}");
    fs::write(ours.join("differences.toml"), "[published]\nroot = \"order.json#\"\n[[mroe]]\n")
        .unwrap();
    let found = render(&drift(&tests().join("published.json"), &ours).unwrap_err(), false);
    assert!(found.starts_with("error[invalid-differences]: unknown field `mroe`"), "{found}");
    assert!(found.contains("\n  --> differences.toml:3\n"), "{found}");
}

#[test]
fn the_tables_of_a_readme_are_generated() {
    let readme = readme(&tests().join("schema")).unwrap();
    assert_eq!(readme.found, readme.expected);
    assert!(
        readme
            .expected
            .contains("| `note` | words to the seller | 80 characters | cut | the seller |")
    );
}

#[test]
fn the_tables_of_the_readme_are_fresh() {
    let readme = readme(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema")).unwrap();
    assert_eq!(readme.found, readme.expected, "to update it, run: cargo xtask codegen");
}

#[test]
fn a_readme_without_a_mark_is_refused() {
    let ours = folder("marks");
    for file in ["order.json", "step.json", "differences.toml"] {
        fs::copy(tests().join("schema").join(file), ours.join(file)).unwrap();
    }
    let text = fs::read_to_string(tests().join("schema/README.md")).unwrap();
    fs::write(ours.join("README.md"), text.replace("<!-- end of limits -->", "")).unwrap();
    let found = render(&readme(&ours).unwrap_err(), false);
    let message = "error[invalid-differences]: the README lacks the mark \
                   `<!-- generated from differences.toml: limits -->` or its end";
    assert!(found.starts_with(message), "{found}");
}

/// The schema that mParticle publishes, in the folder `MPARTICLE_REFERENCE`.
fn reference() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("MPARTICLE_REFERENCE") else {
        println!("skipped: MPARTICLE_REFERENCE does not say where mParticle's published schema is");
        return None;
    };
    Some(Path::new(&folder).join("mparticle.inbound.eventsapi.schema.json"))
}

#[test]
fn every_difference_from_the_published_schema_is_explained() {
    let Some(published) = reference() else { return };
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema");
    let report = compared(&published, &ours);
    assert!(report.published && report.is_clean(), "{}", report.render(false));

    let mut schema: Value = serde_json::from_str(&fs::read_to_string(&published).unwrap()).unwrap();
    let product = schema.pointer_mut("/definitions/Product/properties").unwrap();
    product.as_object_mut().unwrap().insert("gift_note".to_owned(), json!({ "type": "string" }));
    let changed = folder("reference").join("changed.json");
    fs::write(&changed, schema.to_string()).unwrap();
    let report = compared(&changed, &ours);
    let found: Vec<_> = report.differences.iter().map(ToString::to_string).collect();
    assert_eq!(
        found,
        ["adds field gift_note\n  --> changed.json#/definitions/Product/properties/gift_note\n  \
          ours: commerce.json#/$defs/Product/properties/gift_note\n"]
    );
}
