//! Reads `allOf` as an object with a base.
//!
//! Each event has its own fields and the fields that all events have. `schema/` writes `allOf: [base]` beside
//! `properties`, and the published file writes `allOf: [base, {"properties": ..}]`. Both become an object with `base`.
//! An `allOf` that contains only a single reference becomes that reference.

use serde_json::Value;

use super::{Schema, branches, is_record, merge};
use crate::node::{AT, Node};

pub(super) fn run(schema: &mut Schema<'_>) {
    schema.rewrite(|node| {
        if let Some(object) = flat(node) {
            *node = object;
        }
    });
}

fn flat(node: &Node) -> Option<Node> {
    node.get("allOf")?;
    let parts = branches(node, "allOf");
    let mut object = node.clone();
    object.shift_remove("allOf");
    let own = ["type", "properties"].iter().any(|keyword| object.contains_key(*keyword));
    if let ([only], false) = (parts.as_slice(), own) {
        merge(&mut object, (*only).clone());
        return Some(object);
    }
    for part in parts {
        if let Some(base) = part.get("$ref") {
            let alone = part.keys().all(|k| matches!(k.as_str(), AT | "$ref" | "description"));
            if !alone || object.insert("base".to_owned(), base.clone()).is_some() {
                return None;
            }
        } else if !is_record(part) || !add(&mut object, part) {
            return None;
        }
    }
    object.entry("type").or_insert_with(|| "object".into());
    object.entry("properties").or_insert_with(|| Node::new().into());
    is_record(&object).then_some(object)
}

/// Adds the fields of one part to an object. Returns `false` if fields clash.
fn add(object: &mut Node, part: &Node) -> bool {
    for (keyword, value) in part {
        let known = object.entry(keyword.as_str()).or_insert(Value::Null);
        match (keyword.as_str(), known, value) {
            (_, known @ Value::Null, value) => *known = value.clone(),
            ("properties", Value::Object(known), Value::Object(more)) => {
                if more.keys().any(|name| known.contains_key(name)) {
                    return false;
                }
                known.extend(more.clone());
            }
            ("required", Value::Array(known), Value::Array(more)) => known.extend(more.clone()),
            (AT | "description" | "type", ..) => {}
            _ => return false,
        }
    }
    true
}
