//! Converts one condition per event type into an event union.
//!
//! `schema/` has a condition for each type: `if` has the `event_type`, and `then` has the type of `data`. Unlike one
//! large `oneOf`, this keeps the set of types open, and a validator can point to the mistake in an event.

use serde_json::{Value, json};

use super::{Schema, branches, flag, inner, text};
use crate::node::{AT, Node, place};

/// The content of a condition.
pub(super) struct Condition<'n> {
    /// The place of the condition.
    pub(super) at: &'n str,
    /// The property that has the event type.
    pub(super) tag: &'n str,
    /// The event type, as a set of one value.
    constant: &'n Node,
    /// The property that has the details.
    content: &'n str,
    /// The schema of the details.
    target: &'n Node,
}

impl<'n> Condition<'n> {
    /// The event type.
    pub(super) fn value(&self) -> &'n str {
        text(self.constant, "const").unwrap_or_default()
    }
}

pub(super) fn run(schema: &mut Schema<'_>) {
    let mut unions = Vec::new();
    for (key, node) in &schema.bundle.definitions {
        unions.extend(read(schema, node).map(|union| (key.clone(), union)));
    }
    for (key, union) in unions {
        schema.bundle.definitions.insert(key, union);
    }
}

/// Returns the conditions of an object if its `allOf` contains only conditions on the same two properties.
pub(super) fn conditions(node: &Node) -> Option<Vec<Condition<'_>>> {
    let conditions: Vec<_> =
        branches(node, "allOf").into_iter().map(condition).collect::<Option<_>>()?;
    let first = conditions.first()?;
    let (tag, content) = (first.tag, first.content);
    let alike = conditions.iter().all(|c| (c.tag, c.content) == (tag, content));
    alike.then_some(conditions)
}

fn read(schema: &Schema<'_>, node: &Node) -> Option<Node> {
    let conditions = conditions(node)?;
    let &Condition { tag, content, .. } = conditions.first()?;
    let properties = inner(node, "properties")?;
    if properties.keys().any(|name| name != tag && name != content) {
        return None;
    }
    let tags = schema.follow(inner(properties, tag)?);
    let variant = |condition: &Condition<'_>| {
        let wire = Some(condition.value());
        let known = branches(tags, "values").into_iter().find(|known| text(known, "const") == wire);
        let mut variant = known.unwrap_or(condition.constant).clone();
        variant.insert("content".to_owned(), Value::Object(condition.target.clone()));
        Value::Object(variant)
    };
    let union = json!({
        AT: place(node),
        "type": "union",
        "description": node.get("description"),
        "tag": tag,
        "content": content,
        "variants": conditions.iter().map(variant).collect::<Vec<_>>(),
        "closed": flag(tags, "closed"),
    });
    union.as_object().cloned()
}

fn condition(node: &Node) -> Option<Condition<'_>> {
    if node.keys().any(|keyword| !matches!(keyword.as_str(), AT | "if" | "then")) {
        return None;
    }
    let (condition, consequence) = (inner(node, "if")?, inner(node, "then")?);
    let (tag, value) = only(inner(condition, "properties")?)?;
    let (content, target) = only(inner(consequence, "properties")?)?;
    let [constant] = *branches(value, "values").as_slice() else { return None };
    Some(Condition { at: place(node), tag, constant, content, target })
}

fn only(properties: &Node) -> Option<(&str, &Node)> {
    let mut entries = properties.iter();
    let (name, property) = entries.next()?;
    entries.next().is_none().then_some((name.as_str(), property.as_object()?))
}
