//! Any JSON as `serde_json` holds it, less the keys that repeat.

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

use super::{Buffer, repeated};
use crate::support::values::Number;

/// A [`Value`] in which no key repeated: reading one directly would keep the last and drop the others in silence.
pub(crate) struct Json(pub(crate) Value);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        value(Buffer::deserialize(deserializer)?).map(Self)
    }
}

/// The buffer as a value; a key that repeats is an error.
pub(crate) fn value<E: Error>(buffer: Buffer<'_>) -> Result<Value, E> {
    match buffer {
        Buffer::Null => Ok(Value::Null),
        Buffer::Boolean(boolean) => Ok(Value::Bool(boolean)),
        Buffer::Number(number) => Ok(json_number(number)),
        Buffer::Text(text) => Ok(Value::String(text.into_owned())),
        Buffer::List(items) => items.into_iter().map(value).collect(),
        Buffer::Object(entries) => {
            let mut map = serde_json::Map::with_capacity(entries.len());
            for (key, entry) in entries {
                if map.contains_key(&*key) {
                    return Err(repeated(&key));
                }
                map.insert(key.into_owned(), value(entry)?);
            }
            Ok(Value::Object(map))
        }
    }
}

/// A buffer holds finite numbers only, so this never becomes null.
fn json_number(number: Number) -> Value {
    if let Some(integer) = number.as_i64() {
        return integer.into();
    }
    match number.as_u64() {
        Some(integer) => integer.into(),
        None => number.as_f64().into(),
    }
}
