//! Converts a choice of wrappers into an event union.
//!
//! The published file lists references to objects `{event_type, data}`, each with a single value of `event_type`.
//! typify would generate a struct for each of them, and an untagged enum.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Schema, branches, choice, inner, text};
use crate::node::{AT, Node, place};

/// An object with a content and a tag that has one possible value.
struct Wrapper {
    tag: String,
    content: String,
    /// The value of the tag, with the type of the content as `content`.
    variant: Node,
    /// The definition of the content, and its base.
    target: Option<String>,
    base: Option<String>,
}

pub(super) fn run(schema: &mut Schema<'_>) {
    let definitions = schema.bundle.definitions.iter();
    let wrappers: BTreeMap<String, Wrapper> = definitions
        .filter_map(|(key, node)| Some((key.clone(), wrapper(schema, schema.follow(node))?)))
        .collect();
    let mut spent = Vec::new();
    schema.rewrite(|node| {
        let Some((keyword, choices)) = choice(node) else { return };
        let keys: Option<Vec<&str>> =
            choices.into_iter().map(|branch| text(branch, "$ref")).collect();
        let keys = keys.unwrap_or_default();
        let found: Option<Vec<&Wrapper>> = keys.iter().map(|key| wrappers.get(*key)).collect();
        if let Some(mut union) = found.and_then(|wrappers| union(&wrappers)) {
            spent.extend(keys.iter().map(|&key| key.to_owned()));
            node.shift_remove(keyword);
            node.append(&mut union);
        }
    });
    schema.spent = spent;
}

fn wrapper(schema: &Schema<'_>, node: &Node) -> Option<Wrapper> {
    let properties = inner(node, "properties").filter(|properties| properties.len() == 2)?;
    let only_value = |(name, property): (&String, &Value)| {
        let values = branches(schema.follow(property.as_object()?), "values");
        let only = if values.len() == 1 { values.first() } else { None };
        only.map(|value| (name.clone(), (*value).clone()))
    };
    let (tag, mut variant) = properties.iter().find_map(only_value)?;
    let data = properties.iter().find(|(name, _)| **name != tag);
    let (content, data) = (data?.0, data?.1.as_object()?);
    variant.insert("content".to_owned(), Value::Object(data.clone()));
    Some(Wrapper {
        tag,
        content: content.clone(),
        variant,
        target: text(data, "$ref").map(str::to_owned),
        base: text(schema.follow(data), "base").map(str::to_owned),
    })
}

fn union(wrappers: &[&Wrapper]) -> Option<Node> {
    let first = wrappers.first()?;
    if wrappers.iter().any(|w| (&w.tag, &w.content) != (&first.tag, &first.content)) {
        return None;
    }
    let bases: Vec<_> = wrappers.iter().filter_map(|wrapper| wrapper.base.as_ref()).collect();
    let variant = |wrapper: &&Wrapper| {
        let mut variant = wrapper.variant.clone();
        if let Some(target) = wrapper.target.as_ref().filter(|target| bases.contains(target)) {
            variant.insert("content".to_owned(), own_type(&variant, target));
        }
        Value::Object(variant)
    };
    let variants: Vec<_> = wrappers.iter().map(variant).collect();
    let union = json!({
        "type": "union",
        "tag": first.tag,
        "content": first.content,
        "variants": variants,
        "closed": true,
    });
    union.as_object().cloned()
}

/// Creates a type for events without own fields. Otherwise, several variants would have the base as their content.
fn own_type(variant: &Node, base: &str) -> Value {
    let at = inner(variant, "content").map(place);
    json!({ AT: at, "type": "object", "properties": {}, "base": base })
}
