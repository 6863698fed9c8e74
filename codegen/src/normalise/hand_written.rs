//! Replaces the definitions that the overrides name with hand-written types.
//!
//! A schema cannot describe the Rust types of times, of values of several types, and of the three forms of a
//! breadcrumb.

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
