//! Objects: null and an empty string in their place count as absent.

use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::structure::{absent_or_mismatch, not_a_list};

const EXPECTED: &str = "an object";

/// Reads an object by its derived `Deserialize`, straight from the input.
///
/// # Errors
/// When neither an object nor null nor an empty string stands there, or the object's fields cannot be read.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(ObjectVisitor(PhantomData))
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Option<T>;

    absent_or_mismatch!(EXPECTED);

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }

    not_a_list!(EXPECTED);
}
