//! Files of data plans are read in every form, written without loss, and refused with a place.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

use std::path::{Path, PathBuf};
use std::{env, fs};

use mparticle_models::data_plan::{DataPlanErrorKind, DataPlanFile, Linter, Rules};
use mparticle_models::{DataPoint, DataPointType};
use serde_json::{Value, json};

/// Returns the value without absent fields: nulls outside of definitions, which are read as absent, and empty lists of
/// points, versions and transformations, which are not written.
fn without_absent(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let is_absent = |name: &str, value: &Value| {
                let lists = ["data_points", "data_plan_versions", "active_transformation_ids"];
                value.is_null() || (lists.contains(&name) && value == &json!([]))
            };
            let kept = members.iter().filter(|(name, value)| !is_absent(name, value));
            kept.map(|(name, value)| {
                let value =
                    if name == "definition" { value.clone() } else { without_absent(value) };
                (name.clone(), value)
            })
            .collect()
        }
        Value::Array(items) => items.iter().map(without_absent).collect(),
        other => other.clone(),
    }
}

fn read(value: &Value) -> DataPlanFile {
    DataPlanFile::from_str(&value.to_string()).unwrap()
}

#[test]
fn each_form_is_told_apart_and_written_as_it_was_read() {
    let document = json!({ "data_points": [{
        "description": "x",
        "match": { "type": "screen_view", "criteria": {}, "later": 1 },
        "validator": { "type": "json_schema", "definition": { "enum": [null, 1.0] } },
        "later": [1],
    }], "later": { "a": null, "b": 1 } });
    let version = json!({ "version": 7, "version_document": document, "later": true });
    let plan = json!({ "data_plan_id": "shop", "data_plan_versions": [version], "later": "x" });
    let configuration = json!({ "dtpn": { "vers": version, "blok": { "ev": true } }, "wst": 1 });
    for (json, form) in [
        (plan.clone(), "Plan("),
        (json!([plan]), "Plans("),
        (version, "Version("),
        (document, "Document("),
        (configuration, "SdkConfiguration("),
    ] {
        let file = read(&json);
        assert!(format!("{file:?}").starts_with(form), "{form}");
        // Nulls in unknown fields are kept.
        assert_eq!(serde_json::to_value(&file).unwrap(), json, "{form}");
        let selected = file.select(None, None).unwrap();
        let points = selected.version_document.unwrap().data_points;
        assert_eq!(points[0].match_.as_ref().unwrap().type_, DataPointType::ScreenView, "{form}");
    }
}

#[test]
fn absent_criteria_differ_from_empty_criteria() {
    for json in [
        json!({ "match": { "type": "user_attributes" } }),
        json!({ "match": { "type": "user_attributes", "criteria": {} } }),
    ] {
        let point = DataPoint::from_str(&json.to_string()).unwrap();
        assert_eq!(serde_json::to_value(&point).unwrap(), json);
    }
}

#[test]
fn a_point_has_the_key_by_which_events_find_it() {
    let validator = json!({ "type": "json_schema", "definition": {} });
    let criteria = json!({ "event_name": "Signed up", "custom_event_type": "other" });
    for (json, key) in [
        (
            json!({ "match": { "type": "custom_event", "criteria": criteria }, "validator": validator }),
            Some("custom_event:other:Signed up"),
        ),
        (
            json!({ "match": { "type": "user_attributes" }, "validator": validator }),
            Some("user_attributes"),
        ),
        (json!({ "match": { "type": "custom_event" }, "validator": validator }), None),
        (json!({ "match": { "type": "user_attributes" } }), None),
        (json!({ "validator": validator }), None),
    ] {
        let point = DataPoint::from_str(&json.to_string()).unwrap();
        assert_eq!(point.match_key().as_deref(), key, "{json}");
    }
}

#[test]
fn a_version_is_selected_by_plan_and_number() {
    let plan = |id: &str, numbers: &[i64]| {
        let versions: Vec<_> = numbers
            .iter()
            .map(|number| json!({ "version": number, "version_document": { "data_points": [] } }))
            .collect();
        json!({ "data_plan_id": id, "data_plan_versions": versions })
    };
    let one = read(&plan("shop", &[1, 3, 2]));
    assert_eq!(one.select(None, None).unwrap().version, Some(3));
    let first = one.select(Some("shop"), Some(1)).unwrap();
    assert_eq!((first.version, first.data_plan_id.as_deref()), (Some(1), Some("shop")));
    let document = read(&json!({ "data_points": [] })).select(Some("own"), Some(4)).unwrap();
    assert_eq!((document.version, document.data_plan_id.as_deref()), (Some(4), Some("own")));

    let two = read(&json!([plan("a", &[1]), plan("b", &[])]));
    let names = |file: &DataPlanFile| {
        let versions = file.versions().into_iter();
        versions.map(|version| (version.data_plan_id, version.version)).collect::<Vec<_>>()
    };
    let shop = |number| (Some("shop".to_owned()), Some(number));
    assert_eq!(names(&one), [shop(1), shop(3), shop(2)]);
    assert_eq!(names(&two), [(Some("a".to_owned()), Some(1))]);
    assert_eq!(names(&read(&json!({ "data_points": [] }))), [(None, None)]);
    assert_eq!(two.select(Some("a"), None).unwrap().version, Some(1));
    for (file, id, number, kind, names) in [
        (&one, None, Some(9), DataPlanErrorKind::UnknownVersion, "1, 3, 2"),
        (&one, Some("x"), None, DataPlanErrorKind::UnknownPlan, "shop"),
        (&two, None, None, DataPlanErrorKind::Ambiguous, "a, b"),
        (&two, Some("b"), None, DataPlanErrorKind::NoVersion, "no version"),
        (&read(&json!([])), None, None, DataPlanErrorKind::NoVersion, "no plan"),
    ] {
        let error = file.select(id, number).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(names), "{error}");
    }
}

#[test]
fn what_is_no_plan_is_refused_with_its_place() {
    let points = |point: &str| format!(r#"{{ "data_points": [{point}] }}"#);
    let deep = format!(
        r#"{{ "data_points": [{{ "validator": {{ "definition": {}1{} }} }}] }}"#,
        "[".repeat(500),
        "]".repeat(500)
    );
    for (text, kind, pointer) in [
        (String::new(), DataPlanErrorKind::Syntax, ""),
        ("{".to_owned(), DataPlanErrorKind::Syntax, ""),
        (deep, DataPlanErrorKind::Syntax, ""),
        ("7".to_owned(), DataPlanErrorKind::NotAPlan, ""),
        ("{}".to_owned(), DataPlanErrorKind::NotAPlan, ""),
        (r#"{ "dtpn": {} }"#.to_owned(), DataPlanErrorKind::NotAPlan, "/dtpn"),
        (
            r#"{ "dtpn": { "vers": { "version": [] } } }"#.to_owned(),
            DataPlanErrorKind::NotAPlan,
            "/dtpn/vers/version",
        ),
        (points("7"), DataPlanErrorKind::NotAPlan, "/data_points/0"),
        (points(r#"{ "match": {} }"#), DataPlanErrorKind::NotAPlan, "/data_points/0/match/type"),
        (
            points(r#"{ "match": { "type": "screen_view", "criteria": 5 } }"#),
            DataPlanErrorKind::NotAPlan,
            "/data_points/0/match/criteria",
        ),
        (
            points(r#"{ "description": "a", "description": "b" }"#),
            DataPlanErrorKind::NotAPlan,
            "/data_points/0/description",
        ),
    ] {
        let error = DataPlanFile::from_str(&text).unwrap_err();
        assert_eq!((error.kind(), error.pointer()), (kind, pointer), "{error}: {text:.60}");
    }
    let missing = DataPlanFile::from_path("no/such/file").unwrap_err();
    assert_eq!(missing.kind(), DataPlanErrorKind::Unreadable);
}

#[test]
fn a_byte_order_mark_is_skipped() {
    assert!(DataPlanFile::from_str("\u{feff}{ \"data_points\": [] }").is_ok());
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect()
}

#[test]
fn published_plans_are_read_and_written_without_loss() {
    let Some(reference) = env::var_os("MPARTICLE_REFERENCE") else {
        println!("skipped: MPARTICLE_REFERENCE is not set");
        return;
    };
    let folder = Path::new(&reference).join("data-plans");
    let mut count = 0;
    for path in ["plans", "versions", "documents"].iter().flat_map(|name| files(&folder.join(name)))
    {
        let context = path.display().to_string();
        let bytes = fs::read(&path).unwrap();
        let file = DataPlanFile::from_slice(&bytes).unwrap_or_else(|e| panic!("{context}: {e}"));
        let json: Value = serde_json::from_slice(&bytes).unwrap();
        let written = serde_json::to_value(&file).unwrap();
        assert_eq!(without_absent(&written), without_absent(&json), "{context}");
        if !matches!(file, DataPlanFile::Plans(_)) {
            let version = file.select(None, None).unwrap();
            for rules in [Rules::platform(), Rules::node()] {
                let linter = Linter::new(&version, rules);
                assert_eq!(
                    linter.lint_json(&json!({ "events": [] })),
                    linter.lint_json(&json!({}))
                );
            }
        }
        count += 1;
    }
    for path in files(&folder.join("points")) {
        let bytes = fs::read(&path).unwrap();
        let point = DataPoint::from_slice(&bytes).unwrap();
        let json: Value = serde_json::from_slice(&bytes).unwrap();
        let written = serde_json::to_value(&point).unwrap();
        assert_eq!(without_absent(&written), without_absent(&json), "{}", path.display());
        count += 1;
    }
    assert!(count > 40, "only {count} files were found");
    println!("{count} files were read and written");
}
