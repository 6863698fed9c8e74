//! The values of user attributes.

use std::borrow::Cow;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{NotAScalar, Number, Scalar};

/// The value of a user attribute: a scalar or a list of scalars.
///
/// ```
/// # use mparticle_models::{AttributeValue, Scalar};
/// assert_eq!(AttributeValue::from("gold").as_str(), Some("gold"));
/// let hobbies = AttributeValue::from(["tennis", "chess"]);
/// assert_eq!(hobbies.as_list().map(<[_]>::len), Some(2));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum AttributeValue {
    /// One value. Null makes the attribute a tag, which is a name without a value.
    Scalar(Scalar),
    /// Several values.
    List(Vec<Scalar>),
}

impl AttributeValue {
    /// Returns whether this is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(Scalar::Null))
    }

    /// Returns the scalar, or `None` for a list.
    #[must_use]
    pub fn as_scalar(&self) -> Option<&Scalar> {
        match self {
            Self::Scalar(scalar) => Some(scalar),
            Self::List(_) => None,
        }
    }

    /// Returns the list, or `None` for a scalar.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Scalar]> {
        match self {
            Self::Scalar(_) => None,
            Self::List(list) => Some(list),
        }
    }

    /// Returns the boolean, or `None` for any other value.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        self.as_scalar().and_then(Scalar::as_bool)
    }

    /// Returns the integer, or `None` for any other value and for integers out of range.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        self.as_scalar().and_then(Scalar::as_i64)
    }

    /// Returns the number, or `None` for any other value. Integers beyond 2^53 are rounded.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        self.as_scalar().and_then(Scalar::as_f64)
    }

    /// Returns the text, or `None` for any other value.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.as_scalar().and_then(Scalar::as_str)
    }
}

impl Default for AttributeValue {
    fn default() -> Self {
        Self::Scalar(Scalar::Null)
    }
}

macro_rules! attribute_value_from {
    ($($from:ty),+ $(,)?) => {$(
        impl From<$from> for AttributeValue {
            fn from(value: $from) -> Self {
                Self::Scalar(value.into())
            }
        }
    )+};
}

attribute_value_from!(
    bool,
    i8,
    i16,
    i32,
    i64,
    isize,
    u8,
    u16,
    u32,
    u64,
    usize,
    f32,
    f64,
    Number,
    serde_json::Number,
    &str,
    String,
    &String,
    char,
    Cow<'_, str>,
    Box<str>,
    Scalar,
);

impl<T: Into<AttributeValue>> From<Option<T>> for AttributeValue {
    fn from(value: Option<T>) -> Self {
        value.map_or_else(Self::default, Into::into)
    }
}

impl<T: Into<Scalar>> From<Vec<T>> for AttributeValue {
    fn from(list: Vec<T>) -> Self {
        Self::List(list.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Scalar>, const N: usize> From<[T; N]> for AttributeValue {
    fn from(list: [T; N]) -> Self {
        Self::List(list.into_iter().map(Into::into).collect())
    }
}

impl<T: Clone + Into<Scalar>> From<&[T]> for AttributeValue {
    fn from(list: &[T]) -> Self {
        Self::List(list.iter().cloned().map(Into::into).collect())
    }
}

impl TryFrom<Value> for AttributeValue {
    type Error = NotAScalar;

    fn try_from(value: Value) -> Result<Self, NotAScalar> {
        match value {
            Value::Array(list) => {
                let list: Result<Vec<_>, _> = list.into_iter().map(Scalar::try_from).collect();
                list.map(Self::List)
            }
            scalar => Scalar::try_from(scalar).map(Self::Scalar),
        }
    }
}

impl Serialize for AttributeValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Scalar(scalar) => scalar.serialize(serializer),
            Self::List(list) => serializer.collect_seq(list),
        }
    }
}
