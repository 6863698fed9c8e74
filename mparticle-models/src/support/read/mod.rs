//! Lenient reading: every form in mParticle's sources becomes the canonical form of the types.
//!
//! serde's derived code is strict, but the data is not: SDKs write null for every unset field, exports write 64-bit
//! integers as strings, and samples write amounts as strings and absent values as empty strings. [`Read`] accepts all
//! of these forms. Generated structs derive `Deserialize`, and read their fields with the functions of this module:
//!
//! | field | attributes |
//! |---|---|
//! | required | `#[serde(deserialize_with = "read::required")]` |
//! | optional | `#[serde(default, deserialize_with = "read::optional", skip_serializing_if = "Option::is_none")]` |
//! | optional text with an advised format | the same with `read::identifier` |
//! | list or map | `#[serde(default, deserialize_with = "read::collection", skip_serializing_if = "Vec::is_empty")]` |
//! | required, null allowed | `#[serde(default, deserialize_with = "read::optional")]` |
//!
//! Every function uses `deserialize_any`: one visitor accepts any kind of value. Error messages contain types and
//! lengths, but never a value, because values are personal data.

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

/// A type that is read from every form in which it occurs.
pub trait Read: Sized {
    /// The expected kind of value in error messages, such as `a boolean`.
    const EXPECTED: &'static str = "an object";

    /// Reads a value. Returns `None` for null, and for an empty string if the type is not text.
    ///
    /// # Errors
    /// Returns an error if the value has another type.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error>;

    /// Returns whether this value means that an optional field is absent, as null does.
    ///
    /// In a map or a list, null is a value.
    fn is_absent(&self) -> bool {
        false
    }
}

/// Reads a required field.
///
/// # Errors
/// Returns an error if there is no value, or the value has another type.
pub fn required<'de, D: Deserializer<'de>, T: Read>(deserializer: D) -> Result<T, D::Error> {
    // This is a single step, because objects are large and each step would copy them.
    match T::read(deserializer) {
        Ok(Some(value)) => Ok(value),
        Ok(None) => Err(no_value(T::EXPECTED)),
        Err(error) => Err(error),
    }
}

/// Reads an optional field.
///
/// # Errors
/// Returns an error if the value has another type.
pub fn optional<'de, D: Deserializer<'de>, T: Read>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    match T::read(deserializer) {
        Ok(Some(value)) if value.is_absent() => Ok(None),
        read => read,
    }
}

/// Reads an optional identifier. An empty text is treated as absent.
///
/// # Errors
/// Returns an error if the value is a list or an object.
pub fn identifier<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(String::read(deserializer)?.filter(|text| !text.is_empty()))
}

/// Reads a list or a map. Without a value it is empty.
///
/// # Errors
/// Returns an error if the value has another type.
pub fn collection<'de, D: Deserializer<'de>, T: Read + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(T::read(deserializer)?.unwrap_or_default())
}

/// Returns the error for a value of another type.
#[cold]
pub(crate) fn mismatch<E: Error>(expected: impl fmt::Display, found: &str) -> E {
    E::custom(format_args!("expected {expected}, found {found}"))
}

/// Returns the error for null or an empty string instead of a required value.
#[cold]
fn no_value<E: Error>(expected: &str) -> E {
    mismatch(expected, "null or an empty string")
}

/// Returns the error for a key that occurs twice in an object.
#[cold]
pub(crate) fn repeated<E: Error>(key: &str) -> E {
    E::custom(format_args!("repeated key `{}`", shortened(key)))
}

/// Returns at most 40 characters of a key.
pub(crate) fn shortened(key: &str) -> String {
    const MAX: usize = 40;
    match key.char_indices().nth(MAX) {
        Some((end, _)) => format!("{}..", key.get(..end).unwrap_or_default()),
        None => key.to_owned(),
    }
}
