//! Any JSON as a `serde_json::Value`, without repeated keys.

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;

use super::{Buffer, repeated};
use crate::support::values::Number;

/// A [`Value`] without repeated keys. `serde_json` would keep the last value of a key and drop the others.
pub(crate) struct Json(pub(crate) Value);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        value(Buffer::deserialize(deserializer)?).map(Self)
    }
}

/// Converts a buffer into a value. Returns an error for a repeated key.
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

/// Converts a number. The result is never null, because the numbers of a buffer are finite.
fn json_number(number: Number) -> Value {
    if let Some(integer) = number.as_i64() {
        return integer.into();
    }
    match number.as_u64() {
        Some(integer) => integer.into(),
        None => number.as_f64().into(),
    }
}
