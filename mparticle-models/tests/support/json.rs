//! Reading and comparing JSON in tests.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Reads a document in which a key may occur twice if one of its values is null. This value is ignored.
pub(crate) fn parse(json: &[u8]) -> Value {
    serde_json::from_slice::<Repeating>(json).unwrap().0
}

/// Returns the same value with all numbers in one notation, because `arbitrary_precision` compares numbers as text.
pub(crate) fn plain(value: &Value) -> Value {
    match value {
        Value::Number(number) => {
            let integer =
                number.as_i64().map(Number::from).or_else(|| number.as_u64().map(Number::from));
            integer.map_or_else(|| Value::from(number.as_f64().unwrap()), Value::Number)
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.clone(), plain(value))).collect()
        }
        other => other.clone(),
    }
}

struct Repeating(Value);

impl<'de> Deserialize<'de> for Repeating {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RepeatingVisitor).map(Self)
    }
}

struct RepeatingVisitor;

impl<'de> Visitor<'de> for RepeatingVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Repeating(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some((key, Repeating(value))) = map.next_entry::<String, Repeating>()? {
            // With `arbitrary_precision`, a number is represented as an object with this key.
            if key == "$serde_json::private::Number" {
                return serde_json::from_str(value.as_str().unwrap()).map_err(A::Error::custom);
            }
            match fields.get(&key) {
                Some(first) if !first.is_null() => {
                    assert!(value.is_null(), "`{key}` has two values");
                }
                _ => drop(fields.insert(key, value)),
            }
        }
        Ok(fields.into())
    }
}
