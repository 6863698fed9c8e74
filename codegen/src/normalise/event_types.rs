//! Checks that every event type has both a constant and a condition.
//!
//! The constant is in the set of types and has the description of the type. The condition has the type of its data. If
//! one of the two was forgotten, the data would not be checked, or the type would be missing from the set.

use std::collections::BTreeMap;

use super::event_conditions::conditions;
use super::{Schema, branches, inner, text};
use crate::diagnostic::Code;
use crate::node::{Node, place};

/// An event type without a constant or without a condition.
struct Incomplete {
    at: String,
    message: String,
    help: String,
}

pub(super) fn run(schema: &mut Schema<'_>) {
    let definitions = schema.bundle.definitions.values();
    let found: Vec<Incomplete> = definitions.flat_map(|node| incomplete(schema, node)).collect();
    for Incomplete { at, message, help } in found {
        schema.report(&at, Code::IncompleteEventType, message, &help);
    }
}

fn incomplete(schema: &Schema<'_>, node: &Node) -> Vec<Incomplete> {
    let Some(conditions) = conditions(node) else { return Vec::new() };
    let tag = conditions.first().map_or("", |condition| condition.tag);
    let tags = inner(node, "properties").and_then(|properties| inner(properties, tag));
    let tags = tags.map(|tags| branches(schema.follow(tags), "values")).unwrap_or_default();
    let constants: BTreeMap<&str, &str> =
        tags.into_iter().filter_map(|value| Some((text(value, "const")?, place(value)))).collect();
    let mut found = Vec::new();
    if constants.is_empty() {
        return found;
    }
    for condition in conditions.iter().filter(|c| !constants.contains_key(c.value())) {
        let value = condition.value();
        let message = format!("the {tag} `{value}` has a condition, but no constant");
        let help = format!("add a constant `{value}` with a description to the values of `{tag}`");
        found.push(Incomplete { at: condition.at.to_owned(), message, help });
    }
    let has_condition = |value: &str| conditions.iter().any(|c| c.value() == value);
    for (value, at) in constants.into_iter().filter(|(value, _)| !has_condition(value)) {
        let message = format!("the {tag} `{value}` has a constant, but no condition");
        let help = format!("add a condition for `{value}` to the `allOf` of {}", place(node));
        found.push(Incomplete { at: at.to_owned(), message, help });
    }
    found
}
