//! A schema object and its accessors, which the bundle and all passes use.

use serde_json::{Map, Value};

/// A schema object.
pub(crate) type Node = Map<String, Value>;

/// The keyword with the place of a schema.
pub(crate) const AT: &str = "x-at";

/// The keyword with the place of the alias in a copy of an alias.
pub(crate) const FROM: &str = "x-from";

/// Returns the place of a schema.
pub(crate) fn place(node: &Node) -> &str {
    node.get(AT).and_then(Value::as_str).unwrap_or_default()
}

/// Visits a schema and all schemas inside it, the inner ones first.
pub(crate) fn visit(node: &mut Node, f: &mut impl FnMut(&mut Node)) {
    visit_inner(node, f);
    f(node);
}

/// Visits all schemas inside a schema, the innermost ones first.
fn visit_inner(node: &mut Node, f: &mut impl FnMut(&mut Node)) {
    for value in node.values_mut() {
        visit_value(value, f);
    }
}

fn visit_value(value: &mut Value, f: &mut impl FnMut(&mut Node)) {
    match value {
        Value::Object(node) if place(node).is_empty() => visit_inner(node, f),
        Value::Object(node) => visit(node, f),
        Value::Array(items) => items.iter_mut().for_each(|item| visit_value(item, f)),
        _ => {}
    }
}

/// Returns the text of a keyword.
pub(crate) fn text<'n>(node: &'n Node, keyword: &str) -> Option<&'n str> {
    node.get(keyword)?.as_str()
}

/// Whether a keyword is `true`.
pub(crate) fn flag(node: &Node, keyword: &str) -> bool {
    node.get(keyword).and_then(Value::as_bool) == Some(true)
}

/// Returns the schema of a keyword.
pub(crate) fn inner<'n>(node: &'n Node, keyword: &str) -> Option<&'n Node> {
    node.get(keyword)?.as_object()
}

/// Returns the schemas in the list of a keyword.
pub(crate) fn branches<'n>(node: &'n Node, keyword: &str) -> Vec<&'n Node> {
    let list = node.get(keyword).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_object).collect()
}

/// Returns the keyword for a choice in a schema, and its branches.
pub(crate) fn choice(node: &Node) -> Option<(&'static str, Vec<&Node>)> {
    match (node.contains_key("oneOf"), node.contains_key("anyOf")) {
        (true, false) => Some(("oneOf", branches(node, "oneOf"))),
        (false, true) => Some(("anyOf", branches(node, "anyOf"))),
        _ => None,
    }
}

/// Adds the keywords of `other` that `node` does not have.
pub(crate) fn merge(node: &mut Node, other: Node) {
    for (keyword, value) in other {
        node.entry(keyword).or_insert(value);
    }
}

/// Whether a schema is an object with fields.
pub(crate) fn is_record(node: &Node) -> bool {
    text(node, "type") == Some("object")
        && (node.contains_key("properties") || node.contains_key("base"))
}

/// Whether a schema must be a named type: an object, an enum or a union.
pub(crate) fn is_named(node: &Node) -> bool {
    is_record(node) || matches!(text(node, "type"), Some("enum" | "union"))
}

/// Whether a schema is a scalar, either in normal form or as a list of types.
pub(crate) fn is_scalar(node: &Node) -> bool {
    let scalar =
        |name: &str| matches!(name, "boolean" | "integer" | "number" | "scalar" | "string");
    match node.get("type") {
        Some(Value::String(name)) => scalar(name),
        Some(Value::Array(names)) => names.iter().all(|name| name.as_str().is_some_and(scalar)),
        _ => false,
    }
}
