//! Readers of objects whose tag determines the type of their content, such as `{"event_type": "..", "data": {..}}`.
//!
//! If the tag comes first, the content is read directly from the input. If the content comes first, it is kept in a
//! [`Buffer`]. serde's adjacently tagged enums do not support unknown tags, other fields, or tags in another letter
//! case.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use super::structure::{absent_or_mismatch, not_a_list};
use super::{Buffer, Json, Primitive, Text, is_number_token, mismatch, repeated};
use crate::support::values::Extra;

const EXPECTED: &str = "an object";

/// A union of types that are distinguished by a tag.
pub trait Tagged: Sized {
    /// The key of the tag.
    const TAG: &'static str;

    /// The key of the content.
    const CONTENT: &'static str;

    /// Returns the number of the variant with this tag, in any letter case, or `None` for an unknown tag.
    fn known(tag: &str) -> Option<usize>;

    /// Reads the content of a known variant.
    ///
    /// # Errors
    /// Returns an error if the content cannot be read.
    fn read_content<'de, D: Deserializer<'de>>(
        variant: usize,
        content: D,
    ) -> Result<Self, D::Error>;

    /// Creates a value with an unknown tag, its content (null if absent) and the other fields.
    fn unknown(tag: String, content: Value, envelope: Extra) -> Self;

    /// Keeps the fields beside tag and content.
    fn set_envelope(&mut self, envelope: Extra);
}

/// Reads a union.
///
/// # Errors
/// Returns an error if the value is not an object, null or an empty string, the tag is missing, or the content of a
/// known variant cannot be read. In the last case the message begins with the tag.
pub fn tagged<'de, D: Deserializer<'de>, T: Tagged>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(TaggedVisitor(PhantomData))
}

/// Returns the number of a tag in a table of spellings. An exact spelling takes precedence over another letter case.
#[must_use]
pub fn position(tags: &[(&str, usize)], tag: &str) -> Option<usize> {
    let exact = tags.iter().find(|(spelling, _)| *spelling == tag);
    let found =
        exact.or_else(|| tags.iter().find(|(spelling, _)| spelling.eq_ignore_ascii_case(tag)));
    found.map(|(_, number)| *number)
}

/// Returns the error for a number without a variant. [`Tagged::known`] never returns such a number.
#[cold]
#[must_use]
pub fn no_variant<E: Error>(number: usize) -> E {
    E::custom(format_args!("there is no variant {number}"))
}

/// The state of the content while an object is read.
enum Content<'de, T> {
    Absent,
    Waiting(Buffer<'de>),
    Known(T),
    Unknown(Value),
}

struct TaggedVisitor<T>(PhantomData<T>);

impl<'de, T: Tagged> Visitor<'de> for TaggedVisitor<T> {
    type Value = Option<T>;

    absent_or_mismatch!(EXPECTED);

    not_a_list!(EXPECTED);

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<T>, A::Error> {
        let mut tag = None;
        let mut content = Content::Absent;
        let mut envelope = Extra::new();
        while let Some(Text(key)) = map.next_key()? {
            if key == T::TAG {
                if tag.replace(map.next_value::<Tag>()?.0).is_some() {
                    return Err(repeated(T::TAG));
                }
            } else if key == T::CONTENT {
                content = match (content, &tag) {
                    (Content::Absent, Some(tag)) => map.next_value_seed(ContentSeed::new(tag))?,
                    (Content::Absent, None) => Content::Waiting(map.next_value()?),
                    _ => return Err(repeated(T::CONTENT)),
                };
            } else if is_number_token(&key) {
                return Err(mismatch(EXPECTED, "a number"));
            } else {
                envelope.insert_read(key.into_owned(), map.next_value::<Json>()?.0)?;
            }
        }
        let tag = tag.ok_or_else(|| A::Error::missing_field(T::TAG))?;
        finish(tag, content, envelope).map(Some)
    }
}

/// Creates the value after the whole object has been read.
fn finish<'de, T: Tagged, E: Error>(
    tag: Cow<'de, str>,
    content: Content<'de, T>,
    envelope: Extra,
) -> Result<T, E> {
    let content = match content {
        Content::Absent => ContentSeed::new(&tag).deserialize(Buffer::Null.into_deserializer())?,
        Content::Waiting(buffer) => {
            ContentSeed::new(&tag).deserialize(buffer.into_deserializer())?
        }
        read => read,
    };
    match content {
        Content::Known(mut value) => {
            if !envelope.is_empty() {
                value.set_envelope(envelope);
            }
            Ok(value)
        }
        Content::Unknown(value) => Ok(T::unknown(tag.into_owned(), value, envelope)),
        Content::Absent | Content::Waiting(_) => Err(E::missing_field(T::CONTENT)),
    }
}

/// A tag: the text of any scalar.
struct Tag<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Tag<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tag = Primitive::read(deserializer, "a string")?.into_text();
        tag.map(Self).ok_or_else(|| mismatch("a string", "null"))
    }
}

/// Reads the content that belongs to a tag.
struct ContentSeed<'t, T> {
    tag: &'t str,
    union: PhantomData<T>,
}

impl<'t, T> ContentSeed<'t, T> {
    fn new(tag: &'t str) -> Self {
        Self { tag, union: PhantomData }
    }
}

impl<'de, T: Tagged> DeserializeSeed<'de> for ContentSeed<'_, T> {
    type Value = Content<'de, T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let Some(variant) = T::known(self.tag) else {
            return Json::deserialize(deserializer).map(|Json(value)| Content::Unknown(value));
        };
        let in_type =
            |error| D::Error::custom(format_args!("{}: {error}", super::shortened(self.tag)));
        let visitor = KnownVisitor { variant, union: PhantomData };
        if let Some(value) = deserializer.deserialize_any(visitor).map_err(in_type)? {
            return Ok(Content::Known(value));
        }
        let empty = Buffer::Object(Vec::new()).into_deserializer();
        T::read_content(variant, empty).map(Content::Known).map_err(in_type)
    }
}

/// Reads the content of a known variant. Returns `None` if it is absent.
struct KnownVisitor<T> {
    variant: usize,
    union: PhantomData<T>,
}

impl<'de, T: Tagged> Visitor<'de> for KnownVisitor<T> {
    type Value = Option<T>;

    absent_or_mismatch!(EXPECTED);

    not_a_list!(EXPECTED);

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
        T::read_content(self.variant, MapAccessDeserializer::new(map)).map(Some)
    }
}
