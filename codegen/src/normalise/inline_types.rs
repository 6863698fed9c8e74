//! Moves inline objects, enums and unions to definitions.
//!
//! The key of such a definition is the place of the inline type. An inline type that occurs in several copies is
//! therefore one type.

use indexmap::IndexMap;
use serde_json::Value;

use super::limits::LIMITS;
use super::{Schema, is_named};
use crate::node::{AT, Node, place};

/// The keywords that describe the position and not the type.
const OF_POSITION: &[&str] = &[AT, "description", "nullable", "readOnly", "x-mparticle-aliases"];

/// Keywords that are not in normal form. Schemas inside them are not moved.
const UNREAD: &[&str] = &["allOf", "anyOf", "if", "oneOf", "propertyNames", "then"];

pub(super) fn run(schema: &mut Schema<'_>) {
    let mut hoisted = IndexMap::new();
    for node in schema.bundle.definitions.values_mut() {
        hoist_inner(node, &mut hoisted);
    }
    schema.bundle.definitions.extend(hoisted);
}

fn hoist_inner(node: &mut Node, hoisted: &mut IndexMap<String, Node>) {
    let is_schema = !place(node).is_empty();
    for (keyword, value) in node {
        if !is_schema || !UNREAD.contains(&keyword.as_str()) {
            hoist(value, hoisted);
        }
    }
}

fn hoist(value: &mut Value, hoisted: &mut IndexMap<String, Node>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| hoist(item, hoisted)),
        Value::Object(node) => {
            hoist_inner(node, hoisted);
            if !place(node).is_empty() && is_named(node) {
                let key = place(node).to_owned();
                let definition = std::mem::replace(node, position(node, &key));
                hoisted.entry(key).or_insert(definition);
            }
        }
        _ => {}
    }
}

fn position(node: &Node, key: &str) -> Node {
    let of_position = |keyword: &str| OF_POSITION.contains(&keyword) || LIMITS.contains(&keyword);
    let kept = node.iter().filter(|(keyword, _)| of_position(keyword));
    let mut position: Node =
        kept.map(|(keyword, value)| (keyword.clone(), value.clone())).collect();
    position.insert("$ref".to_owned(), Value::String(key.to_owned()));
    position
}
