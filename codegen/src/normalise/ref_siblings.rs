//! Removes a `$ref` beside an `enum`.
//!
//! The published file contains `{"$ref": "#/definitions/String", "enum": [..]}`. Up to draft 7, siblings of a `$ref`
//! are ignored: any text is valid, and the enum lists the known ones. The schema therefore becomes an open enum.

use super::Schema;

pub(super) fn run(schema: &mut Schema<'_>) {
    schema.rewrite(|node| {
        if node.contains_key("enum") && node.shift_remove("$ref").is_some() {
            node.insert("closed".to_owned(), false.into());
        }
    });
}
