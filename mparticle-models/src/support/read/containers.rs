//! Readers of lists, maps, boxes, and of elements that may be null.

use std::collections::{BTreeMap, btree_map};
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::structure::{absent_or_mismatch, not_a_list, not_an_object};
use super::{Read, Text, is_number_token, mismatch, no_value, repeated};

impl<T: Read> Read for Box<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Ok(T::read(deserializer)?.map(Box::new))
    }

    fn is_absent(&self) -> bool {
        T::is_absent(self)
    }
}

/// Reads an element of a list or a map, for which null is a value. Optional fields use [`optional`](super::optional).
impl<T: Read> Read for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        T::read(deserializer).map(Some)
    }

    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T: Read> Read for Vec<T> {
    const EXPECTED: &'static str = "a list";

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

impl<T: Read> Read for BTreeMap<String, T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        deserializer.deserialize_any(MapVisitor(PhantomData))
    }
}

/// An element of a list or a map, or `None` if it has no value.
struct Element<T>(Option<T>);

impl<'de, T: Read> Deserialize<'de> for Element<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self)
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Read> Visitor<'de> for ListVisitor<T> {
    type Value = Option<Vec<T>>;

    absent_or_mismatch!("a list");

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Element(item)) = seq.next_element()? {
            list.push(item.ok_or_else(|| no_value(T::EXPECTED))?);
        }
        Ok(Some(list))
    }

    not_an_object!("a list");
}

struct MapVisitor<T>(PhantomData<T>);

impl<'de, T: Read> Visitor<'de> for MapVisitor<T> {
    type Value = Option<BTreeMap<String, T>>;

    absent_or_mismatch!("an object");

    not_a_list!("an object");

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some(Text(key)) = map.next_key()? {
            if is_number_token(&key) {
                return Err(mismatch("an object", "a number"));
            }
            let Element(Some(value)) = map.next_value()? else { continue };
            match entries.entry(key.into_owned()) {
                btree_map::Entry::Vacant(entry) => {
                    entry.insert(value);
                }
                btree_map::Entry::Occupied(entry) => return Err(repeated(entry.key())),
            }
        }
        Ok(Some(entries))
    }
}
