//! Stores the effect of exceeding a limit in the limit.
//!
//! `maxLength: 256` with `x-mparticle-beyond: cut` becomes `maxLength: {value: 256, beyond: "cut"}`. A limit beside a
//! `$ref` is later merged with other limits, which may have another effect. The limit of the keys of a map,
//! `propertyNames`, becomes `nameMaxLength`.

use serde_json::{Value, json};

use super::{Schema, inner};
use crate::diagnostic::Code;
use crate::node::{AT, Node, place};

/// The keywords that set a limit.
pub(crate) const LIMITS: &[&str] =
    &["maxLength", "maxItems", "maxProperties", "minimum", "maximum"];

pub(super) fn run(schema: &mut Schema<'_>) {
    let mut stray = Vec::new();
    schema.rewrite(|node| {
        let beyond = node.shift_remove("x-mparticle-beyond");
        let is_limit = |(keyword, _): &(&String, &mut Value)| LIMITS.contains(&keyword.as_str());
        let mut limits = node.iter_mut().filter(is_limit).peekable();
        if beyond.is_some() && limits.peek().is_none() {
            stray.push(place(node).to_owned());
            return;
        }
        let beyond = beyond.unwrap_or_else(|| "undocumented".into());
        limits.for_each(|(_, limit)| *limit = json!({ "value": limit, "beyond": beyond }));
        bind_names(node);
    });
    for at in stray {
        let help = "move it to the schema object that has the limit";
        let message = "`x-mparticle-beyond` is not beside a limit";
        schema.report(&at, Code::MalformedSchema, message, help);
    }
}

/// Rewrites `propertyNames` if it contains only a `maxLength`. Otherwise, a later step reports it.
fn bind_names(node: &mut Node) {
    let Some(names) = inner(node, "propertyNames") else { return };
    let limit = names.get("maxLength").cloned();
    let alone = names.keys().all(|keyword| matches!(keyword.as_str(), AT | "maxLength" | "type"));
    if let (Some(limit), true) = (limit, alone) {
        node.shift_remove("propertyNames");
        node.insert("nameMaxLength".to_owned(), limit);
    }
}
