//! Verifies objects and their fields.

use std::collections::BTreeSet;

use super::{Verifier, description, texts};
use crate::diagnostic::{Code, Origin};
use crate::model::{Base, Field, Object, Presence, Records};
use crate::names::{Style, Taken};
use crate::node::{Node, flag, inner, place, text};
use crate::overrides::TypeOverride;

/// The default name of the field with a base.
pub(super) const BASE_FIELD: &str = "common";

/// The keywords of an object, in addition to those of all schemas.
const KNOWN: &[&str] = &["base", "properties", "required", "x-mparticle-advice"];

impl<'a> Verifier<'a> {
    pub(super) fn object(&mut self, key: &str, node: &Node) -> Object {
        self.check_keywords(node, "an object", KNOWN);
        let overrides = self.schema.overrides;
        let settings = overrides.types.get(key).cloned().unwrap_or_default();
        let base = text(node, "base").map(|base| self.base(place(node), base));
        let records = settings.records.as_ref().map(|records| Records {
            ident: records.field.clone(),
            type_name: records.item.clone(),
            key: records.key.clone(),
            value: records.value.clone(),
        });
        let own = records.iter().map(|records| records.ident.as_str());
        let reserved = own.chain(base.iter().map(|base| base.ident.as_str()));
        let mut taken = Taken::reserving(reserved.chain(["envelope", "extra"]));
        let fields = self.fields(node, &settings, &mut taken);
        self.check_names(node, &fields);
        let mut object = Object {
            required_of_base: self.required_of_base(node),
            constructor: Vec::new(),
            exactly_one_of: exactly_one_of(node).into_iter().collect(),
            entry: settings.entry,
            fields,
            base,
            records,
        };
        let required = || object.required().cloned().collect();
        object.constructor = settings.constructor.unwrap_or_else(required);
        object
    }

    fn base(&mut self, at: &str, key: &str) -> Base {
        if self.leads_back(key) {
            let message = format!("`{key}` is flattened into itself");
            let help = "remove one of the references in `allOf`";
            self.report(at, Code::ReferenceCycle, message, help);
        }
        if !self.schema.bundle.definitions.get(key).is_some_and(crate::node::is_record) {
            let message = format!("the base `{key}` is not an object with properties");
            self.report(at, Code::UnsupportedShape, message, "define it as an object");
            return Base { ident: BASE_FIELD.to_owned(), type_name: String::new() };
        }
        let settings = self.schema.overrides.types.get(key);
        let chosen = settings.and_then(|settings| settings.flattened_as.as_deref());
        let ident = chosen.unwrap_or(BASE_FIELD).to_owned();
        Base { ident, type_name: self.type_name(at, key) }
    }

    /// Returns the fields of the base of an object.
    fn base_fields(&self, node: &Node) -> impl Iterator<Item = (&'a String, &'a Node)> + use<'a> {
        let schema = self.schema;
        let base = text(node, "base").and_then(|base| schema.bundle.definitions.get(base));
        let fields = base.and_then(|base| inner(base, "properties")).into_iter().flatten();
        fields.filter_map(|(wire, property)| Some((wire, property.as_object()?)))
    }

    /// Returns the fields of the base that only this object requires.
    fn required_of_base(&self, node: &Node) -> Vec<String> {
        let mut required = texts(node, "required");
        required.retain(|wire| self.base_fields(node).any(|(name, _)| name == wire));
        required.sort();
        required.dedup();
        required
    }

    /// Whether the bases of a key form a cycle.
    fn leads_back(&self, key: &str) -> bool {
        let next = |key: &&str| text(self.schema.bundle.definitions.get(*key)?, "base");
        let definitions = self.schema.bundle.definitions.len();
        std::iter::successors(next(&key), next).take(definitions + 1).any(|base| base == key)
    }

    fn fields(&mut self, node: &Node, settings: &TypeOverride, taken: &mut Taken) -> Vec<Field> {
        let required = texts(node, "required");
        let properties = inner(node, "properties").into_iter().flatten();
        let properties =
            properties.filter_map(|(wire, property)| Some((wire, property.as_object()?)));
        let field = |(wire, property): (&String, &Node)| {
            let slot = self.slot(property, 0);
            let presence = match (required.contains(wire), settings.optional_to_read.contains(wire))
            {
                (false, _) => Presence::Optional,
                (true, true) => Presence::RequiredToWrite,
                (true, false) if slot.nullable => Presence::WrittenAlways,
                (true, false) => Presence::Required,
            };
            Field {
                wire: wire.clone(),
                ident: self.ident(place(property), wire, Style::Field, taken),
                aliases: texts(property, "x-mparticle-aliases"),
                description: description(property),
                slot,
                presence,
                format: other_format(property),
                read_only: flag(property, "readOnly"),
                singular: settings.singular.get(wire).cloned(),
                origin: Origin::parse(place(property)),
            }
        };
        properties.map(field).collect()
    }

    /// Checks that the names in `required` and in advice are names of fields, and that no spelling belongs to two
    /// fields.
    fn check_names(&mut self, node: &Node, fields: &[Field]) {
        let advised = exactly_one_of(node).into_iter().flatten();
        let is_own = |name: &String| fields.iter().any(|field| field.wire == *name);
        let is_known =
            |name: &String| is_own(name) || self.base_fields(node).any(|(wire, _)| wire == name);
        let mut unknown = texts(node, "required");
        unknown.retain(|name| !is_known(name));
        unknown.extend(advised.filter(|name| !is_own(name)));
        for name in unknown {
            let message = format!("the object has no property `{name}`");
            let help = "declare the property in this object";
            self.report(place(node), Code::UnknownProperty, message, help);
        }
        let mut known = BTreeSet::new();
        for (wire, property) in self.base_fields(node) {
            known.extend(texts(property, "x-mparticle-aliases"));
            known.insert(wire.clone());
        }
        for field in fields {
            for spelling in field.aliases.iter().chain([&field.wire]) {
                if !known.insert(spelling.clone()) {
                    let message = format!("`{spelling}` is the name or an alias of two properties");
                    let help = "remove one of the two spellings";
                    self.report(&field.origin.key(), Code::Contradiction, message, help);
                }
            }
        }
    }
}

fn exactly_one_of(node: &Node) -> Option<Vec<String>> {
    let advice = inner(node, "x-mparticle-advice")?;
    advice.contains_key("exactlyOneOf").then(|| texts(advice, "exactlyOneOf"))
}

/// Returns a format without a Rust type of its own.
fn other_format(property: &Node) -> Option<String> {
    let format = text(property, "format").filter(|_| text(property, "type") == Some("string"))?;
    (!matches!(format, "uuid" | "ip" | "ipv4" | "ipv6")).then(|| format.to_owned())
}
