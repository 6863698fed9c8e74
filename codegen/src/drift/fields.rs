//! The fields of an object, including those of its bases.

use std::collections::BTreeMap;

use serde_json::Value;

use super::document::{Document, MAX_DEPTH};
use crate::node::{Node, inner, text};

/// A field of an object.
#[derive(Clone, Debug)]
pub(super) struct Field<'d> {
    pub(super) name: &'d str,
    pub(super) node: &'d Node,
    pub(super) required: bool,
    /// Whether the object itself requires the field, rather than a base.
    pub(super) required_here: bool,
    /// Whether a base declares the field.
    pub(super) inherited: bool,
}

/// Returns the fields of an object, including those of its bases.
pub(super) fn fields<'d>(document: &'d Document, node: &'d Node) -> Vec<Field<'d>> {
    let required = required(document, node);
    let mut fields: Vec<Field<'d>> = Vec::new();
    for (depth, object) in levels(document, node).enumerate() {
        for (name, property) in inner(object, "properties").into_iter().flatten() {
            let known = fields.iter().any(|field| field.name == name);
            if let (Some(node), false) = (property.as_object(), known) {
                fields.push(Field {
                    name,
                    node,
                    required: required.contains_key(name.as_str()),
                    required_here: required.get(name.as_str()) == Some(&0),
                    inherited: depth > 0,
                });
            }
        }
    }
    fields
}

/// Returns the names that an object or one of its bases requires, with the number of bases in between.
pub(super) fn required<'d>(document: &'d Document, node: &'d Node) -> BTreeMap<&'d str, usize> {
    let mut required = BTreeMap::new();
    for (depth, object) in levels(document, node).enumerate() {
        let names = object.get("required").and_then(Value::as_array).into_iter().flatten();
        for name in names.filter_map(Value::as_str) {
            required.entry(name).or_insert(depth);
        }
    }
    required
}

/// Returns an object, its base, the base of the base, and so on.
fn levels<'d>(document: &'d Document, node: &'d Node) -> impl Iterator<Item = &'d Node> {
    std::iter::successors(Some(node), |node| base(document, node)).take(MAX_DEPTH)
}

/// Returns the base of an object.
pub(super) fn base<'d>(document: &'d Document, node: &Node) -> Option<&'d Node> {
    document.definitions.get(text(node, "base")?)
}
