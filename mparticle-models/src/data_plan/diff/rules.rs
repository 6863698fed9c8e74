//! The rules of a definition by the place of the data that they apply to, and the comparison of two rules.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::support::Place;

/// Keywords that do not restrict values, or that are compared as part of the structure.
const NOT_COMPARED: [&str; 9] = [
    "$comment",
    "$id",
    "$schema",
    "default",
    "description",
    "examples",
    "properties",
    "required",
    "title",
];

/// Keywords whose lower values allow more.
const LOWER_BOUNDS: [&str; 5] =
    ["exclusiveMinimum", "minItems", "minLength", "minProperties", "minimum"];

/// Keywords whose higher values allow more.
const UPPER_BOUNDS: [&str; 5] =
    ["exclusiveMaximum", "maxItems", "maxLength", "maxProperties", "maximum"];

/// The rules for the data in one place.
#[derive(Debug, PartialEq)]
pub(super) struct Slot<'p> {
    /// The keywords that restrict the value.
    pub(super) keywords: BTreeMap<&'p str, &'p Value>,
    pub(super) is_required: bool,
    /// Whether the value may have no other members than those that the definition lists.
    pub(super) is_closed: bool,
    /// Whether the same is true for the object around the value.
    pub(super) is_in_closed: bool,
    /// The place of the object around the value.
    pub(super) parent: String,
}

/// How the values that are allowed have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Narrowed,
    Widened,
    Changed,
}

/// Returns the rules of a definition by the JSON pointer of the data.
pub(super) fn slots(definition: &Value) -> BTreeMap<String, Slot<'_>> {
    let mut slots = BTreeMap::new();
    add(definition, &Place::root(), "", (true, false), &mut slots);
    slots
}

fn add<'p>(
    schema: &'p Value,
    place: &Place<'_>,
    parent: &str,
    (is_required, is_in_closed): (bool, bool),
    slots: &mut BTreeMap<String, Slot<'p>>,
) {
    let pointer = place.to_string();
    let (keywords, is_closed) = match schema {
        Value::Object(members) => (keywords(members), is_closed(members)),
        other => (BTreeMap::from([("schema", other)]), false),
    };
    let parent = parent.to_owned();
    let slot = Slot { keywords, is_required, is_closed, is_in_closed, parent };
    slots.insert(pointer.clone(), slot);
    let Value::Object(members) = schema else { return };
    if let Some(Value::Object(properties)) = members.get("properties") {
        for (name, property) in properties {
            let is_required = is_listed(members.get("required"), name);
            add(property, &place.field(name), &pointer, (is_required, is_closed), slots);
        }
    }
    if let Some(items @ Value::Object(_)) = members.get("items") {
        add(items, &place.field("*"), &pointer, (false, false), slots);
    }
}

fn keywords(members: &Map<String, Value>) -> BTreeMap<&str, &Value> {
    let has_own_slot = |name: &str, value: &Value| match name {
        "items" => value.is_object(),
        "additionalProperties" => value.is_boolean(),
        _ => false,
    };
    let members = members.iter().map(|(name, value)| (name.as_str(), value));
    let compared = members.filter(|(name, _)| !NOT_COMPARED.contains(name));
    compared.filter(|(name, value)| !has_own_slot(name, value)).collect()
}

fn is_closed(members: &Map<String, Value>) -> bool {
    members.get("additionalProperties") == Some(&Value::Bool(false))
}

fn is_listed(list: Option<&Value>, name: &str) -> bool {
    list.and_then(Value::as_array).is_some_and(|names| names.iter().any(|other| other == name))
}

/// Compares the values of a keyword. An absent keyword allows everything.
pub(super) fn direction(
    keyword: &str,
    old: Option<&Value>,
    new: Option<&Value>,
) -> Option<Direction> {
    let (old, new) = match (old, new) {
        (None, None) => return None,
        (None, Some(_)) => return Some(Direction::Narrowed),
        (Some(_), None) => return Some(Direction::Widened),
        (Some(old), Some(new)) => (old, new),
    };
    match keyword {
        "type" => sets(&types(old), &types(new)),
        "enum" => sets(&list(old), &list(new)),
        _ if LOWER_BOUNDS.contains(&keyword) => bounds(new, old),
        _ if UPPER_BOUNDS.contains(&keyword) => bounds(old, new),
        _ => (old != new).then_some(Direction::Changed),
    }
}

/// Returns the types that a value allows. A number may be an integer.
fn types(value: &Value) -> Vec<Value> {
    let mut types = list(value);
    if types.iter().any(|name| name == "number") {
        types.push("integer".into());
    }
    types
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

fn sets(old: &[Value], new: &[Value]) -> Option<Direction> {
    let contains = |set: &[Value], other: &[Value]| other.iter().all(|value| set.contains(value));
    match (contains(old, new), contains(new, old)) {
        (true, true) => None,
        (true, false) => Some(Direction::Narrowed),
        (false, true) => Some(Direction::Widened),
        (false, false) => Some(Direction::Changed),
    }
}

/// Compares bounds of which the higher one allows more.
fn bounds(old: &Value, new: &Value) -> Option<Direction> {
    match old.as_f64().partial_cmp(&new.as_f64()) {
        _ if old == new => None,
        Some(std::cmp::Ordering::Less) => Some(Direction::Widened),
        Some(std::cmp::Ordering::Greater) => Some(Direction::Narrowed),
        Some(std::cmp::Ordering::Equal) if old.is_number() && new.is_number() => None,
        _ => Some(Direction::Changed),
    }
}
