//! The canonical form in which the crate writes a document, computed only from the schema.
//!
//! This is a second, simple implementation of lenient reading and canonical writing. It works on JSON without Rust
//! types. The parts that it does not change must be written back exactly.

use serde_json::{Map, Value, json};

use super::schema::{Field, Kind, Place};

/// Returns the JSON that is written for a value at a place, or `None` if the value is treated as absent.
pub(crate) fn canonical(place: &Place, value: &Value) -> Option<Value> {
    let is_text = matches!(
        place.kind,
        Kind::Any | Kind::Text | Kind::Scalar | Kind::AttributeValue | Kind::Breadcrumb(_)
    );
    if value == "" && !is_text {
        return None;
    }
    match (&place.kind, value) {
        (Kind::Any | Kind::Scalar | Kind::AttributeValue, value) => Some(value.clone()),
        (_, Value::Null) => None,
        (
            Kind::Text | Kind::Uuid | Kind::Ip | Kind::Breadcrumb(_),
            Value::String(_) | Value::Number(_) | Value::Bool(_),
        ) => Some(text(value).into()),
        (Kind::Boolean, value) => {
            Some(boolean(value).unwrap_or_else(|| panic!("no boolean: {value}")))
        }
        (Kind::BooleanOrText, value) => Some(boolean(value).unwrap_or_else(|| text(value).into())),
        (Kind::Integer | Kind::Millis | Kind::Unsigned, value) => Some(integer(value)),
        (Kind::Number, value) => Some(number(value)),
        (Kind::Enum { values, .. }, value) => Some(known(values, &text(value)).into()),
        (Kind::List(item), Value::Array(items)) => Some(
            items
                .iter()
                .map(|value| {
                    canonical(item, value).unwrap_or_else(|| panic!("a list item without value"))
                })
                .collect(),
        ),
        (Kind::Map(item), Value::Object(entries)) => Some(
            entries
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), canonical(item, value)?)))
                .collect(),
        ),
        (Kind::Object(fields), Value::Object(entries)) => Some(object(fields, entries)),
        // The list of identities in an exported batch.
        (Kind::Object(fields), Value::Array(records)) if place.name == "UserIdentities" => {
            let of_record =
                |record: &Value| (text(&record["identity_type"]), record["identity"].clone());
            Some(object(fields, &records.iter().map(of_record).collect()))
        }
        (Kind::Event(types), Value::Object(event)) => Some(tagged(types, event)),
        (Kind::Breadcrumb(data), Value::Object(event)) => Some(breadcrumb(data, event)),
        (kind, value) => panic!("{value} cannot be read as {kind:?}"),
    }
}

fn object(fields: &[Field], entries: &Map<String, Value>) -> Value {
    let mut written = Map::new();
    for (key, value) in entries {
        let Some(field) =
            fields.iter().find(|field| field.name == *key || field.aliases.contains(key))
        else {
            written.insert(key.clone(), value.clone());
            continue;
        };
        if let Some(value) =
            canonical(&field.place, value).filter(|value| !is_left_out(&field.place, value))
        {
            written.insert(field.name.clone(), value);
        }
    }
    for field in fields.iter().filter(|field| field.is_always_written()) {
        written.entry(&field.name).or_insert(Value::Null);
    }
    written.into()
}

/// Removes empty fields, which are not written.
fn is_left_out(place: &Place, value: &Value) -> bool {
    match (&place.kind, value) {
        (Kind::List(_), Value::Array(items)) => items.is_empty(),
        (Kind::Map(_), Value::Object(entries)) => entries.is_empty(),
        (_, value) => value.is_null(),
    }
}

/// Returns an event: its type in the documented spelling, its data, and its other fields.
fn tagged(types: &[(String, Place)], event: &Map<String, Value>) -> Value {
    let mut written = event.clone();
    let tag = text(&event["event_type"]);
    let data = event.get("data").unwrap_or(&Value::Null);
    let known = types.iter().find(|(name, _)| name.eq_ignore_ascii_case(&tag));
    written.insert("event_type".to_owned(), json!(known.map_or(&tag, |(name, _)| name)));
    if let Some((_, place)) = known {
        let data = canonical(place, data).or_else(|| canonical(place, &json!({})));
        written.insert("data".to_owned(), data.unwrap());
    } else if data.is_null() {
        written.remove("data");
    }
    written.into()
}

/// Returns a breadcrumb, which keeps its form, even an empty object. Only an event without a type gets one.
fn breadcrumb(data: &Place, event: &Map<String, Value>) -> Value {
    match event.get("data") {
        Some(value) if value.is_object() => {
            let mut written = event.clone();
            written.insert("event_type".to_owned(), json!("breadcrumb"));
            written.insert("data".to_owned(), canonical(data, value).unwrap());
            written.into()
        }
        _ if event.is_empty() => json!({}),
        _ => canonical(data, &event.clone().into()).unwrap(),
    }
}

/// Returns the text of a scalar. A fraction of zero is removed from a number.
fn text(scalar: &Value) -> String {
    match scalar {
        Value::String(text) => text.clone(),
        Value::Bool(value) => value.to_string(),
        Value::Number(_) => {
            let text = scalar.to_string();
            text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
        }
        other => panic!("{other} has no text"),
    }
}

fn boolean(value: &Value) -> Option<Value> {
    let text = text(value).to_ascii_lowercase();
    ["true", "false"].contains(&&*text).then(|| json!(text == "true"))
}

fn integer(value: &Value) -> Value {
    let text = text(value);
    let signed = text.parse::<i64>().map(Value::from);
    signed
        .or_else(|_| text.parse::<u64>().map(Value::from))
        .unwrap_or_else(|_| panic!("no integer: {text}"))
}

#[allow(clippy::cast_possible_truncation, reason = "the bound is checked")]
fn number(value: &Value) -> Value {
    let number: f64 = text(value).parse().unwrap_or_else(|_| panic!("no number: {value}"));
    if number.fract() == 0.0 && number.abs() < 2_f64.powi(53) {
        json!(number as i64)
    } else {
        json!(number)
    }
}

fn known(values: &[(String, Vec<String>)], text: &str) -> String {
    let spells = |spelling: &String| spelling.eq_ignore_ascii_case(text);
    let canonical = values.iter().find(|(name, _)| spells(name));
    let found = canonical.or_else(|| values.iter().find(|(_, aliases)| aliases.iter().any(spells)));
    found.map_or_else(|| text.to_owned(), |(name, _)| name.clone())
}
