//! The Rust types of fields.

use serde_json::Value;

use crate::diagnostic::Origin;

/// The Rust type of a field.
#[derive(Debug)]
pub(crate) enum Type {
    Text,
    /// Any number; as a text if the plan says so.
    Number(Form),
    Integer(Form),
    Boolean(Form),
    /// A number of the models' own fields.
    Float,
    /// Any scalar, or for a user attribute also a list.
    Any,
    Enum(Enum),
    List(Box<Type>, Nulls),
    /// An attribute that has no value: it is there or not.
    Tag,
    /// The list of parts of a record.
    Items,
}

/// How a number or a boolean is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Form {
    Plain,
    Text,
}

/// Whether the elements of a list may be null.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Nulls {
    Allowed,
    Refused,
}

/// The values that a field can have.
#[derive(Debug)]
pub(crate) struct Enum {
    /// The Rust name.
    pub(crate) name: String,
    pub(crate) values: Vec<Variant>,
}

impl Enum {
    /// Whether every value is a text.
    pub(crate) fn is_text(&self) -> bool {
        self.values.iter().all(|value| value.value.is_string())
    }
}

/// One value of an enum.
#[derive(Debug)]
pub(crate) struct Variant {
    /// The Rust name.
    pub(crate) name: String,
    /// A scalar other than null.
    pub(crate) value: Value,
    pub(crate) origin: Origin,
}

impl Variant {
    /// Returns the value as text.
    pub(crate) fn text(&self) -> String {
        text_of(&self.value)
    }
}

/// Returns a scalar as text.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
