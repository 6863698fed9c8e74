//! Removes the wrappers that were converted into variants of a union.
//!
//! Other definitions without references are kept, because a user may want to read them, such as the error response of
//! the published file. A wrapper that is used elsewhere is also kept, such as the breadcrumbs in crash reports.

use std::collections::BTreeSet;

use super::{Schema, text};

pub(super) fn run(schema: &mut Schema<'_>) {
    let mut used = BTreeSet::new();
    schema.rewrite(|node| used.extend(text(node, "$ref").map(str::to_owned)));
    for key in std::mem::take(&mut schema.spent) {
        if !used.contains(&key) {
            schema.bundle.definitions.shift_remove(&key);
        }
    }
}
