//! Readers of text, booleans and numbers.

use std::borrow::Cow;

use serde::de::{Deserializer, Error};

use super::{Primitive, Read, mismatch};
use crate::support::OpenEnum;
use crate::support::values::{DurationMillis, Number, UnixMillis, boolean};

/// Any scalar is read as its text. An empty text is a value.
impl Read for String {
    const EXPECTED: &'static str = "a string";

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        let primitive = Primitive::read(deserializer, Self::EXPECTED)?;
        Ok(primitive.into_text().map(Cow::into_owned))
    }
}

/// Reads an enum from any scalar. An empty text is no value.
///
/// # Errors
/// Returns an error if the value is a list or an object.
pub fn open_enum<'de, D: Deserializer<'de>, T: OpenEnum>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let text = Primitive::read(deserializer, String::EXPECTED)?.into_text();
    Ok(text.filter(|text| !text.is_empty()).map(|text| T::from_text(&text)))
}

impl Read for bool {
    const EXPECTED: &'static str = "a boolean";

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        match Primitive::read(deserializer, Self::EXPECTED)? {
            Primitive::Null => Ok(None),
            Primitive::Boolean(value) => Ok(Some(value)),
            Primitive::Text(text) if text.is_empty() => Ok(None),
            Primitive::Text(text) => match boolean(&text) {
                Some(value) => Ok(Some(value)),
                None => Err(mismatch(Self::EXPECTED, "a string that is neither true nor false")),
            },
            Primitive::Number(_) => Err(mismatch(Self::EXPECTED, "a number")),
        }
    }
}

impl Read for i64 {
    const EXPECTED: &'static str = "a 64-bit integer";

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        integer(Primitive::read(deserializer, Self::EXPECTED)?, Number::as_i64, Self::EXPECTED)
    }
}

impl Read for u64 {
    const EXPECTED: &'static str = "an unsigned 64-bit integer";

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        integer(Primitive::read(deserializer, Self::EXPECTED)?, Number::as_u64, Self::EXPECTED)
    }
}

impl Read for UnixMillis {
    const EXPECTED: &'static str = "milliseconds since 1970 as a 64-bit integer";

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        let millis = Primitive::read(deserializer, Self::EXPECTED)?;
        Ok(integer(millis, Number::as_i64, Self::EXPECTED)?.map(Self::from_millis))
    }
}

impl Read for DurationMillis {
    const EXPECTED: &'static str = "milliseconds as a 64-bit integer";

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        let millis = Primitive::read(deserializer, Self::EXPECTED)?;
        Ok(integer(millis, Number::as_i64, Self::EXPECTED)?.map(Self::from_millis))
    }
}

/// Amounts may be strings.
impl Read for f64 {
    const EXPECTED: &'static str = "a finite number";

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        match Primitive::read(deserializer, Self::EXPECTED)? {
            Primitive::Null => Ok(None),
            Primitive::Number(number) => Ok(Some(number.as_f64())),
            Primitive::Text(text) if text.is_empty() => Ok(None),
            Primitive::Text(text) => match text.parse() {
                Ok(number) if f64::is_finite(number) => Ok(Some(number)),
                _ => Err(mismatch(Self::EXPECTED, "a string that is none")),
            },
            Primitive::Boolean(_) => Err(mismatch(Self::EXPECTED, "a boolean")),
        }
    }
}

/// Returns the integer of a primitive: an integer, a decimal string, or a number whose fraction is zero.
fn integer<T, E: Error>(
    primitive: Primitive<'_>,
    exact: fn(Number) -> Option<T>,
    expected: &str,
) -> Result<Option<T>, E> {
    match primitive {
        Primitive::Null => Ok(None),
        Primitive::Number(number) => {
            match exact(number).or_else(|| exact(without_fraction(number)?)) {
                Some(integer) => Ok(Some(integer)),
                None => Err(mismatch(expected, "a number with a fraction or out of range")),
            }
        }
        Primitive::Text(text) if text.is_empty() => Ok(None),
        Primitive::Text(text) => match decimal(&text).and_then(exact) {
            Some(integer) => Ok(Some(integer)),
            None => Err(mismatch(expected, "a string that is none")),
        },
        Primitive::Boolean(_) => Err(mismatch(expected, "a boolean")),
    }
}

/// Returns the integer with the same value as a floating-point number.
///
/// Returns `None` from 2^50 on. A parser of floating-point numbers may be wrong in the last place, which would change
/// the integer.
#[allow(clippy::cast_possible_truncation, reason = "the bound is checked")]
fn without_fraction(number: Number) -> Option<Number> {
    const BOUND: f64 = 1_125_899_906_842_624.0;
    let float = number.as_f64();
    (float.fract() == 0.0 && float.abs() < BOUND).then(|| Number::from(float as i64))
}

/// Returns the integer that a text of decimal digits spells.
fn decimal(text: &str) -> Option<Number> {
    text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from)).ok()
}
