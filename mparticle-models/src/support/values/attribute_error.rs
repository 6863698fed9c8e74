//! Attributes from JSON whose types are known only at run time.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::NotAScalar;

/// The error for an attribute whose JSON value cannot be an attribute's value.
///
/// The message contains the name of the attribute and the kind of the value, never the value itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeError {
    name: String,
    source: NotAScalar,
}

impl AttributeError {
    /// Returns the name of the attribute.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Display for AttributeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attribute `{}`: {}", self.name, self.source)
    }
}

impl std::error::Error for AttributeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Converts the values of a map of attributes into `T`, and from `T` into the type of the field.
///
/// # Errors
/// Returns an error if a value cannot be converted into a `T`. The error contains the name of the attribute.
pub fn try_attributes<T, F>(
    attributes: impl IntoIterator<Item = (impl Into<String>, Value)>,
) -> Result<BTreeMap<String, F>, AttributeError>
where
    T: TryFrom<Value, Error = NotAScalar> + Into<F>,
{
    let mut converted = BTreeMap::new();
    for (name, value) in attributes {
        let name = name.into();
        match T::try_from(value) {
            Ok(value) => converted.insert(name, value.into()),
            Err(source) => return Err(AttributeError { name, source }),
        };
    }
    Ok(converted)
}
