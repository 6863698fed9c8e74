//! Rewrites a choice of a scalar and a list of scalars as `scalar-or-list`.
//!
//! This is the type of the value of a user attribute. The limits of both branches are kept: `maxLength` for the scalar,
//! `maxItems` for the list, and `itemMaxLength` for a scalar in the list.

use super::{Schema, choice, flag, inner, is_scalar, text};
use crate::node::Node;

pub(super) fn run(schema: &mut Schema<'_>) {
    schema.rewrite(|node| {
        let Some((keyword, choices)) = choice(node) else { return };
        let Some(read) = read(&choices) else { return };
        node.shift_remove(keyword);
        node.insert("type".to_owned(), "scalar-or-list".into());
        super::merge(node, read);
    });
}

fn read(choices: &[&Node]) -> Option<Node> {
    let (scalar, list) = match choices {
        [a, b] if is_scalar(a) => (a, b),
        [a, b] => (b, a),
        _ => return None,
    };
    let items = inner(list, "items")?;
    if !is_scalar(scalar) || text(list, "type") != Some("array") || !is_scalar(items) {
        return None;
    }
    let mut limits = Node::new();
    let mut keep = |name: &str, from: &Node, keyword: &str| {
        limits.extend(from.get(keyword).map(|limit| (name.to_owned(), limit.clone())));
    };
    keep("maxLength", scalar, "maxLength");
    keep("maxItems", list, "maxItems");
    keep("itemMaxLength", items, "maxLength");
    if flag(scalar, "nullable") || flag(list, "nullable") {
        limits.insert("nullable".to_owned(), true.into());
    }
    Some(limits)
}
