//! JSON that is kept until its type is known.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    Deserialize, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::primitive::{is_number_token, number_of};
use super::{Primitive, Text, mismatch};
use crate::support::values::Number;

/// Any JSON, with texts borrowed from the input where possible.
///
/// Unlike `serde_json::Value`, it keeps the order of keys and repeated keys, and does not copy texts. 64-bit integers are
/// exact.
#[derive(Clone, Debug, PartialEq)]
pub enum Buffer<'de> {
    /// Null.
    Null,
    /// True or false.
    Boolean(bool),
    /// A finite number.
    Number(Number),
    /// Text.
    Text(Cow<'de, str>),
    /// A list.
    List(Vec<Buffer<'de>>),
    /// An object, in the order of its keys.
    Object(Vec<(Cow<'de, str>, Buffer<'de>)>),
}

impl<'de> Buffer<'de> {
    /// Returns the name of the type for error messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }

    /// Returns a deserializer for this value, with errors of any type.
    #[must_use]
    pub fn into_deserializer<E: Error>(self) -> BufferDeserializer<'de, E> {
        BufferDeserializer { buffer: self, error: PhantomData }
    }

    /// Returns the same value, with texts borrowed from this one.
    #[must_use]
    pub fn borrowed(&self) -> Buffer<'_> {
        match self {
            Self::Null => Buffer::Null,
            Self::Boolean(value) => Buffer::Boolean(*value),
            Self::Number(number) => Buffer::Number(*number),
            Self::Text(text) => Buffer::Text(Cow::Borrowed(text)),
            Self::List(items) => Buffer::List(items.iter().map(Buffer::borrowed).collect()),
            Self::Object(entries) => Buffer::Object(
                entries
                    .iter()
                    .map(|(key, value)| (Cow::Borrowed(&**key), value.borrowed()))
                    .collect(),
            ),
        }
    }

    /// Returns the value of the first key with this name in an object.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(entries) => {
                entries.iter().find(|(key, _)| key == name).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// Returns the text of a scalar other than null.
    pub(crate) fn text(&self) -> Option<Cow<'de, str>> {
        match self {
            Self::Text(text) => Some(text.clone()),
            Self::Boolean(value) => Primitive::Boolean(*value).into_text(),
            Self::Number(number) => Primitive::Number(*number).into_text(),
            Self::Null | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// Removes nulls under repeated keys, if another value of the key remains. Returns whether there were any.
    pub(crate) fn drop_null_repeats(&mut self) -> bool {
        match self {
            Self::List(items) => {
                items.iter_mut().fold(false, |any, item| item.drop_null_repeats() | any)
            }
            Self::Object(entries) => {
                let any = drop_null_repeats(entries);
                entries.iter_mut().fold(any, |any, (_, value)| value.drop_null_repeats() | any)
            }
            _ => false,
        }
    }

    /// Returns the value as a primitive, or an error for a list or an object.
    pub(crate) fn into_primitive<E: Error>(self, expected: &str) -> Result<Primitive<'de>, E> {
        match self {
            Self::Null => Ok(Primitive::Null),
            Self::Boolean(value) => Ok(Primitive::Boolean(value)),
            Self::Number(number) => Ok(Primitive::Number(number)),
            Self::Text(text) => Ok(Primitive::Text(text)),
            Self::List(_) | Self::Object(_) => Err(mismatch(expected, self.kind())),
        }
    }
}

fn drop_null_repeats(entries: &mut Vec<(Cow<'_, str>, Buffer<'_>)>) -> bool {
    let before = entries.len();
    let mut kept = BTreeSet::new();
    for (key, value) in &*entries {
        if *value != Buffer::Null {
            kept.insert(key.to_string());
        }
    }
    let mut nulls = BTreeSet::new();
    entries.retain(|(key, value)| {
        *value != Buffer::Null || (!kept.contains(&**key) && nulls.insert(key.to_string()))
    });
    entries.len() < before
}

impl<'de> Deserialize<'de> for Buffer<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(BufferVisitor)
    }
}

struct BufferVisitor;

impl<'de> Visitor<'de> for BufferVisitor {
    type Value = Buffer<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    #[inline]
    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Buffer::Null)
    }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Buffer::Null)
    }

    #[inline]
    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Buffer::Boolean(value))
    }

    #[inline]
    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Buffer::Number(number.into()))
    }

    #[inline]
    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Buffer::Number(number.into()))
    }

    #[inline]
    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        if number.is_finite() {
            Ok(Buffer::Number(number.into()))
        } else {
            Err(mismatch("any JSON", "a number that is not finite"))
        }
    }

    #[inline]
    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Buffer::Text(Cow::Borrowed(text)))
    }

    #[inline]
    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Buffer::Text(Cow::Owned(text.to_owned())))
    }

    #[inline]
    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Buffer::Text(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Buffer::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(Text(key)) = map.next_key()? {
            entries.push((key, map.next_value()?));
        }
        match entries.as_slice() {
            [(key, Buffer::Text(text))] if is_number_token(key) => {
                number_of(text).map(Buffer::Number)
            }
            _ => Ok(Buffer::Object(entries)),
        }
    }
}

impl Serialize for Buffer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Boolean(value) => serializer.serialize_bool(*value),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

/// The deserializer of a [`Buffer`].
#[derive(Debug)]
pub struct BufferDeserializer<'de, E> {
    buffer: Buffer<'de>,
    error: PhantomData<E>,
}

impl<'de, E: Error> IntoDeserializer<'de, E> for Buffer<'de> {
    type Deserializer = BufferDeserializer<'de, E>;

    fn into_deserializer(self) -> Self::Deserializer {
        Self::into_deserializer(self)
    }
}

impl<'de, E: Error> Deserializer<'de> for BufferDeserializer<'de, E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match self.buffer {
            Buffer::Null => visitor.visit_unit(),
            Buffer::Boolean(value) => visitor.visit_bool(value),
            Buffer::Number(number) => number.visit(visitor),
            Buffer::Text(Cow::Borrowed(text)) => visitor.visit_borrowed_str(text),
            Buffer::Text(Cow::Owned(text)) => visitor.visit_string(text),
            Buffer::List(items) => {
                let mut seq = SeqDeserializer::new(items.into_iter());
                let value = visitor.visit_seq(&mut seq)?;
                seq.end()?;
                Ok(value)
            }
            Buffer::Object(entries) => {
                let entries = entries.into_iter().map(|(key, value)| (Buffer::Text(key), value));
                let mut map = MapDeserializer::new(entries);
                let value = visitor.visit_map(&mut map)?;
                map.end()?;
                Ok(value)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match self.buffer {
            Buffer::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, E> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct enum identifier
    }
}
