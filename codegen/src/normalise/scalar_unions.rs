//! Rewrites a list of scalar types as `scalar`.
//!
//! In mParticle's schema, "string" is any scalar, `type: ["string", "null", "boolean", "integer", "number"]`. The
//! service converts it into text.

use serde_json::Value;

use super::limits::LIMITS;
use super::{Schema, choice, is_scalar, merge};
use crate::node::{AT, Node};

pub(super) fn run(schema: &mut Schema<'_>) {
    schema.rewrite(|node| {
        if let Some(Value::Array(names)) = node.get("type") {
            let is_number = |name: &Value| matches!(name.as_str(), Some("integer" | "number"));
            let name = if names.iter().all(is_number) { "number" } else { "scalar" };
            if is_scalar(node) {
                node.insert("type".to_owned(), name.into());
            }
        }
        let Some((keyword, choices)) = choice(node) else { return };
        if choices.iter().all(|branch| is_scalar(branch) && is_plain(branch)) {
            let choices: Vec<Node> = choices.into_iter().cloned().collect();
            node.shift_remove(keyword);
            node.insert("type".to_owned(), "scalar".into());
            for branch in choices {
                merge(node, branch);
            }
        }
    });
}

/// Whether a branch contains only keywords of a scalar.
fn is_plain(branch: &Node) -> bool {
    let plain = |keyword: &str| matches!(keyword, AT | "description" | "nullable" | "type");
    branch.keys().all(|keyword| plain(keyword) || LIMITS.contains(&keyword.as_str()))
}
