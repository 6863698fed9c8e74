//! Primitives: null, booleans, numbers and strings as they are in the input.
//!
//! All types share one visitor, and little code is compiled for each input format. Each type then converts the
//! primitive with an ordinary function.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Text, mismatch};
use crate::support::values::Number;

/// The only key of the map as which `serde_json` represents a number if its feature `arbitrary_precision` is enabled.
///
/// Any crate in a build can enable the feature for all crates. Every visitor therefore has to handle the key.
pub(crate) const NUMBER_TOKEN: &str = "$serde_json::private::Number";

/// Returns whether a map with this key is a number. Without `arbitrary_precision` the key is a key like any other.
#[inline]
pub(crate) fn is_number_token(key: &str) -> bool {
    key == NUMBER_TOKEN && has_arbitrary_precision()
}

/// A crate cannot query the features of another crate. However, a number keeps all of its digits only with this
/// feature.
#[cold]
pub(crate) fn has_arbitrary_precision() -> bool {
    const DIGITS: &str = "10.00";
    let number: serde_json::Result<serde_json::Number> = serde_json::from_str(DIGITS);
    number.is_ok_and(|number| number.to_string() == DIGITS)
}

/// Null, a boolean, a number or a string.
pub(crate) enum Primitive<'de> {
    Null,
    Boolean(bool),
    Number(Number),
    Text(Cow<'de, str>),
}

impl<'de> Primitive<'de> {
    /// Reads a primitive. The error for any other value says what was `expected`.
    #[inline]
    pub(crate) fn read<D: Deserializer<'de>>(
        deserializer: D,
        expected: &'static str,
    ) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PrimitiveVisitor { expected })
    }

    /// Returns the text of a primitive other than null.
    pub(crate) fn into_text(self) -> Option<Cow<'de, str>> {
        match self {
            Self::Null => None,
            Self::Boolean(value) => Some(Cow::Borrowed(if value { "true" } else { "false" })),
            Self::Number(number) => Some(Cow::Owned(number.to_string())),
            Self::Text(text) => Some(text),
        }
    }

    /// Returns the name of the type for error messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
        }
    }
}

/// Reads the rest of the map that [`NUMBER_TOKEN`] began.
fn disguised_number<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Number, A::Error> {
    let Text(text) = map.next_value()?;
    number_of(&text)
}

/// Returns the number with this JSON text.
pub(crate) fn number_of<E: Error>(text: &str) -> Result<Number, E> {
    Number::from_json_text(text).ok_or_else(|| E::custom("number out of range"))
}

/// Returns the kind of a value that serde represents as a map: an object or a number.
pub(crate) fn kind_of_map<'de, A: MapAccess<'de>>(map: &mut A) -> Result<&'static str, A::Error> {
    match map.next_key()? {
        Some(Text(key)) if is_number_token(&key) => Ok("a number"),
        _ => Ok("an object"),
    }
}

struct PrimitiveVisitor {
    expected: &'static str,
}

impl<'de> Visitor<'de> for PrimitiveVisitor {
    type Value = Primitive<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected)
    }

    #[inline]
    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Primitive::Null)
    }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Primitive::Null)
    }

    #[inline]
    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Primitive::Boolean(value))
    }

    #[inline]
    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Primitive::Number(number.into()))
    }

    #[inline]
    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Primitive::Number(number.into()))
    }

    #[inline]
    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        if number.is_finite() {
            Ok(Primitive::Number(number.into()))
        } else {
            Err(mismatch(self.expected, "a number that is not finite"))
        }
    }

    #[inline]
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Primitive::Text(Cow::Borrowed(text)))
    }

    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Primitive::Text(Cow::Owned(text.to_owned())))
    }

    #[inline]
    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Primitive::Text(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Self::Value, A::Error> {
        Err(mismatch(self.expected, "a list"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        match map.next_key()? {
            Some(Text(key)) if is_number_token(&key) => {
                disguised_number(&mut map).map(Primitive::Number)
            }
            _ => Err(mismatch(self.expected, "an object")),
        }
    }
}
