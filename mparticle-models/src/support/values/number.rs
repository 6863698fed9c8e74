//! Numbers that represent 64-bit integers exactly.

use std::fmt;

use serde::de::{self, Visitor};
use serde::ser::{Error, Serialize, Serializer};

/// An exact 64-bit integer, signed or unsigned, or a floating-point number.
///
/// Unlike `serde_json::Number`, it can hold a number that is not finite. `validate()` reports such a number, and
/// writing it is an error.
///
/// Two numbers are equal if they are written alike: the integer 1 is not equal to the floating-point number 1.0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number(Repr);

/// Integers are signed if they fit. Equal numbers therefore have a single form.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Repr {
    Signed(i64),
    Unsigned(u64),
    Float(f64),
}

impl Number {
    /// Returns the number if it was created from an integer and fits into an `i64`.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        match self.0 {
            Repr::Signed(number) => Some(number),
            Repr::Unsigned(_) | Repr::Float(_) => None,
        }
    }

    /// Returns the number if it was created from an integer and fits into a `u64`.
    #[must_use]
    pub fn as_u64(self) -> Option<u64> {
        match self.0 {
            Repr::Signed(number) => u64::try_from(number).ok(),
            Repr::Unsigned(number) => Some(number),
            Repr::Float(_) => None,
        }
    }

    /// Returns the number as a floating-point number. Integers beyond 2^53 are rounded.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "the documentation says so")]
    pub fn as_f64(self) -> f64 {
        match self.0 {
            Repr::Signed(number) => number as f64,
            Repr::Unsigned(number) => number as f64,
            Repr::Float(number) => number,
        }
    }

    /// Returns whether the number is finite. JSON cannot represent other numbers.
    #[must_use]
    pub fn is_finite(self) -> bool {
        match self.0 {
            Repr::Signed(_) | Repr::Unsigned(_) => true,
            Repr::Float(number) => number.is_finite(),
        }
    }

    /// Calls the method of a visitor that fits the number.
    pub(crate) fn visit<'de, V: Visitor<'de>, E: de::Error>(
        self,
        visitor: V,
    ) -> Result<V::Value, E> {
        match self.0 {
            Repr::Signed(number) => visitor.visit_i64(number),
            Repr::Unsigned(number) => visitor.visit_u64(number),
            Repr::Float(number) => visitor.visit_f64(number),
        }
    }

    /// Parses a JSON number. Returns `None` if the text is not a number, or too large.
    pub(crate) fn from_json_text(text: &str) -> Option<Self> {
        if let Ok(number) = text.parse::<i64>() {
            return Some(number.into());
        }
        if let Ok(number) = text.parse::<u64>() {
            return Some(number.into());
        }
        let number = text.parse::<f64>().ok()?;
        number.is_finite().then(|| number.into())
    }
}

macro_rules! from_integers {
    ($wide:ident: $($narrow:ty),+) => {$(
        impl From<$narrow> for Number {
            fn from(number: $narrow) -> Self {
                Self::$wide(number.into())
            }
        }
    )+};
}

impl Number {
    fn signed(number: i64) -> Self {
        Self(Repr::Signed(number))
    }

    fn unsigned(number: u64) -> Self {
        Self(i64::try_from(number).map_or(Repr::Unsigned(number), Repr::Signed))
    }
}

from_integers!(signed: i8, i16, i32, i64, u8, u16, u32);
from_integers!(unsigned: u64);

// No Rust target has pointers wider than 64 bits. These conversions therefore never saturate.
impl From<isize> for Number {
    fn from(number: isize) -> Self {
        Self::signed(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Number {
    fn from(number: usize) -> Self {
        Self::unsigned(u64::try_from(number).unwrap_or(u64::MAX))
    }
}

/// Uses the shortest decimal number that is read as the same `f32`: `0.2_f32` becomes `0.2`.
impl From<f32> for Number {
    fn from(number: f32) -> Self {
        let shortest = number.to_string().parse();
        shortest.unwrap_or_else(|_| f64::from(number)).into()
    }
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Self(Repr::Float(number))
    }
}

/// Rounds integers beyond 2^53, as [`Number::as_f64`] does.
impl From<Number> for f64 {
    fn from(number: Number) -> Self {
        number.as_f64()
    }
}

impl From<serde_json::Number> for Number {
    /// Converts a number. With `serde_json`'s feature `arbitrary_precision`, a number that is too large becomes
    /// infinite.
    fn from(number: serde_json::Number) -> Self {
        if let Some(integer) = number.as_i64() {
            return integer.into();
        }
        if let Some(integer) = number.as_u64() {
            return integer.into();
        }
        let float = number.as_f64().or_else(|| number.to_string().parse().ok());
        float.unwrap_or(f64::NAN).into()
    }
}

/// Writes whole numbers without a fraction, and very large or small numbers with an exponent.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Repr::Signed(number) => number.fmt(f),
            Repr::Unsigned(number) => number.fmt(f),
            Repr::Float(number) if number.fract() == 0.0 && number.abs() < 1e16 => number.fmt(f),
            Repr::Float(number) => fmt::Debug::fmt(&number, f),
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Repr::Signed(number) => serializer.serialize_i64(number),
            Repr::Unsigned(number) => serializer.serialize_u64(number),
            Repr::Float(number) if number.is_finite() => serializer.serialize_f64(number),
            Repr::Float(number) => Err(not_finite(number)),
        }
    }
}

/// Returns the error of writing a number that JSON cannot represent.
pub(crate) fn not_finite<E: Error>(number: f64) -> E {
    E::custom(format_args!("JSON cannot represent the number {number}"))
}
