//! Removes the wrappers that a union has taken apart.
//!
//! Those alone: a definition that nothing refers to may still be what somebody wants to read, such as the error
//! response of the published file, and a wrapper may be in use elsewhere, as breadcrumbs are in crash reports.

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
