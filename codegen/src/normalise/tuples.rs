//! Rewrites a tuple with a single schema as a list.
//!
//! In draft 7, `items: [S]` is a list whose first item is S. The published schemas use it for a list of S.

use serde_json::Value;

use super::Schema;
use super::shadowed_fields::bare;

pub(super) fn run(schema: &mut Schema<'_>) {
    schema.rewrite(|node| {
        let Some(Value::Array(items)) = node.get("items") else { return };
        let mut kinds = items.iter().cloned().map(bare);
        let first = kinds.next();
        if let (true, Some(item)) = (kinds.all(|kind| Some(&kind) == first.as_ref()), items.first())
        {
            let item = item.clone();
            node.insert("items".to_owned(), item);
        }
    });
}
