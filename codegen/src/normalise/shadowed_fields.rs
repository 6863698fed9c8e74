//! Removes the fields of an object that its base also has.
//!
//! In the published file, the session start event has the field `session_id`, which the data of every event have. With
//! two Rust fields, the field would be written twice. A field that the base declares differently is reported. A field
//! that is required here stays in `required`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Schema, inner, is_record, text, visit};
use crate::diagnostic::Code;
use crate::node::{AT, FROM, Node, place};

pub(super) fn run(schema: &mut Schema<'_>) {
    let definitions = schema.bundle.definitions.iter();
    let records: BTreeMap<String, Node> = definitions
        .filter_map(|(key, node)| Some((key.clone(), inner(node, "properties")?.clone())))
        .collect();
    let mut clashes = Vec::new();
    schema.rewrite(|node| {
        let base = text(node, "base").and_then(|base| records.get(base));
        let (Some(base), true) = (base, is_record(node)) else { return };
        let Some(own) = inner(node, "properties") else { return };
        let shared: Vec<String> =
            own.keys().filter(|name| base.contains_key(*name)).cloned().collect();
        for name in shared {
            let Some(Value::Object(own)) = node.get_mut("properties") else { return };
            let field = own.shift_remove(&name);
            if field.clone().map(bare) != base.get(&name).cloned().map(bare) {
                let at = field.as_ref().and_then(Value::as_object).map(place);
                clashes.push((at.unwrap_or_default().to_owned(), name.clone()));
            }
        }
    });
    for (at, name) in clashes {
        let message = format!("the base declares the field `{name}` differently");
        schema.report(
            &at,
            Code::Contradiction,
            message,
            "use the same schema in both places, or declare it only once",
        );
    }
}

/// Returns a schema without places and descriptions, for a comparison.
pub(super) fn bare(mut value: Value) -> Value {
    if let Value::Object(node) = &mut value {
        visit(node, &mut |node| {
            node.retain(|keyword, _| !matches!(keyword.as_str(), AT | FROM | "description"));
        });
    }
    value
}
