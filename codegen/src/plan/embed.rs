//! The points of a plan as the generated file carries them for the linter.
//!
//! They have what decides whether an event fits, and nothing else: no descriptions, no times, and nobody's address.

use serde_json::{Map, Value, json};

use super::characters::is_letter;
use super::model::Plan;

/// The version of a plan as JSON, with one line for each point.
pub(crate) fn json(plan: &Plan) -> String {
    let points: Vec<_> = plan.definitions.iter().map(|point| escaped(&json!(point))).collect();
    let points = points.join(",\n");
    let head = match &plan.context {
        Some((plan_id, version)) => {
            format!("\"data_plan_id\":{},\"version\":{version},", escaped(&json!(plan_id)))
        }
        None => String::new(),
    };
    format!("{{{head}\"version_document\":{{\"data_points\":[\n{points}\n]}}}}")
}

/// JSON with escapes for the characters that Rust or Clippy would not take in a source file.
fn escaped(value: &Value) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        if c.is_ascii() && c != '\u{7f}' || is_letter(c) {
            text.push(c);
        } else {
            let mut units = [0; 2];
            text.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

/// Returns a point's match and definition, if it has both.
pub(crate) fn definition(point: &Map<String, Value>) -> Option<Map<String, Value>> {
    let matches = point.get("match").and_then(Value::as_object)?;
    let validator = point.get("validator").and_then(Value::as_object)?;
    let mut kept = Map::new();
    kept.insert("type".to_owned(), matches.get("type").filter(|kind| kind.is_string())?.clone());
    if let Some(criteria) = matches.get("criteria").and_then(Value::as_object) {
        // The models read the point, and would refuse anything else.
        let texts = criteria.iter().filter(|(_, value)| value.is_string());
        let texts = texts.map(|(name, value)| (name.clone(), value.clone()));
        kept.insert("criteria".to_owned(), Value::Object(texts.collect()));
    }
    let mut rule = Map::new();
    for (key, value) in validator {
        match (key.as_str(), value) {
            ("type", Value::String(_)) => drop(rule.insert(key.clone(), value.clone())),
            ("definition", _) => drop(rule.insert(key.clone(), without_descriptions(value))),
            _ => {}
        }
    }
    let mut point = Map::new();
    point.insert("match".to_owned(), Value::Object(kept));
    point.insert("validator".to_owned(), Value::Object(rule));
    Some(point)
}

/// A definition without what is said to its readers, at every depth.
fn without_descriptions(schema: &Value) -> Value {
    let Value::Object(schema) = schema else { return schema.clone() };
    let mut kept = Map::new();
    for (keyword, value) in schema {
        let value = match (keyword.as_str(), value) {
            ("description" | "title" | "$comment" | "examples" | "default", _) => continue,
            ("properties", Value::Object(properties)) => {
                let each = properties.iter();
                let each = each.map(|(name, value)| (name.clone(), without_descriptions(value)));
                Value::Object(each.collect())
            }
            ("items" | "additionalProperties", value) => without_descriptions(value),
            (_, value) => value.clone(),
        };
        kept.insert(keyword.clone(), value);
    }
    Value::Object(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_keeps_what_decides_and_nothing_else() {
        let point = json!({
            "description": "secret",
            "match": { "type": "screen_view", "criteria": { "screen_name": "S\u{202e}🎉" }, "x": 1 },
            "validator": { "type": "json_schema", "by": "a@b.c", "definition": {
                "description": "secret",
                "properties": { "description": { "type": "string", "title": "secret" } },
                "items": { "$comment": "secret", "const": "description" },
            } },
            "last_modified_by": "a@b.c",
        });
        let plan = Plan {
            context: Some(("p\"".to_owned(), 2)),
            points: Vec::new(),
            definitions: definition(point.as_object().unwrap()).into_iter().collect(),
        };
        let text = json(&plan);
        assert!(text.is_ascii(), "{text}");
        let expected = json!({
            "data_plan_id": "p\"",
            "version": 2,
            "version_document": { "data_points": [{
                "match": { "type": "screen_view", "criteria": { "screen_name": "S\u{202e}🎉" } },
                "validator": { "type": "json_schema", "definition": {
                    "properties": { "description": { "type": "string" } },
                    "items": { "const": "description" },
                } },
            }] },
        });
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    }

    #[test]
    fn a_point_without_match_or_validator_is_none() {
        for point in [json!({}), json!({ "match": {} }), json!({ "match": 1, "validator": {} })] {
            assert_eq!(definition(point.as_object().unwrap()), None);
        }
    }
}
