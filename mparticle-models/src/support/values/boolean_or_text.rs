//! A field that is a boolean in one source and an enum of strings in another.

use serde::{Serialize, Serializer};

/// True, false, or any other text.
///
/// The texts `true` and `false`, in any letter case, become booleans. Any other text is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BooleanOrText {
    /// True or false.
    Boolean(bool),
    /// Any other text.
    Text(String),
}

impl BooleanOrText {
    /// Returns the boolean, or `None` for any other text.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            Self::Text(_) => None,
        }
    }
}

impl From<bool> for BooleanOrText {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<&str> for BooleanOrText {
    fn from(text: &str) -> Self {
        boolean(text).map_or_else(|| Self::Text(text.to_owned()), Self::Boolean)
    }
}

impl From<String> for BooleanOrText {
    fn from(text: String) -> Self {
        match boolean(&text) {
            Some(value) => Self::Boolean(value),
            None => Self::Text(text),
        }
    }
}

impl Serialize for BooleanOrText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Text(text) => serializer.serialize_str(text),
        }
    }
}

/// Returns the boolean that a text spells, in any letter case.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}
