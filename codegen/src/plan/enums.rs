//! Reads the values that a definition lists.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::definition::{Place, nested};
use super::input::{at, wrong_kind};
use super::model::{Enum, Type, Variant};
use crate::diagnostic::{Code, Diagnostic, Origin};

/// Whether a definition lists null among its values.
pub(crate) fn has_null(schema: &Map<String, Value>) -> bool {
    let values = schema.get("enum").and_then(Value::as_array);
    values.is_some_and(|values| values.contains(&Value::Null))
}

/// Reads the values of an enum, each of them once.
pub(crate) fn read(values: &Value, origin: &Origin) -> Result<Type, Diagnostic> {
    let values = values.as_array().ok_or_else(|| wrong_kind(origin, "`enum`", "a list"))?;
    let mut variants = Vec::new();
    let mut seen = HashSet::new();
    for (index, value) in values.iter().enumerate() {
        let origin = at(origin, &index.to_string());
        if value.is_array() || value.is_object() {
            return Err(nested(&origin, Place::Element));
        }
        // `repeated` reports those that stand twice.
        if seen.insert(value) && !value.is_null() {
            variants.push(Variant { name: String::new(), value: value.clone(), origin });
        }
    }
    if !variants.is_empty() {
        return Ok(Type::Enum(Enum { name: String::new(), values: variants }));
    }
    if values.contains(&Value::Null) {
        return Ok(Type::Tag);
    }
    let help = "add the values to the plan, or leave the attribute out";
    Err(Diagnostic::new(Code::InvalidPlan, origin.clone(), "`enum` lists no value").with_help(help))
}

/// Returns the places of values that a definition lists more than once.
pub(crate) fn repeated(definition: &Value, origin: &Origin) -> Vec<(Origin, String)> {
    let values = definition.get("enum").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let mut repeated = Vec::new();
    let mut seen = HashSet::new();
    for (index, value) in values.iter().enumerate() {
        if !seen.insert(value) {
            repeated.push((at(&at(origin, "enum"), &index.to_string()), value.to_string()));
        }
    }
    repeated
}
