//! Lets an `enum` win over the `$ref` beside it.
//!
//! The published file writes `{"$ref": "#/definitions/String", "enum": [..]}`, where drafts up to 7 ignore the
//! siblings of a `$ref`: any text is valid, the enum lists the known ones. So it becomes an open enum.

use super::Schema;

pub(super) fn run(schema: &mut Schema<'_>) {
    schema.rewrite(|node| {
        if node.contains_key("enum") && node.shift_remove("$ref").is_some() {
            node.insert("closed".to_owned(), false.into());
        }
    });
}
