//! Verifies enums and unions.

use std::collections::BTreeSet;

use super::{Verifier, description, texts};
use crate::diagnostic::Code;
use crate::model::{Enum, EnumValue, Union, Variant};
use crate::names::{Style, Taken};
use crate::node::{Node, branches, flag, inner, place, text};

impl Verifier<'_> {
    pub(super) fn set(&mut self, node: &Node) -> Enum {
        self.check_keywords(node, "an enum", &["closed", "values"]);
        let mut taken = Taken::reserving(["UnknownValue"]);
        let values = merged(branches(node, "values"));
        let values = self.values(node, &values, &mut taken);
        Enum { values, closed: flag(node, "closed") }
    }

    pub(super) fn union(&mut self, key: &str, node: &Node) -> Union {
        self.check_keywords(node, "a union", &["closed", "content", "tag", "variants"]);
        // The last two are constants of the trait `Tagged`.
        let mut taken = Taken::reserving(["Unknown", "TAG", "CONTENT"]);
        let nodes = branches(node, "variants");
        let variants: Vec<_> = nodes.iter().map(|&value| (value, Vec::new())).collect();
        let values = self.values(node, &variants, &mut taken);
        let variants = values.into_iter().zip(nodes).map(|(value, variant)| Variant {
            type_name: self.content(variant),
            wire: value.wire,
            ident: value.ident,
            aliases: value.aliases,
            description: value.description,
        });
        Union {
            variants: variants.collect(),
            tag: text(node, "tag").unwrap_or_default().to_owned(),
            content: text(node, "content").unwrap_or_default().to_owned(),
            closed: flag(node, "closed"),
            entry: self.schema.overrides.types.get(key).is_some_and(|entry| entry.entry),
        }
    }

    /// Returns the type of the content of a variant, which must be an object.
    fn content(&mut self, variant: &Node) -> String {
        let content = inner(variant, "content").unwrap_or(variant);
        let key = text(content, "$ref").unwrap_or_default();
        let definition = self.schema.bundle.definitions.get(key);
        if definition.is_some_and(crate::node::is_record) {
            return self.type_name(place(content), key);
        }
        let tag = text(variant, "const").unwrap_or_default();
        let message =
            format!("the content of the variant `{tag}` is not an object with properties");
        self.report(place(content), Code::UnsupportedShape, message, "define it as an object");
        String::new()
    }

    fn values(
        &mut self,
        node: &Node,
        listed: &[(&Node, Vec<String>)],
        taken: &mut Taken,
    ) -> Vec<EnumValue> {
        let mut known = BTreeSet::new();
        let mut values = Vec::new();
        for (value, others) in listed {
            let at = place(value);
            let wire = text(value, "const").unwrap_or_default();
            let mut aliases = texts(value, "x-mparticle-aliases");
            aliases.extend(others.iter().cloned());
            for spelling in aliases.iter().map(String::as_str).chain([wire]) {
                if !known.insert(spelling.to_owned()) {
                    let message = format!("the value `{spelling}` occurs twice in the set");
                    self.report(at, Code::Contradiction, message, "remove one of the two");
                }
            }
            values.push(EnumValue {
                wire: wire.to_owned(),
                ident: self.ident(at, wire, Style::Variant, taken),
                aliases,
                description: description(value),
            });
        }
        if values.is_empty() {
            let help = "list its values";
            self.report(place(node), Code::UnsupportedShape, "the set has no values", help);
        }
        values
    }
}

/// Returns the values of an enum. A value that differs from an earlier one only in letter case becomes an alias of it.
fn merged(values: Vec<&Node>) -> Vec<(&Node, Vec<String>)> {
    let mut merged = Vec::<(&Node, Vec<String>)>::new();
    for value in values {
        let wire = text(value, "const").unwrap_or_default();
        let same = |(first, _): &&mut (&Node, Vec<String>)| {
            let first = text(first, "const").unwrap_or_default();
            first != wire && first.eq_ignore_ascii_case(wire)
        };
        match merged.iter_mut().find(same) {
            Some((_, others)) => {
                others.push(wire.to_owned());
                others.extend(texts(value, "x-mparticle-aliases"));
            }
            None => merged.push((value, Vec::new())),
        }
    }
    merged
}
