//! Reads an event union out of one condition per event type.
//!
//! `schema/` states for each type: `if` the `event_type` is this, `then` the `data` are that. Unlike one big `oneOf`,
//! this keeps the set of types open and lets a validator point into the event that is wrong.

use serde_json::{Value, json};

use super::{Schema, branches, flag, inner, text};
use crate::diagnostic::Code;
use crate::node::{AT, Node, place};

pub(super) fn run(schema: &mut Schema<'_>) {
    let mut unions = Vec::new();
    let mut forgotten = Vec::new();
    for (key, node) in &schema.bundle.definitions {
        if let Some(union) = read(schema, node) {
            forgotten.extend(lone_conditions(schema, node));
            forgotten.extend(lone_constants(schema, node));
            unions.push((key.clone(), union));
        }
    }
    for (key, union) in unions {
        schema.bundle.definitions.insert(key, union);
    }
    for (at, message, help) in forgotten {
        schema.report(&at, Code::Contradiction, message, help);
    }
}

/// A place, a message and a help.
type Report = (String, String, &'static str);

/// The known values of the tag of a union, if it lists any, and the values that have a condition.
fn values<'s>(schema: &'s Schema<'_>, node: &'s Node) -> Option<(Vec<&'s Node>, Vec<&'s Node>)> {
    let conditions: Vec<_> = branches(node, "allOf").into_iter().filter_map(condition).collect();
    let (tag, ..) = conditions.first()?;
    let tags = schema.follow(inner(inner(node, "properties")?, tag)?);
    let known = branches(tags, "values");
    (!known.is_empty())
        .then(|| (known, conditions.into_iter().map(|(_, value, ..)| value).collect()))
}

/// Reports the conditions on values that the tag does not list.
fn lone_conditions(schema: &Schema<'_>, node: &Node) -> Vec<Report> {
    let Some((known, conditional)) = values(schema, node) else { return Vec::new() };
    let help = "add a constant of that value with its description to the type of the tag";
    let lone = conditional.into_iter().filter(|value| !lists(&known, value));
    lone.map(|value| {
        let message = format!("`{}` has a condition, but no constant", wire(value));
        (place(value).to_owned(), message, help)
    })
    .collect()
}

/// Reports the values of the tag without a condition.
fn lone_constants(schema: &Schema<'_>, node: &Node) -> Vec<Report> {
    let Some((known, conditional)) = values(schema, node) else { return Vec::new() };
    let help = "add a condition to `allOf` that says what the content of that value is";
    let lone = known.into_iter().filter(|value| !lists(&conditional, value));
    lone.map(|value| {
        let message = format!("`{}` has a constant, but no condition", wire(value));
        (place(value).to_owned(), message, help)
    })
    .collect()
}

fn lists(values: &[&Node], value: &Node) -> bool {
    values.iter().any(|known| wire(known) == wire(value))
}

fn wire(value: &Node) -> &str {
    text(value, "const").unwrap_or_default()
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
