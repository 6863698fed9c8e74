//! Objects that exports contain as a list of records. Each record has the name of a field and its value.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::structure::absent_or_mismatch;
use super::{Buffer, Read, no_value};

const EXPECTED: &str = "an object or a list of records";

/// Reads an object, or a list of records as an object.
///
/// The `value` of each record is read as the field that its `key` names. The records are returned as well, because they
/// contain more than the object. A record without key or value sets no field, which `validate()` reports.
///
/// # Errors
/// Returns an error if the value has another type, or two records have the same key.
pub fn keyed<'de, D, T, R>(
    deserializer: D,
    key: &'static str,
    value: &'static str,
) -> Result<Option<(T, Vec<R>)>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
    R: Read,
{
    deserializer.deserialize_any(KeyedVisitor { key, value, types: PhantomData })
}

struct KeyedVisitor<T, R> {
    key: &'static str,
    value: &'static str,
    types: PhantomData<(T, R)>,
}

impl<'de, T: Deserialize<'de>, R: Read> Visitor<'de> for KeyedVisitor<T, R> {
    type Value = Option<(T, Vec<R>)>;

    absent_or_mismatch!(EXPECTED);

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let object = T::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Some((object, Vec::new())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        let mut records = Vec::new();
        while let Some(record) = seq.next_element::<Buffer<'de>>()? {
            fields.extend(field(&record, self.key, self.value));
            let record = R::read(record.into_deserializer::<A::Error>())?;
            records.push(record.ok_or_else(|| no_value(R::EXPECTED))?);
        }
        let object = T::deserialize(Buffer::Object(fields).into_deserializer::<A::Error>())?;
        Ok(Some((object, records)))
    }
}

/// Returns the field that a record sets.
fn field<'de>(
    record: &Buffer<'de>,
    key: &str,
    value: &str,
) -> Option<(Cow<'de, str>, Buffer<'de>)> {
    let name = record.get(key)?.text()?;
    Some((name, record.get(value)?.clone()))
}
