//! Names depend on what a plan contains, and on nothing else.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;
use heck::ToUpperCamelCase as _;
use serde_json::{Value, json};

use super::super::model::{Point, Type};
use super::super::overrides::Overrides;
use super::read;
use crate::diagnostic::Code;

/// Words that look alike once they are names.
const WORDS: &[&str] = &[
    "",
    "/",
    "-",
    "a-b",
    "a_b",
    "A b",
    "ab",
    "AB",
    "a-b-required",
    "item",
    "Item",
    "owner",
    "owner item",
    "Owner Item",
    "self",
    "Self",
    "type",
    "extra",
    "Option",
    "1",
    "-1",
    "1.0",
    "🎉",
    "Größe",
    "購入",
    "\u{202e}",
    "x",
    "y",
    "required",
    "product",
    "products",
    "price",
    "owner item value",
    "promotion view",
];

fn word(rng: &mut Rng) -> String {
    let count = rng.usize(1..=2);
    let words: Vec<_> = (0..count).map(|_| WORDS[rng.usize(..WORDS.len())]).collect();
    words.join(if rng.bool() { " " } else { "" })
}

fn attributes(rng: &mut Rng) -> Value {
    let mut properties = serde_json::Map::new();
    for _ in 0..rng.usize(..5) {
        let values: Vec<_> = (0..rng.usize(1..4)).map(|_| word(rng)).collect();
        let definition = match rng.u8(..3) {
            0 => json!({ "type": "string", "enum": values }),
            1 => json!({ "type": "number" }),
            _ => json!({ "type": "string" }),
        };
        properties.insert(word(rng), definition);
    }
    let required: Vec<_> = properties.keys().filter(|_| rng.bool()).cloned().collect();
    json!({ "properties": properties, "required": required })
}

fn point(rng: &mut Rng) -> Value {
    let matches = match rng.u8(..5) {
        0 => json!({ "type": "screen_view", "criteria": { "screen_name": word(rng) } }),
        1 => json!({ "type": "product_action", "criteria": { "action": word(rng) } }),
        2 => json!({ "type": "promotion_action", "criteria": { "action": "view" } }),
        _ => {
            let kind = ["other", "search", "navigation"][rng.usize(..3)];
            let criteria = json!({ "event_name": word(rng), "custom_event_type": kind });
            json!({ "type": "custom_event", "criteria": criteria })
        }
    };
    let data = json!({
        "custom_attributes": attributes(rng),
        "product_action": { "properties": { "products": { "items": { "properties": {
            "custom_attributes": attributes(rng),
        } } } } },
    });
    json!({
        "match": matches,
        "validator": { "type": "json_schema", "definition": { "properties": { "data": { "properties": data } } } },
    })
}

/// Points that match different events.
fn points(rng: &mut Rng) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    let all: Vec<_> = (0..rng.usize(1..12)).map(|_| point(rng)).collect();
    all.into_iter().filter(|point| seen.insert(point["match"].to_string())).collect()
}

/// Every name, by what it is the name of, and the keys of points that a report of a conflict names.
fn names(points: &[Value], overrides: &str) -> (BTreeMap<String, String>, String) {
    let mut overrides = Overrides::parse("o.toml", overrides).unwrap();
    let (plan, report) = read("p.json", &json!({ "data_points": points }), &mut overrides);
    assert!(report.errors.is_empty(), "{:?}", report.errors);
    let mut names = BTreeMap::new();
    for point in &plan.points {
        of_point(point, &mut names);
    }
    let conflicts = report.warnings.iter().filter(|warning| warning.code == Code::NameConflict);
    let conflicts: Vec<_> = conflicts.map(|warning| warning.message.as_str()).collect();
    (names, conflicts.join("\n"))
}

fn of_point(point: &Point, names: &mut BTreeMap<String, String>) {
    for record in &point.records {
        let path = format!("{} {:?}", point.key, record.role);
        names.insert(path.clone(), record.name.clone());
        names.insert(format!("{path} required"), record.required_name.clone());
        for field in &record.fields {
            let path = format!("{path} {:?} {}", field.section, field.wire);
            names.insert(path.clone(), field.name.clone());
            if let Type::Enum(set) = &field.ty {
                names.insert(format!("{path} enum"), set.name.clone());
                for value in &set.values {
                    names.insert(format!("{path} value {}", value.value), value.name.clone());
                }
            }
        }
    }
}

/// Reverses and mixes every list and object.
fn shuffled(value: &Value, rng: &mut Rng) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            rng.shuffle(&mut entries);
            entries.into_iter().map(|(key, value)| (key.clone(), shuffled(value, rng))).collect()
        }
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(|item| shuffled(item, rng)).collect();
            rng.shuffle(&mut items);
            Value::Array(items)
        }
        other => other.clone(),
    }
}

#[test]
fn order_means_nothing() {
    let mut rng = Rng::with_seed(1);
    for _ in 0..100 {
        let points = points(&mut rng);
        let Value::Array(mixed) = shuffled(&Value::Array(points.clone()), &mut rng) else {
            panic!()
        };
        assert_eq!(names(&points, "").0, names(&mixed, "").0);
    }
}

/// The types of one module are different, and so are the fields of a struct and the values of an enum.
#[test]
fn no_two_things_have_one_name() {
    let mut rng = Rng::with_seed(2);
    for _ in 0..100 {
        let points = points(&mut rng);
        let (plan, _) =
            read("p.json", &json!({ "data_points": points }), &mut Overrides::default());
        let mut types = BTreeSet::new();
        for point in &plan.points {
            let module = point.matches.module().name();
            for record in &point.records {
                assert!(types.insert((module, record.name.clone())), "{}", record.name);
                if record.has_required_struct() {
                    assert!(types.insert((module, record.required_name.clone())));
                }
                let fields: BTreeSet<_> = record.fields.iter().map(|field| &field.name).collect();
                assert_eq!(fields.len(), record.fields.len());
                for field in &record.fields {
                    let Type::Enum(set) = &field.ty else { continue };
                    assert!(types.insert((module, set.name.clone())), "{}", set.name);
                    let values: BTreeSet<_> = set.values.iter().map(|value| &value.name).collect();
                    assert_eq!(values.len(), set.values.len());
                }
            }
        }
    }
}

/// A point that is added or removed changes no other name, unless the two are in a conflict that is reported.
#[test]
fn one_point_more_renames_only_what_it_collides_with() {
    let mut rng = Rng::with_seed(3);
    let mut renamed = 0;
    for _ in 0..200 {
        let mut points = points(&mut rng);
        let (all, reported) = names(&points, "");
        points.swap_remove(rng.usize(..points.len()));
        let (fewer, _) = names(&points, "");
        for (path, name) in &fewer {
            if all.get(path) != Some(name) {
                renamed += 1;
                let name = &all[path];
                // A type is named after the one that it belongs to, and after its field.
                let follows = |new: &str| name == new || name.contains(&new.to_upper_camel_case());
                let is_reported = reported.split('`').skip(1).step_by(2).any(follows);
                assert!(is_reported, "{path} is now {name}: {reported}");
            }
        }
    }
    assert!(renamed > 0, "no conflict was tried");
}

#[test]
fn the_override_of_a_report_keeps_the_old_name() {
    let search = |kind: &str| {
        json!({
            "match": { "type": "custom_event", "criteria": { "event_name": "Search", "custom_event_type": kind } },
            "validator": { "type": "json_schema", "definition": {} },
        })
    };
    let old = names(&[search("other")], "").0;
    let both = [search("other"), search("search")];
    let overrides = "\"custom_event:other:Search\".name = \"Search\"";
    let (kept, reported) = names(&both, overrides);
    assert!(old.iter().all(|(path, name)| kept.get(path) == Some(name)), "{kept:?}");
    assert_eq!(reported, "");
    let (_, reported) = names(&both, "");
    assert_eq!(
        reported,
        "several names would be `Search`: `custom_event:other:Search` becomes `SearchOther`, \
         `custom_event:search:Search` becomes `SearchSearch`"
    );
}
