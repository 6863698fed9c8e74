//! Objects: null and an empty string in their place count as absent.

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
    let mut object = None;
    deserializer.deserialize_any(ObjectVisitor(&mut object))?;
    Ok(object)
}

/// Puts the object where it is wanted instead of returning it through the layers of serde and `serde_json`, each of
/// which would copy it: a batch takes almost 3 kB.
struct ObjectVisitor<'o, T>(&'o mut Option<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<'_, T> {
    type Value = Option<()>;

    absent_or_mismatch!(EXPECTED);

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        *self.0 = Some(T::deserialize(MapAccessDeserializer::new(map))?);
        Ok(Some(()))
    }

    not_a_list!(EXPECTED);
}
