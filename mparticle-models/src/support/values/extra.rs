//! Unknown fields of a type, which are kept and written back.

use std::collections::{BTreeMap, btree_map};
use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::support::read::{Json, Text, is_number_token, mismatch, repeated};

/// Unknown fields, by name. It dereferences to a `BTreeMap<String, Value>`.
///
/// Fields that mParticle adds in the future are kept here, and written back. Reading fails if a key occurs twice.
///
/// The map is allocated when the first field is added, because most objects have no unknown fields.
#[derive(Clone, Default)]
#[allow(clippy::box_collection, reason = "an empty map takes three words, this takes one")]
pub struct Extra(Option<Box<BTreeMap<String, Value>>>);

/// The map of an `Extra` without fields.
static EMPTY: BTreeMap<String, Value> = BTreeMap::new();

impl Extra {
    /// Creates an `Extra` without fields.
    #[must_use]
    pub const fn new() -> Self {
        Self(None)
    }

    /// Adds a field that was read. Returns an error if there is a field of that name.
    pub(crate) fn insert_read<E: Error>(&mut self, key: String, value: Value) -> Result<(), E> {
        match self.entry(key) {
            btree_map::Entry::Occupied(entry) => Err(repeated(entry.key())),
            btree_map::Entry::Vacant(entry) => {
                entry.insert(value);
                Ok(())
            }
        }
    }
}

impl PartialEq for Extra {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl fmt::Debug for Extra {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Extra").field(&**self).finish()
    }
}

impl Deref for Extra {
    type Target = BTreeMap<String, Value>;

    fn deref(&self) -> &Self::Target {
        self.0.as_deref().unwrap_or(&EMPTY)
    }
}

impl DerefMut for Extra {
    fn deref_mut(&mut self) -> &mut Self::Target {
        self.0.get_or_insert_default()
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Extra {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(fields: I) -> Self {
        let fields: BTreeMap<_, _> =
            fields.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
        Self((!fields.is_empty()).then(|| Box::new(fields)))
    }
}

impl IntoIterator for Extra {
    type Item = (String, Value);
    type IntoIter = btree_map::IntoIter<String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.map(|fields| *fields).unwrap_or_default().into_iter()
    }
}

impl<'a> IntoIterator for &'a Extra {
    type Item = (&'a String, &'a Value);
    type IntoIter = btree_map::Iter<'a, String, Value>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Serialize for Extra {
    #[inline]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Some(fields) => serializer.collect_map(&**fields),
            None => serializer.serialize_map(Some(0))?.end(),
        }
    }
}

impl<'de> Deserialize<'de> for Extra {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ExtraVisitor)
    }
}

struct ExtraVisitor;

impl<'de> Visitor<'de> for ExtraVisitor {
    type Value = Extra;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Extra, A::Error> {
        let mut extra = Extra::new();
        while let Some(Text(key)) = map.next_key()? {
            // With `arbitrary_precision`, this is a number. A struct without required fields would read it as an
            // object.
            if is_number_token(&key) {
                return Err(mismatch("an object", "a number"));
            }
            extra.insert_read(key.into_owned(), map.next_value::<Json>()?.0)?;
        }
        Ok(extra)
    }
}
