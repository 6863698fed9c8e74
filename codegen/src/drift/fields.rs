//! The fields of an object, with those of the objects that it takes in.

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
    /// Whether the object itself requires it, rather than one that it takes in.
    pub(super) required_here: bool,
    /// Whether an object that this one takes in declares it.
    pub(super) inherited: bool,
}

/// The fields of an object, those of its bases included.
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

/// The names that an object or one of its bases requires, and how many bases away.
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

/// An object, the object that it takes in, and so on.
fn levels<'d>(document: &'d Document, node: &'d Node) -> impl Iterator<Item = &'d Node> {
    std::iter::successors(Some(node), |node| base(document, node)).take(MAX_DEPTH)
}

/// The object that another takes in.
pub(super) fn base<'d>(document: &'d Document, node: &Node) -> Option<&'d Node> {
    document.definitions.get(text(node, "base")?)
}
