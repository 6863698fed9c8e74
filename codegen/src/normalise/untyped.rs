//! Adds the `type` that other keywords imply.
//!
//! In the published file, most objects have `properties` and no `type`.

use super::Schema;

const IMPLIED: &[(&str, &str)] =
    &[("properties", "object"), ("additionalProperties", "object"), ("items", "array")];

pub(super) fn run(schema: &mut Schema<'_>) {
    schema.rewrite(|node| {
        let implied = IMPLIED.iter().find(|(keyword, _)| node.contains_key(*keyword));
        if let (Some((_, implied)), false) = (implied, node.contains_key("type")) {
            node.insert("type".to_owned(), (*implied).into());
        }
    });
}
