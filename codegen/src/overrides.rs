//! The overrides: settings for Rust that JSON Schema cannot express, in a TOML file beside the schema.
//!
//! Keys are locations, `file#pointer`. An entry that no longer applies is an error.

use std::path::Path;

use indexmap::IndexMap;
use serde::Deserialize;
use toml::Spanned;

use crate::diagnostic::{Code, Diagnostic, Origin};

/// A table of the overrides file whose keys have positions.
pub(crate) type Table<T> = IndexMap<Spanned<String>, T>;

/// An overrides file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Overrides {
    /// The additional requirements on this schema.
    pub(crate) require: Vec<Requirement>,
    /// The settings of types, by the location of their definition.
    pub(crate) types: Table<TypeOverride>,
    /// Module names, by file name.
    pub(crate) modules: Table<String>,
    /// The bundled schemas to emit: the name of the constant and the root file.
    pub(crate) documents: Table<String>,
    /// The keywords that may be ignored in this schema, each with the reason.
    pub(crate) ignore: Table<String>,
    /// Names for inline types and enum values, by location.
    pub(crate) names: Table<String>,
    /// The name of the file.
    #[serde(skip)]
    pub(crate) file: String,
    #[serde(skip)]
    line_ends: Vec<usize>,
}

/// An additional requirement on a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Requirement {
    /// A description of every file, type, field and enum value.
    Descriptions,
}

/// The settings of a type.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct TypeOverride {
    /// The Rust name of the type, if it differs from the name in the schema.
    pub(crate) name: Option<String>,
    /// The hand-written type of `crate::support` that replaces this definition.
    pub(crate) rust: Option<String>,
    /// The arguments of the constructor, by wire name. The default is the required fields that cannot be null.
    pub(crate) constructor: Option<Vec<String>>,
    /// The required fields that may be absent when the type is read.
    pub(crate) optional_to_read: Vec<String>,
    /// Whether the type is read and written as a document.
    pub(crate) entry: bool,
    /// The name of an element of a list or map, by wire name.
    pub(crate) singular: IndexMap<String, String>,
    /// An array of records from which the object may also be read.
    pub(crate) records: Option<RecordsOverride>,
    /// Rust code for the documentation that shows how a value is created.
    pub(crate) example: Option<String>,
    /// The name of the field with this object in objects into which it is flattened. The default is `common`.
    pub(crate) flattened_as: Option<String>,
}

/// The settings for reading an object from an array of records.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordsOverride {
    /// The Rust field that keeps the records.
    pub(crate) field: String,
    /// The Rust name of the type of a record.
    pub(crate) item: String,
    /// The wire name of the key of a record.
    pub(crate) key: String,
    /// The wire name of the value of a record.
    pub(crate) value: String,
}

impl Overrides {
    /// Reads an overrides file.
    ///
    /// # Errors
    /// Returns a diagnostic if the file cannot be read, is not TOML, or contains an unknown entry.
    pub(crate) fn load(path: &Path) -> Result<Self, Vec<Diagnostic>> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = std::fs::read_to_string(path).map_err(|error| {
            let message = format!("cannot read `{name}`: {error}");
            let help = "name an overrides file, or omit the option";
            vec![
                Diagnostic::new(Code::UnreadableFile, Origin::parse(&name), message)
                    .with_help(help),
            ]
        })?;
        Self::parse(&name, &text)
    }

    /// Reads the text of an overrides file called `file`.
    ///
    /// # Errors
    /// Returns a diagnostic if the text is not TOML or contains an unknown entry.
    pub(crate) fn parse(file: &str, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let line_ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        let mut overrides: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_at(&line_ends, span.start));
            let help = "the head of `schema/overrides.toml` lists the entries";
            vec![
                Diagnostic::new(Code::InvalidOverrides, Origin::line(file, line), error.message())
                    .with_help(help),
            ]
        })?;
        file.clone_into(&mut overrides.file);
        overrides.line_ends = line_ends;
        Ok(overrides)
    }

    /// Returns the line of a key.
    #[must_use]
    pub(crate) fn origin(&self, key: &Spanned<String>) -> Origin {
        Origin::line(&self.file, line_at(&self.line_ends, key.span().start))
    }

    /// Returns a diagnostic for an entry that does not apply.
    pub(crate) fn stale(&self, key: &Spanned<String>, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Code::StaleOverride, self.origin(key), message)
            .with_help("remove the entry, or make it fit the schema")
    }
}

pub(crate) fn line_at(line_ends: &[usize], offset: usize) -> usize {
    line_ends.partition_point(|&end| end < offset) + 1
}
