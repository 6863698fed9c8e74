//! Reads the overrides file, which changes names and leaves out points and attributes.
//!
//! ```toml
//! ["custom_event:other:Choose Item"]
//! name = "ItemChosen"
//! attributes."Campaign Id".name = "campaign"
//! attributes.history.skip = true
//! attributes.item.values = { "1" = "One" }
//! ```
//!
//! The keys are those that data-planning libraries use for points, and names in JSON. An entry that no longer applies
//! is an error, so the file cannot rot.

use std::collections::BTreeSet;
use std::path::Path;

use indexmap::IndexMap;
use serde::Deserialize;
use toml::Spanned;

use super::idents::Style;
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::load;
use crate::overrides::{Table, line_at};

/// An overrides file, and which of its entries have been applied.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    points: Table<PointOverride>,
    file: String,
    line_ends: Vec<usize>,
    /// Where the keys begin that apply to something.
    applied: BTreeSet<usize>,
}

/// The overrides of one point.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PointOverride {
    name: Option<Spanned<String>>,
    skip: bool,
    attributes: Table<AttributeOverride>,
    flags: Table<AttributeOverride>,
    fields: Table<AttributeOverride>,
    product_attributes: Table<AttributeOverride>,
    product_fields: Table<AttributeOverride>,
}

/// The overrides of one attribute.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AttributeOverride {
    name: Option<Spanned<String>>,
    skip: bool,
    values: IndexMap<Spanned<String>, Spanned<String>>,
}

/// The group of attributes to which one belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Attributes,
    Flags,
    Fields,
    ProductAttributes,
    ProductFields,
}

impl Section {
    /// Returns the name of the group in the file.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Attributes => "attributes",
            Self::Flags => "flags",
            Self::Fields => "fields",
            Self::ProductAttributes => "product_attributes",
            Self::ProductFields => "product_fields",
        }
    }
}

impl PointOverride {
    fn section(&self, section: Section) -> &Table<AttributeOverride> {
        match section {
            Section::Attributes => &self.attributes,
            Section::Flags => &self.flags,
            Section::Fields => &self.fields,
            Section::ProductAttributes => &self.product_attributes,
            Section::ProductFields => &self.product_fields,
        }
    }
}

/// Finds an entry by its name, with its key.
fn find<'a, T>(table: &'a Table<T>, name: &str) -> Option<(&'a Spanned<String>, &'a T)> {
    table.iter().find(|(key, _)| key.get_ref() == name)
}

impl Overrides {
    /// Reads a file.
    pub(crate) fn load(path: &Path) -> Result<Self, Diagnostic> {
        let name = load::file_name(path);
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!("cannot read `{name}`: {error}");
            let help = "name an overrides file, or omit the option";
            Diagnostic::new(Code::UnreadableFile, Origin::parse(&name), message).with_help(help)
        })?;
        Self::parse(&name, &text)
    }

    /// Reads the text of a file.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, Diagnostic> {
        let line_ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        let points = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_at(&line_ends, span.start));
            let help = "an entry is the key of a point with `name`, `skip`, `attributes`, `flags`, `fields`, \
                        `product_attributes` and `product_fields`";
            let origin = Origin::line(file, line);
            Diagnostic::new(Code::InvalidOverrides, origin, error.message()).with_help(help)
        })?;
        Ok(Self { points, file: file.to_owned(), line_ends, applied: BTreeSet::new() })
    }

    /// Whether a point is left out.
    pub(crate) fn skips_point(&mut self, key: &str) -> bool {
        let Some((entry, point)) = find(&self.points, key) else { return false };
        self.applied.insert(entry.span().start);
        point.skip
    }

    /// Whether an attribute is left out.
    pub(crate) fn skips(&mut self, key: &str, section: Section, wire: &str) -> bool {
        let found =
            find(&self.points, key).and_then(|(_, point)| find(point.section(section), wire));
        let Some((entry, attribute)) = found else { return false };
        self.applied.insert(entry.span().start);
        attribute.skip
    }

    /// Returns the name that was chosen for a point's type.
    pub(crate) fn type_name(&self, key: &str) -> Option<&Spanned<String>> {
        find(&self.points, key)?.1.name.as_ref()
    }

    /// Returns the name that was chosen for an attribute.
    pub(crate) fn field_name(
        &self,
        key: &str,
        section: Section,
        wire: &str,
    ) -> Option<&Spanned<String>> {
        self.attribute(key, section, wire)?.name.as_ref()
    }

    /// Returns the name that was chosen for a value.
    pub(crate) fn value_name(
        &mut self,
        key: &str,
        section: Section,
        wire: &str,
        value: &str,
    ) -> Option<Spanned<String>> {
        let values = &self.attribute(key, section, wire)?.values;
        let (entry, name) = values.iter().find(|(entry, _)| entry.get_ref() == value)?;
        let (start, name) = (entry.span().start, name.clone());
        self.applied.insert(start);
        Some(name)
    }

    fn attribute(&self, key: &str, section: Section, wire: &str) -> Option<&AttributeOverride> {
        let (_, point) = find(&self.points, key)?;
        Some(find(point.section(section), wire)?.1)
    }

    /// Reports a name that is not in style.
    pub(crate) fn check(&self, name: &Spanned<String>, style: Style) -> Option<Diagnostic> {
        if style.accepts(name.get_ref()) {
            return None;
        }
        let message = format!("`{}` cannot be the name", name.get_ref());
        let help = match style {
            Style::Type(_) | Style::Variant => "choose a name in UpperCamelCase",
            Style::Field => "choose a name in snake_case",
        };
        let diagnostic = Diagnostic::new(Code::InvalidName, self.origin(name), message);
        Some(diagnostic.with_help(help))
    }

    /// Reports each entry that applies to nothing.
    pub(crate) fn unused(&self) -> Vec<Diagnostic> {
        let mut unused = Vec::new();
        for (key, point) in &self.points {
            if !self.applied.contains(&key.span().start) {
                unused.push(self.stale(key, "the plan has no such point"));
                continue;
            }
            for section in SECTIONS {
                for (wire, attribute) in point.section(section) {
                    if !self.applied.contains(&wire.span().start) {
                        unused.push(self.stale(wire, "the point has no such attribute"));
                        continue;
                    }
                    let is_used =
                        |value: &&Spanned<String>| self.applied.contains(&value.span().start);
                    let values = attribute.values.keys().filter(|value| !is_used(value));
                    unused.extend(
                        values.map(|value| self.stale(value, "the attribute has no such value")),
                    );
                }
            }
        }
        unused
    }

    fn stale(&self, key: &Spanned<String>, message: &str) -> Diagnostic {
        let message = format!("{message}: `{}`", key.get_ref());
        Diagnostic::new(Code::StaleOverride, self.origin(key), message)
            .with_help("remove the entry, or make it fit the plan")
    }

    fn origin(&self, key: &Spanned<String>) -> Origin {
        Origin::line(&self.file, line_at(&self.line_ends, key.span().start))
    }
}

const SECTIONS: [Section; 5] = [
    Section::Attributes,
    Section::Flags,
    Section::Fields,
    Section::ProductAttributes,
    Section::ProductFields,
];

/// Returns the line of TOML that sets something for an attribute.
pub(crate) fn entry(key: &str, section: Section, wire: &str, setting: &str) -> String {
    format!("{}.{}.{}.{setting}", quoted(key), section.name(), quoted(wire))
}

/// Returns the line of TOML that sets something for a point.
pub(crate) fn point_entry(key: &str, setting: &str) -> String {
    format!("{}.{setting}", quoted(key))
}

/// A key or text of TOML. The escapes of JSON mean the same there.
pub(crate) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
["custom_event:other:A"]
name = "B"


attributes."x y" = { name = "z", values = { "1" = "One", "2" = "Two" } }
attributes.deep.skip = true

["screen_view::S"]
skip = true
"#;

    #[test]
    fn entries_that_apply_to_nothing_are_reported_with_their_lines() {
        let mut overrides = Overrides::parse("o.toml", TEXT).unwrap();
        let unused = |overrides: &Overrides| {
            let list = overrides.unused();
            list.iter()
                .map(|found| format!("{} {}", found.origin, found.message))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            unused(&overrides),
            [
                "o.toml:2 the plan has no such point: `custom_event:other:A`",
                "o.toml:9 the plan has no such point: `screen_view::S`",
            ]
        );
        let key = "custom_event:other:A";
        assert!(!overrides.skips_point(key));
        assert!(overrides.skips_point("screen_view::S"));
        assert!(overrides.skips(key, Section::Attributes, "deep"));
        assert!(!overrides.skips(key, Section::Attributes, "absent"));
        assert_eq!(unused(&overrides), ["o.toml:6 the point has no such attribute: `x y`"]);
        assert!(!overrides.skips(key, Section::Attributes, "x y"));
        let name = overrides.field_name(key, Section::Attributes, "x y").unwrap();
        assert_eq!(name.get_ref(), "z");
        let value = overrides.value_name(key, Section::Attributes, "x y", "1").unwrap();
        assert_eq!(value.get_ref(), "One");
        assert_eq!(unused(&overrides), ["o.toml:6 the attribute has no such value: `2`"]);
    }

    #[test]
    fn unknown_settings_and_bad_names_are_reported() {
        let error = Overrides::parse("o.toml", "[a]\nskpi = true\n").unwrap_err();
        assert_eq!(error.origin.to_string(), "o.toml:2");
        let overrides = Overrides::parse("o.toml", "\n[a]\nname = \"b-c\"\n").unwrap();
        let name = overrides.type_name("a").unwrap();
        let found = overrides.check(name, Style::Type("Event")).unwrap();
        assert_eq!(found.origin.to_string(), "o.toml:3");
        assert_eq!(overrides.check(name, Style::Field).unwrap().code, Code::InvalidName);
    }
}
