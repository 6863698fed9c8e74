//! Puts types written by hand in place of the definitions that the overrides name.
//!
//! Times, values of several types and the three shapes of a breadcrumb need Rust that no schema can describe.

use serde_json::Value;

use super::Schema;
use super::limits::LIMITS;
use crate::node::AT;

pub(super) fn run(schema: &mut Schema<'_>) {
    let overrides = schema.overrides;
    for (key, entry) in &overrides.types {
        let node = schema.bundle.definitions.get_mut(key.get_ref());
        if let (Some(rust), Some(node)) = (&entry.rust, node) {
            node.retain(|keyword, _| {
                matches!(keyword.as_str(), AT | "description" | "nullable")
                    || LIMITS.contains(&keyword.as_str())
            });
            node.insert("type".to_owned(), "hand-written".into());
            node.insert("rust".to_owned(), Value::String(rust.clone()));
        }
    }
}
