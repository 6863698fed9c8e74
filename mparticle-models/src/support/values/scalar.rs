//! The values of event attributes.

use std::borrow::Cow;
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::Number;

/// The value of an event attribute: null, a boolean, a number or a string.
///
/// ```
/// # use mparticle_models::Scalar;
/// assert_eq!(Scalar::from("gold").as_str(), Some("gold"));
/// assert_eq!(Scalar::from(42).as_i64(), Some(42));
/// assert_eq!(Scalar::from(None::<bool>), Scalar::Null);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Scalar {
    /// No value. An attribute without a value is a tag.
    #[default]
    Null,
    /// True or false.
    Boolean(bool),
    /// A number. 64-bit integers are exact.
    Number(Number),
    /// Text.
    String(String),
}

impl Scalar {
    /// Returns whether this is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Returns the boolean, or `None` for any other value.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the integer, or `None` for any other value and for integers out of range.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    /// Returns the number, or `None` for any other value. Integers beyond 2^53 are rounded.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number.as_f64()),
            _ => None,
        }
    }

    /// Returns the text, or `None` for any other value.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

macro_rules! scalar_from {
    ($variant:ident: $($from:ty),+ $(,)?) => {$(
        impl From<$from> for Scalar {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )+};
}

scalar_from!(Boolean: bool);
scalar_from!(Number: i8, i16, i32, i64, isize, u8, u16, u32, u64, usize, f32, f64, Number, serde_json::Number);
scalar_from!(String: &str, String, &String, char, Cow<'_, str>, Box<str>);

impl<T: Into<Scalar>> From<Option<T>> for Scalar {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl TryFrom<Value> for Scalar {
    type Error = NotAScalar;

    fn try_from(value: Value) -> Result<Self, NotAScalar> {
        match value {
            Value::Null => Ok(Self::Null),
            Value::Bool(value) => Ok(value.into()),
            Value::Number(number) => Ok(number.into()),
            Value::String(text) => Ok(text.into()),
            Value::Array(_) => Err(NotAScalar { found: "a list" }),
            Value::Object(_) => Err(NotAScalar { found: "an object" }),
        }
    }
}

/// A number that JSON cannot represent becomes null.
impl From<Scalar> for Value {
    fn from(scalar: Scalar) -> Self {
        match scalar {
            Scalar::Null => Self::Null,
            Scalar::Boolean(value) => value.into(),
            Scalar::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(integer), _) => integer.into(),
                (_, Some(integer)) => integer.into(),
                _ => number.as_f64().into(),
            },
            Scalar::String(text) => text.into(),
        }
    }
}

impl Serialize for Scalar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::String(text) => serializer.serialize_str(text),
        }
    }
}

/// The error for a list or an object where only a scalar is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAScalar {
    found: &'static str,
}

impl fmt::Display for NotAScalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "expected null, a boolean, a number or a string, found {}", self.found)
    }
}

impl std::error::Error for NotAScalar {}
