//! Removes keywords that have no effect on a type.
//!
//! mParticle's published files have defaults that are not values of the same enum (the default of `environment` is
//! `unknown`), and typify would convert an optional field with a default into a plain one. They also close their
//! objects, whereas our types keep unknown fields.

use serde_json::Value;

use super::{Schema, inner};
use crate::node::AT;

const INERT: &[&str] =
    &["$comment", "$id", "$schema", "default", "deprecated", "examples", "title"];

pub(super) fn run(schema: &mut Schema<'_>) {
    schema.rewrite(|node| {
        node.retain(|keyword, _| !INERT.contains(&keyword.as_str()));
        let closed = node.get("additionalProperties") == Some(&Value::Bool(false));
        let open = inner(node, "additionalProperties")
            .is_some_and(|values| values.keys().all(|keyword| keyword == AT));
        let is_map = !node.contains_key("properties") && !closed;
        if closed || open && !is_map {
            node.shift_remove("additionalProperties");
        }
    });
}
