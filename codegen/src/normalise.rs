//! Rewrites every notation a schema may use into one normal form.
//!
//! The passes run in the order of [`PASSES`], each answering one quirk. They work on plain JSON and leave alone
//! what they do not recognise; `verify` then reports whatever is not in normal form. There, a schema is one of:
//!
//! - `{"$ref": key}`, to a named type;
//! - `{"type": T}` with T one of `any`, `boolean`, `integer`, `number`, `string` (with a `format`, perhaps),
//!   `scalar`, `scalar-or-list`, or `hand-written` with the type's name as `rust`;
//! - `{"type": "array", "items": S}` and `{"type": "object", "additionalProperties": S}`, a map;
//! - as a definition only, `{"type": "object", "properties", "required", "base"}`, `{"type": "enum", "values",
//!   "closed"}` and `{"type": "union", "tag", "content", "variants", "closed"}`.
//!
//! Beside any of them may stand `nullable`, `description`, `readOnly`, limits and annotations.

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

/// A pass: a name for reports and tests, and what it does.
pub(crate) type Pass = (&'static str, fn(&mut Schema<'_>));

/// Every pass, in order.
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

/// A schema on its way to the normal form.
pub(crate) struct Schema<'a> {
    pub(crate) bundle: Bundle,
    pub(crate) overrides: &'a Overrides,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The wrappers that a union has taken apart.
    pub(crate) spent: Vec<String>,
}

impl<'a> Schema<'a> {
    /// A schema no pass has touched.
    pub(crate) fn new(bundle: Bundle, overrides: &'a Overrides) -> Self {
        Self { bundle, overrides, diagnostics: Vec::new(), spent: Vec::new() }
    }

    /// Runs every pass.
    pub(crate) fn normalise(&mut self) {
        for (_, pass) in PASSES {
            pass(self);
        }
    }

    /// Rewrites every schema, inner ones first.
    fn rewrite(&mut self, mut rewrite: impl FnMut(&mut Node)) {
        for node in self.bundle.definitions.values_mut() {
            visit(node, &mut rewrite);
        }
    }

    fn report(&mut self, at: &str, code: Code, message: impl Into<String>, help: &str) {
        let diagnostic = Diagnostic::new(code, Origin::parse(at), message).with_help(help);
        self.diagnostics.push(diagnostic);
    }

    /// The definition a schema stands for: itself, or what its references lead to.
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
