//! Lenient reading: every form that mParticle's sources show becomes the one form of the model.
//!
//! serde's derived readers are strict where the data in the field is not: SDKs write null for every unset field,
//! exports write 64-bit integers as strings, samples write amounts as strings and leave a text empty where there is
//! no value. [`Read`] takes all of these. Generated structs still derive `Deserialize`; only their fields go through
//! the functions of this module:
//!
//! | field | attributes |
//! |---|---|
//! | required | `#[serde(deserialize_with = "read::required")]` |
//! | optional | `#[serde(default, deserialize_with = "read::optional", skip_serializing_if = "Option::is_none")]` |
//! | optional text with an advised format | the same with `read::identifier` |
//! | list or map | `#[serde(default, deserialize_with = "read::collection", skip_serializing_if = "Vec::is_empty")]` |
//! | required, null allowed | `#[serde(default, deserialize_with = "read::optional")]` |
//!
//! Nothing here asks the format for a type: everything goes through `deserialize_any`, so that one visitor sees
//! whatever stands there. Error messages name kinds and lengths, never a value, for values are personal data.

mod buffer;
mod containers;
mod json;
mod object;
mod primitive;
mod records;
mod scalars;
mod structure;
mod tagged;
mod text;
mod values;

use std::fmt;

use serde::de::{Deserializer, Error};

pub use buffer::Buffer;
pub(crate) use json::Json;
pub use object::object;
#[cfg(test)]
pub(crate) use primitive::has_arbitrary_precision;
pub(crate) use primitive::{Primitive, is_number_token, kind_of_map};
pub use records::keyed;
pub use scalars::open_enum;
pub use tagged::{Tagged, no_variant, position, tagged};
pub(crate) use text::Text;

#[cfg(test)]
mod tests;

/// A type that can be read from every form seen on the wire.
pub trait Read: Sized {
    /// What an error message says was expected, such as `a boolean`.
    const EXPECTED: &'static str = "an object";

    /// Reads a value; `None` when there is none: null, or an empty string where the type is not text.
    ///
    /// # Errors
    /// When something else stands there than this type can be read from.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error>;

    /// Whether this value means that an optional field is absent.
    ///
    /// True for the null of the types that have one. In a map or a list their null is a value of its own.
    fn is_absent(&self) -> bool {
        false
    }
}

/// Reads a field that must have a value.
///
/// # Errors
/// When there is no value, or not one of this type.
pub fn required<'de, D: Deserializer<'de>, T: Read>(deserializer: D) -> Result<T, D::Error> {
    // In one step, for objects are large and each step would copy them.
    match T::read(deserializer) {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(no_value(T::EXPECTED)),
        Err(error) => Err(error),
    }
}

/// Reads a field that may lack a value.
///
/// # Errors
/// When something else stands there than this type can be read from.
pub fn optional<'de, D: Deserializer<'de>, T: Read>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    match T::read(deserializer) {
        Ok(Some(value)) if value.is_absent() => Ok(None),
        read => read,
    }
}

/// Reads an optional text that is an identifier of some shape, so that an empty one counts as absent.
///
/// # Errors
/// When something with structure stands there.
pub fn identifier<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(String::read(deserializer)?.filter(|text| !text.is_empty()))
}

/// Reads a list or a map; without a value it is empty.
///
/// # Errors
/// When something else stands there than this type can be read from.
pub fn collection<'de, D: Deserializer<'de>, T: Read + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(T::read(deserializer)?.unwrap_or_default())
}

/// The error for something of another kind than expected.
#[cold]
pub(crate) fn mismatch<E: Error>(expected: impl fmt::Display, found: &str) -> E {
    E::custom(format_args!("expected {expected}, found {found}"))
}

/// The error for null, or an empty string, where a value is needed.
#[cold]
fn no_value<E: Error>(expected: &str) -> E {
    mismatch(expected, "null or an empty string")
}

/// The error for a key that stands twice in one object.
#[cold]
pub(crate) fn repeated<E: Error>(key: &str) -> E {
    E::custom(format_args!("repeated key `{}`", shortened(key)))
}

/// At most 40 characters of a key, since keys may be of any length.
pub(crate) fn shortened(key: &str) -> String {
    const MAX: usize = 40;
    match key.char_indices().nth(MAX) {
        Some((end, _)) => format!("{}..", key.get(..end).unwrap_or_default()),
        None => key.to_owned(),
    }
}
