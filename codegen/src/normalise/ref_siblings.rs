//! Lets an `enum` win over the `$ref` beside it.
//!
//! The published file writes `{"$ref": "#/definitions/String", "enum": [..]}`, where drafts up to 7 ignore the
//! siblings of a `$ref`: any text is valid, the enum lists the known ones. So it becomes an open enum.

use std::collections::BTreeSet;

use super::{Schema, flag};

pub(super) fn run(schema: &mut Schema<'_>) {
    let definitions = schema.bundle.definitions.iter();
    let nullable: BTreeSet<String> = definitions
        .filter(|(_, node)| flag(schema.follow(node), "nullable"))
        .map(|(key, _)| key.clone())
        .collect();
    schema.rewrite(|node| {
        if !node.contains_key("enum") {
            return;
        }
        let Some(target) = node.shift_remove("$ref") else { return };
        if target.as_str().is_some_and(|key| nullable.contains(key)) {
            node.insert("nullable".to_owned(), true.into());
        }
        node.insert("closed".to_owned(), false.into());
    });
}
