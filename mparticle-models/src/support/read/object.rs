//! Readers of objects. Null and an empty string are treated as absent.

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use super::structure::{absent_or_mismatch, not_a_list};

const EXPECTED: &str = "an object";

/// Reads an object with its derived `Deserialize`, directly from the input.
///
/// # Errors
/// Returns an error if the value is not an object, null or an empty string, or a field cannot be read.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let mut object = None;
    deserializer.deserialize_any(ObjectVisitor(&mut object))?;
    Ok(object)
}

/// Writes the object to a place that the caller provides. If the object were returned, each layer of serde and
/// `serde_json` would copy it, and a batch takes almost 3 kB.
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
