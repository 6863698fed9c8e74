//! Rewrites the different notations of a schema into one normal form.
//!
//! The passes run in the order of [`PASSES`]. Each handles one notation. They work on plain JSON and do not change
//! schemas that they do not recognise. `verify` then reports all schemas that are not in normal form, which is one of
//! these:
//!
//! - `{"$ref": key}`, to a named type;
//! - `{"type": T}` with T one of `any`, `boolean`, `integer`, `number`, `string` (with a `format`, perhaps),
//!   `scalar`, `scalar-or-list`, or `hand-written` with the type's name as `rust`;
//! - `{"type": "array", "items": S}` and `{"type": "object", "additionalProperties": S}`, a map;
//! - as a definition only, `{"type": "object", "properties", "required", "base"}`, `{"type": "enum", "values",
//!   "closed"}` and `{"type": "union", "tag", "content", "variants", "closed"}`.
//!
//! Each of them may also have `nullable`, `description`, `readOnly`, limits and annotations.

mod aliases;
mod base_objects;
mod const_enums;
mod event_conditions;
mod event_types;
mod event_wrappers;
mod hand_written;
mod inert_keywords;
mod inline_types;
mod ip_unions;
mod limits;
mod nested_bases;
mod nullable;
mod ref_siblings;
mod scalar_or_list;
mod scalar_unions;
mod shadowed_fields;
mod spent_wrappers;
mod tuples;
mod type_names;
mod untyped;

pub(crate) use self::type_names::default_name;

use crate::bundle::Bundle;
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::node::{
    Node, branches, choice, flag, inner, is_named, is_record, is_scalar, merge, text, visit,
};
use crate::overrides::Overrides;

/// A pass: its function, and its name for reports and tests.
pub(crate) type Pass = (&'static str, fn(&mut Schema<'_>));

/// All passes, in order.
pub(crate) const PASSES: &[Pass] = &[
    ("inert-keywords", inert_keywords::run),
    ("limits", limits::run),
    ("nullable", nullable::run),
    ("ref-siblings", ref_siblings::run),
    ("const-enums", const_enums::run),
    ("untyped", untyped::run),
    ("tuples", tuples::run),
    ("event-types", event_types::run),
    ("event-conditions", event_conditions::run),
    ("base-objects", base_objects::run),
    ("event-wrappers", event_wrappers::run),
    ("spent-wrappers", spent_wrappers::run),
    ("hand-written", hand_written::run),
    ("aliases", aliases::run),
    ("ip-unions", ip_unions::run),
    ("scalar-unions", scalar_unions::run),
    ("scalar-or-list", scalar_or_list::run),
    ("nested-bases", nested_bases::run),
    ("shadowed-fields", shadowed_fields::run),
    ("inline-types", inline_types::run),
    ("type-names", type_names::run),
];

/// A schema during normalisation.
pub(crate) struct Schema<'a> {
    pub(crate) bundle: Bundle,
    pub(crate) overrides: &'a Overrides,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The wrappers that were converted into variants of a union.
    pub(crate) spent: Vec<String>,
}

impl<'a> Schema<'a> {
    /// Creates a schema before the first pass.
    pub(crate) fn new(bundle: Bundle, overrides: &'a Overrides) -> Self {
        Self { bundle, overrides, diagnostics: Vec::new(), spent: Vec::new() }
    }

    /// Runs all passes.
    pub(crate) fn normalise(&mut self) {
        for (_, pass) in PASSES {
            pass(self);
        }
    }

    /// Rewrites all schemas, the inner ones first.
    fn rewrite(&mut self, mut rewrite: impl FnMut(&mut Node)) {
        for node in self.bundle.definitions.values_mut() {
            visit(node, &mut rewrite);
        }
    }

    fn report(&mut self, at: &str, code: Code, message: impl Into<String>, help: &str) {
        let diagnostic = Diagnostic::new(code, Origin::parse(at), message).with_help(help);
        self.diagnostics.push(diagnostic);
    }

    /// Returns a schema, or the definition that its references lead to.
    fn follow<'s>(&'s self, mut node: &'s Node) -> &'s Node {
        for _ in 0..16 {
            let target = text(node, "$ref").and_then(|key| self.bundle.definitions.get(key));
            let Some(target) = target else { break };
            node = target;
        }
        node
    }
}

#[cfg(test)]
mod tests;
