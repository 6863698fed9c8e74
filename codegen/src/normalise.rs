//! Rewrites every notation a schema may use into one normal form.
//!
//! The passes run in the order of [`PASSES`], each answering one quirk. They work on plain JSON and leave alone
//! what they do not recognise; `verify` then reports whatever is not in normal form. There, a schema is one of:
//!
//! - `{"$ref": key}`, to a named type;
//! - `{"type": T}` with T one of `any`, `boolean`, `integer`, `number`, `string` (with a `format`, perhaps),
//!   `scalar`, `scalar-or-list`, or `hand-written` with the type's name as `rust`;
//! - `{"type": "array", "items": S}` and `{"type": "object", "additionalProperties": S}`, a map;
//! - as a definition only, `{"type": "object", "properties", "required", "base"}`, `{"type": "enum", "values",
//!   "closed"}` and `{"type": "union", "tag", "content", "variants", "closed"}`.
//!
//! Beside any of them may stand `nullable`, `description`, `readOnly`, limits and annotations.

mod aliases;
mod base_objects;
mod const_enums;
mod event_conditions;
mod event_wrappers;
mod hand_written;
mod inert_keywords;
mod inline_types;
mod ip_unions;
mod limits;
mod nullable;
mod ref_siblings;
mod scalar_or_list;
mod scalar_unions;
mod shadowed_fields;
mod spent_wrappers;
mod type_names;
mod untyped;

pub(crate) use self::type_names::default_name;

use serde_json::Value;

use crate::bundle::{Bundle, Node, place};
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::overrides::Overrides;

/// A pass: a name for reports and tests, and what it does.
pub(crate) type Pass = (&'static str, fn(&mut Schema<'_>));

/// Every pass, in order.
pub(crate) const PASSES: &[Pass] = &[
    ("inert-keywords", inert_keywords::run),
    ("limits", limits::run),
    ("nullable", nullable::run),
    ("ref-siblings", ref_siblings::run),
    ("const-enums", const_enums::run),
    ("untyped", untyped::run),
    ("event-conditions", event_conditions::run),
    ("base-objects", base_objects::run),
    ("event-wrappers", event_wrappers::run),
    ("spent-wrappers", spent_wrappers::run),
    ("hand-written", hand_written::run),
    ("aliases", aliases::run),
    ("ip-unions", ip_unions::run),
    ("scalar-unions", scalar_unions::run),
    ("scalar-or-list", scalar_or_list::run),
    ("shadowed-fields", shadowed_fields::run),
    ("inline-types", inline_types::run),
    ("type-names", type_names::run),
];

/// A schema on its way to the normal form.
pub(crate) struct Schema<'a> {
    pub(crate) bundle: Bundle,
    pub(crate) overrides: &'a Overrides,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The wrappers that a union has taken apart.
    pub(crate) spent: Vec<String>,
}

impl<'a> Schema<'a> {
    /// A schema no pass has touched.
    pub(crate) fn new(bundle: Bundle, overrides: &'a Overrides) -> Self {
        Self { bundle, overrides, diagnostics: Vec::new(), spent: Vec::new() }
    }

    /// Runs every pass.
    pub(crate) fn normalise(&mut self) {
        for (_, pass) in PASSES {
            pass(self);
        }
    }

    /// Rewrites every schema, inner ones first.
    fn rewrite(&mut self, mut rewrite: impl FnMut(&mut Node)) {
        for node in self.bundle.definitions.values_mut() {
            visit(node, &mut rewrite);
        }
    }

    fn report(&mut self, at: &str, code: Code, message: impl Into<String>, help: &str) {
        let diagnostic = Diagnostic::new(code, Origin::parse(at), message).with_help(help);
        self.diagnostics.push(diagnostic);
    }

    /// The definition a schema stands for: itself, or what its references lead to.
    fn follow<'s>(&'s self, mut node: &'s Node) -> &'s Node {
        for _ in 0..16 {
            let target = text(node, "$ref").and_then(|key| self.bundle.definitions.get(key));
            let Some(target) = target else { break };
            node = target;
        }
        node
    }
}

/// Visits a schema and every schema inside it, inner ones first.
pub(crate) fn visit(node: &mut Node, f: &mut impl FnMut(&mut Node)) {
    visit_inner(node, f);
    f(node);
}

/// Visits every schema inside a schema, innermost first.
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

/// A keyword's text.
pub(crate) fn text<'n>(node: &'n Node, keyword: &str) -> Option<&'n str> {
    node.get(keyword)?.as_str()
}

/// Whether a keyword is set to true.
pub(crate) fn flag(node: &Node, keyword: &str) -> bool {
    node.get(keyword).and_then(Value::as_bool) == Some(true)
}

/// The schema a keyword holds.
pub(crate) fn inner<'n>(node: &'n Node, keyword: &str) -> Option<&'n Node> {
    node.get(keyword)?.as_object()
}

/// The schemas a keyword lists.
pub(crate) fn branches<'n>(node: &'n Node, keyword: &str) -> Vec<&'n Node> {
    let list = node.get(keyword).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_object).collect()
}

/// The keyword with which a schema offers a choice, and the branches of it.
fn choice(node: &Node) -> Option<(&'static str, Vec<&Node>)> {
    match (node.contains_key("oneOf"), node.contains_key("anyOf")) {
        (true, false) => Some(("oneOf", branches(node, "oneOf"))),
        (false, true) => Some(("anyOf", branches(node, "anyOf"))),
        _ => None,
    }
}

/// Adds what `other` says and `node` does not.
fn merge(node: &mut Node, other: Node) {
    for (keyword, value) in other {
        node.entry(keyword).or_insert(value);
    }
}

/// Whether a schema is an object with fields of its own.
pub(crate) fn is_record(node: &Node) -> bool {
    text(node, "type") == Some("object")
        && (node.contains_key("properties") || node.contains_key("base"))
}

/// Whether a schema has to be a named type: an object, an enum or a union.
pub(crate) fn is_named(node: &Node) -> bool {
    is_record(node) || matches!(text(node, "type"), Some("enum" | "union"))
}

/// Whether a schema is one scalar, in normal form or still as a list of types.
fn is_scalar(node: &Node) -> bool {
    let scalar =
        |name: &str| matches!(name, "boolean" | "integer" | "number" | "scalar" | "string");
    match node.get("type") {
        Some(Value::String(name)) => scalar(name),
        Some(Value::Array(names)) => names.iter().all(|name| name.as_str().is_some_and(scalar)),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
