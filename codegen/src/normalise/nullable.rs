//! Rewrites the notations that allow null as the flag `nullable`.
//!
//! The notations are `type: [X, "null"]`, `anyOf: [X, {"type": "null"}]` (the only notation for a `$ref`), and a null
//! among the values of an `enum`. If a definition allows null, null is allowed at each reference to it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Schema, flag, merge, text};
use crate::node::{AT, Node};

pub(super) fn run(schema: &mut Schema<'_>) {
    schema.rewrite(mark);
    let definitions = schema.bundle.definitions.iter();
    let nullable = definitions.filter(|(_, node)| flag(schema.follow(node), "nullable"));
    let nullable: BTreeSet<String> = nullable.map(|(key, _)| key.clone()).collect();
    schema.rewrite(|node| {
        if text(node, "$ref").is_some_and(|key| nullable.contains(key)) {
            node.insert("nullable".to_owned(), true.into());
        }
    });
}

fn mark(node: &mut Node) {
    let in_type = strip(node, "type", |name| name == "null");
    let in_values = strip(node, "enum", Value::is_null);
    let in_choice = ["anyOf", "oneOf"].map(|choice| strip(node, choice, is_null)).contains(&true);
    if in_type || in_values || in_choice {
        node.insert("nullable".to_owned(), true.into());
    }
    if let Some(Value::Array(names)) = node.get_mut("type")
        && let [Value::String(name)] = names.as_mut_slice()
    {
        let name = std::mem::take(name);
        node.insert("type".to_owned(), name.into());
    }
    unwrap_choice(node);
}

fn is_null(branch: &Value) -> bool {
    branch.as_object().is_some_and(|branch| {
        let bare =
            branch.keys().all(|keyword| matches!(keyword.as_str(), AT | "description" | "type"));
        bare && text(branch, "type") == Some("null")
    })
}

/// Removes the nulls from a list, unless it contains nothing else.
fn strip(node: &mut Node, keyword: &str, is_null: impl Fn(&Value) -> bool) -> bool {
    let Some(Value::Array(list)) = node.get_mut(keyword) else { return false };
    let before = list.len();
    if list.iter().all(&is_null) {
        return false;
    }
    list.retain(|item| !is_null(item));
    list.len() < before
}

/// Replaces a choice with a single branch by that branch. A single `const` is kept, because it has the description of
/// the value.
fn unwrap_choice(node: &mut Node) {
    for keyword in ["anyOf", "oneOf"] {
        let Some(Value::Array(list)) = node.get_mut(keyword) else { continue };
        if let [Value::Object(only)] = list.as_mut_slice()
            && !only.contains_key("const")
        {
            let only = std::mem::take(only);
            node.shift_remove(keyword);
            merge(node, only);
        }
    }
}
