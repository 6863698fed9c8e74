//! Rewrites lists of values as `{"type": "enum", "values": [{"const", "description", ..}], "closed"}`.
//!
//! The other notations are `enum: [..]` (without descriptions), a single `const`, and `oneOf` of `const` with
//! `description`. Each of them may be combined with `{"type": "string"}`, and is then an open set.

use serde_json::{Value, json};

use super::{Schema, branches, choice, text};
use crate::node::{AT, Node, place};

pub(super) fn run(schema: &mut Schema<'_>) {
    schema.rewrite(|node| {
        if !matches!(text(node, "type"), None | Some("string")) {
            return;
        }
        let listed =
            from_list(node).or_else(|| from_const(node)).map(|values| (values, !is_open(node)));
        if let Some((values, closed)) = listed.or_else(|| from_choice(node)) {
            for keyword in ["anyOf", "const", "enum", "oneOf"] {
                node.shift_remove(keyword);
            }
            node.insert("type".to_owned(), "enum".into());
            node.insert("values".to_owned(), values.into());
            node.insert("closed".to_owned(), closed.into());
        }
    });
}

fn is_open(node: &Node) -> bool {
    node.get("closed") == Some(&Value::Bool(false))
}

fn from_list(node: &Node) -> Option<Vec<Value>> {
    let at = place(node);
    let values = node.get("enum")?.as_array()?.iter().enumerate();
    Some(values.map(|(i, value)| json!({ AT: format!("{at}/enum/{i}"), "const": value })).collect())
}

/// The schema keeps its description, which may be the description of a property.
fn from_const(node: &Node) -> Option<Vec<Value>> {
    node.get("const")?;
    let kept =
        |keyword: &str| matches!(keyword, AT | "const" | "description" | "x-mparticle-aliases");
    let value: Node =
        node.iter().filter(|(k, _)| kept(k)).map(|(k, v)| (k.clone(), v.clone())).collect();
    Some(vec![value.into()])
}

/// Rewrites a choice of enums, which the inner schemas already are, and possibly of any text.
fn from_choice(node: &Node) -> Option<(Vec<Value>, bool)> {
    let (_, choices) = choice(node)?;
    let (enums, others): (Vec<&Node>, Vec<&Node>) =
        choices.into_iter().partition(|branch| text(branch, "type") == Some("enum"));
    let any_text = |node: &&Node| text(node, "type") == Some("string") && node.len() == 2;
    if enums.is_empty() || !others.iter().all(any_text) {
        return None;
    }
    let closed = others.is_empty() && !enums.iter().any(|node| is_open(node));
    let values = enums.iter().flat_map(|node| branches(node, "values"));
    Some((values.map(|value| Value::Object(value.clone())).collect(), closed))
}
