//! Assigns a Rust name to each type.
//!
//! The name of a definition is its key, the name of a document is its title, and the name of an inline type consists of
//! the type and the property that contain it. The overrides take precedence. Two types with the same name are reported.
//! They are not numbered, because a number would depend on the order of definitions.

use std::collections::BTreeMap;

use super::{Schema, branches, is_named, text};
use crate::diagnostic::{Code, Origin};
use crate::names::{self, type_ident};

const HELP: &str =
    "name it with `name` under `[types.\"file#pointer\"]`, or an inline type under `[names]`";

pub(super) fn run(schema: &mut Schema<'_>) {
    let mut taken: BTreeMap<String, Origin> = BTreeMap::new();
    let named = schema.bundle.definitions.iter().filter(|(_, node)| is_named(node));
    let keys: Vec<String> = named.map(|(key, _)| key.clone()).collect();
    for key in keys {
        let Some(name) = name(schema, &key) else {
            let document = key.split_inclusive('#').next().unwrap_or_default();
            if key == document || !schema.bundle.definitions.get(document).is_some_and(is_named) {
                schema.report(&key, Code::MissingName, "the type has no name", HELP);
            }
            continue;
        };
        if !names::is_camel(&name) && names::is_ident(&name) {
            let styled = type_ident(&name);
            let message =
                format!("`{name}` does not follow the style of type names; `{styled}` would");
            schema.report(&key, Code::InvalidName, message, HELP);
        } else if names::is_reserved(&name) || !names::is_ident(&name) {
            let message = format!("`{name}` cannot be the name of a type");
            schema.report(&key, Code::InvalidName, message, HELP);
        } else if let Some(other) = taken.get(&name) {
            let message = format!("`{name}` is also the name of `{other}`");
            schema.report(&key, Code::NameConflict, message, HELP);
        } else {
            taken.insert(name.clone(), Origin::parse(&key));
        }
        if let Some(node) = schema.bundle.definitions.get_mut(&key) {
            node.insert("name".to_owned(), name.into());
        }
    }
}

/// Returns the name of the type at a place.
fn name(schema: &Schema<'_>, key: &str) -> Option<String> {
    let overrides = schema.overrides;
    let by_type = overrides.types.get(key).and_then(|entry| entry.name.clone());
    let chosen = by_type.or_else(|| overrides.names.get(key).cloned());
    chosen.or_else(|| default_name(schema, key)).filter(|name| !name.is_empty())
}

/// Returns the name of a type without overrides.
pub(crate) fn default_name(schema: &Schema<'_>, key: &str) -> Option<String> {
    let (file, pointer) = key.split_once('#')?;
    let Some((parent, last)) = pointer.rsplit_once('/') else {
        let document = schema.bundle.documents.get(file)?;
        return document.title.as_deref().map(type_ident);
    };
    let last = last.replace("~1", "/").replace("~0", "~");
    match parent.rsplit_once('/') {
        Some((_, "$defs" | "definitions")) => Some(type_ident(&last)),
        Some((owner, "properties")) => {
            if let Some(name) = content_name(schema, file, owner) {
                return Some(name);
            }
            let owner = name(schema, &format!("{file}#{owner}"))?;
            Some(owner + &type_ident(&last))
        }
        _ => name(schema, &format!("{file}#{parent}")),
    }
}

/// Returns the name of a content in a condition: the name of the union and the value of the tag.
fn content_name(schema: &Schema<'_>, file: &str, then: &str) -> Option<String> {
    let (union, index) = then.strip_suffix("/then")?.rsplit_once("/allOf/")?;
    let union = format!("{file}#{union}");
    let variants = branches(schema.bundle.definitions.get(&union)?, "variants");
    let tag = text(variants.get(index.parse::<usize>().ok()?)?, "const")?;
    Some(name(schema, &union)? + &type_ident(tag))
}
