//! Readers of the hand-written value types.

use std::borrow::Cow;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error};
use serde_json::Value;

use super::json::{self, Json};
use super::{Buffer, Primitive, Read, mismatch, repeated, required};
use crate::support::values::breadcrumb::{BREADCRUMB, CONTENT, TAG};
use crate::support::values::{
    AttributeValue, BooleanOrText, Breadcrumb, DurationMillis, Enveloped, Extra, Number, Scalar,
    UnixMillis,
};

const A_SCALAR: &str = "null, a boolean, a number or a string";

impl From<Primitive<'_>> for Scalar {
    fn from(primitive: Primitive<'_>) -> Self {
        match primitive {
            Primitive::Null => Self::Null,
            Primitive::Boolean(value) => Self::Boolean(value),
            Primitive::Number(number) => Self::Number(number),
            Primitive::Text(text) => Self::String(text.into_owned()),
        }
    }
}

/// Null is a value, except in an optional field.
impl Read for Scalar {
    const EXPECTED: &'static str = A_SCALAR;

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Ok(Some(Primitive::read(deserializer, A_SCALAR)?.into()))
    }

    fn is_absent(&self) -> bool {
        self.is_null()
    }
}

/// Null is a value, except in an optional field.
impl Read for AttributeValue {
    const EXPECTED: &'static str = "a scalar or a list of scalars";

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        let scalar = match Buffer::deserialize(deserializer)? {
            Buffer::List(items) => {
                let items =
                    items.into_iter().map(|item| item.into_primitive(A_SCALAR).map(Scalar::from));
                return items.collect::<Result<_, _>>().map(Self::List).map(Some);
            }
            scalar => scalar.into_primitive(Self::EXPECTED)?,
        };
        Ok(Some(Self::Scalar(scalar.into())))
    }

    fn is_absent(&self) -> bool {
        self.is_null()
    }
}

/// Null is a value, except in an optional field.
impl Read for Value {
    const EXPECTED: &'static str = "any JSON";

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Json::deserialize(deserializer).map(|Json(value)| Some(value))
    }

    fn is_absent(&self) -> bool {
        self.is_null()
    }
}

impl Read for Number {
    const EXPECTED: &'static str = "a number";

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        match Primitive::read(deserializer, Self::EXPECTED)? {
            Primitive::Null => Ok(None),
            Primitive::Number(number) => Ok(Some(number)),
            Primitive::Text(text) if text.is_empty() => Ok(None),
            other => Err(mismatch(Self::EXPECTED, other.kind())),
        }
    }
}

/// Numbers are read as text.
impl Read for BooleanOrText {
    const EXPECTED: &'static str = "a boolean or a string";

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        match Primitive::read(deserializer, Self::EXPECTED)? {
            Primitive::Boolean(value) => Ok(Some(Self::Boolean(value))),
            other => {
                let text = other.into_text().filter(|text| !text.is_empty());
                Ok(text.map(|text| text.into_owned().into()))
            }
        }
    }
}

/// An object with an object as `data` is an event. Any other object that is not empty is the data of an event.
impl<T: DeserializeOwned + Enveloped> Read for Breadcrumb<T> {
    const EXPECTED: &'static str = "a breadcrumb event or a string";

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        match Buffer::deserialize(deserializer)? {
            Buffer::Object(entries) if is_envelope(&entries) => from_envelope(entries).map(Some),
            Buffer::Object(entries) if entries.is_empty() => Ok(Some(Self::Empty)),
            data @ Buffer::Object(_) => {
                T::deserialize(data.into_deserializer()).map(|data| Some(Self::Data(data)))
            }
            other => {
                let text = other.into_primitive(Self::EXPECTED)?.into_text();
                Ok(text.map(|text| Self::Text(text.into_owned())))
            }
        }
    }
}

fn is_envelope(entries: &[(Cow<'_, str>, Buffer<'_>)]) -> bool {
    entries.iter().any(|(key, value)| key == CONTENT && matches!(value, Buffer::Object(_)))
}

/// Reads the data of an event. The fields beside tag and content are kept with the data.
fn from_envelope<'de, T, E>(entries: Vec<(Cow<'de, str>, Buffer<'de>)>) -> Result<Breadcrumb<T>, E>
where
    T: DeserializeOwned + Enveloped,
    E: Error,
{
    let mut tag = None;
    let mut content = None;
    let mut envelope = Extra::new();
    for (key, value) in entries {
        match &*key {
            TAG if tag.is_some() => return Err(repeated(TAG)),
            TAG => tag = Some(value.into_primitive("a string")?),
            CONTENT if content.is_some() => return Err(repeated(CONTENT)),
            CONTENT => content = Some(value),
            _ => envelope.insert_read(key.into_owned(), json::value(value)?)?,
        }
    }
    if tag.and_then(Primitive::into_text).is_some_and(|tag| !tag.eq_ignore_ascii_case(BREADCRUMB)) {
        return Err(mismatch("an event of type `breadcrumb`", "one of another type"));
    }
    let content = content.unwrap_or(Buffer::Null);
    let mut data = T::deserialize(content.into_deserializer())?;
    *data.envelope_mut() = envelope;
    Ok(Breadcrumb::Event(data))
}

/// Implements `Deserialize` with [`Read`], for use outside the generated types.
macro_rules! deserialize_by_reading {
    ($($type:ty),+ $(,)?) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                required(deserializer)
            }
        }
    )+};
}

deserialize_by_reading!(AttributeValue, BooleanOrText, DurationMillis, Number, Scalar, UnixMillis);

impl<'de, T: DeserializeOwned + Enveloped> Deserialize<'de> for Breadcrumb<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        required(deserializer)
    }
}
