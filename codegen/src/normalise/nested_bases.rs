//! Adds the fields of the base of a base to the base.
//!
//! If A has the base B and B has the base C, serde would flatten C into B and B into A. A field would be written twice
//! and refused when it is read. Instead, B contains the fields of C, and only A flattens its base.

use std::collections::BTreeSet;

use serde_json::Value;

use super::shadowed_fields::bare;
use super::{Schema, inner, is_record, text};
use crate::diagnostic::Code;
use crate::node::{Node, place};

pub(super) fn run(schema: &mut Schema<'_>) {
    follow_aliases(schema);
    let mut bases = BTreeSet::new();
    schema.rewrite(|node| bases.extend(text(node, "base").map(str::to_owned)));
    // Each round merges at least one base. `verify` reports bases in a cycle.
    while let Some((key, base)) = next(schema, &bases) {
        let Some(base) = schema.bundle.definitions.get(&base).cloned() else { return };
        let Some(node) = schema.bundle.definitions.get_mut(&key) else { return };
        for (at, message) in take_in(node, base) {
            let help = "use the same schema in both places, or declare it only once";
            schema.report(&at, Code::Contradiction, message, help);
        }
    }
}

/// Resolves a base that is named by a definition that is only a reference.
fn follow_aliases(schema: &mut Schema<'_>) {
    let definitions = schema.bundle.definitions.clone();
    let target = |key: &str| text(definitions.get(key)?, "$ref").map(str::to_owned);
    schema.rewrite(|node| {
        for _ in 0..definitions.len() {
            let Some(key) = text(node, "base").and_then(target) else { return };
            node.insert("base".to_owned(), key.into());
        }
    });
}

/// Returns a base whose base has no further base.
fn next(schema: &Schema<'_>, bases: &BTreeSet<String>) -> Option<(String, String)> {
    let definitions = &schema.bundle.definitions;
    bases.iter().find_map(|key| {
        let base = text(definitions.get(key)?, "base")?;
        let target = definitions.get(base).filter(|target| is_record(target))?;
        text(target, "base").is_none().then(|| (key.clone(), base.to_owned()))
    })
}

/// Adds the keywords of a base before those of the object. Returns the contradictions.
fn take_in(node: &mut Node, base: Node) -> Vec<(String, String)> {
    let mut clashes = Vec::new();
    node.shift_remove("base");
    let mut fields = inner(&base, "properties").cloned().unwrap_or_default();
    for (name, field) in inner(node, "properties").cloned().unwrap_or_default() {
        let at = field.as_object().map(place).unwrap_or_default().to_owned();
        match fields.get(&name) {
            Some(other) if bare(other.clone()) != bare(field.clone()) => {
                clashes.push((at, format!("the base declares the field `{name}` differently")));
            }
            Some(_) => {}
            None => drop(fields.insert(name, field)),
        }
    }
    node.insert("properties".to_owned(), fields.into());
    for (keyword, value) in base {
        match (keyword.as_str(), node.get_mut(&keyword), value) {
            ("required", Some(Value::Array(own)), Value::Array(more)) => own.extend(more),
            ("required" | "x-mparticle-advice", None, value) => {
                node.insert(keyword, value);
            }
            ("x-mparticle-advice", Some(_), _) => {
                let message = "the object and its base both have advice".to_owned();
                clashes.push((place(node).to_owned(), message));
            }
            _ => {}
        }
    }
    clashes
}
