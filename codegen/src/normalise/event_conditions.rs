//! Reads an event union out of one condition per event type.
//!
//! `schema/` states for each type: `if` the `event_type` is this, `then` the `data` are that. Unlike one big `oneOf`,
//! this keeps the set of types open and lets a validator point into the event that is wrong.

use serde_json::{Value, json};

use super::{Schema, branches, flag, inner, text};
use crate::node::{AT, Node, place};

pub(super) fn run(schema: &mut Schema<'_>) {
    let mut unions = Vec::new();
    for (key, node) in &schema.bundle.definitions {
        unions.extend(read(schema, node).map(|union| (key.clone(), union)));
    }
    for (key, union) in unions {
        schema.bundle.definitions.insert(key, union);
    }
}

/// One condition: the tag's property and value, the content's property and type.
type Condition<'n> = (&'n str, &'n Node, &'n str, &'n Node);

fn read(schema: &Schema<'_>, node: &Node) -> Option<Node> {
    let conditions: Vec<_> =
        branches(node, "allOf").into_iter().map(condition).collect::<Option<_>>()?;
    let &(tag, _, content, _) = conditions.first()?;
    if conditions.iter().any(|(t, _, c, _)| (*t, *c) != (tag, content)) {
        return None;
    }
    let properties = inner(node, "properties")?;
    if properties.keys().any(|name| name != tag && name != content) {
        return None;
    }
    let tags = schema.follow(inner(properties, tag)?);
    let variant = |(_, value, _, target): &Condition<'_>| {
        let wire = text(value, "const");
        let known = branches(tags, "values").into_iter().find(|known| text(known, "const") == wire);
        let mut variant = known.unwrap_or(value).clone();
        variant.insert("content".to_owned(), Value::Object((*target).clone()));
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
    let (tag, value) = only(inner(inner(node, "if")?, "properties")?)?;
    let (content, target) = only(inner(inner(node, "then")?, "properties")?)?;
    match branches(value, "values").as_slice() {
        [value] => Some((tag, value, content, target)),
        _ => None,
    }
}

fn only(properties: &Node) -> Option<(&str, &Node)> {
    let mut entries = properties.iter();
    let (name, property) = entries.next()?;
    entries.next().is_none().then_some((name.as_str(), property.as_object()?))
}
