//! An object of a definition: its properties, and whether there may be others.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::definition::refuse_keywords;
use super::input::{at, wrong_kind};
use crate::diagnostic::{Diagnostic, Origin};

/// The definition of an object.
#[derive(Clone, Debug)]
pub(crate) struct Level<'a> {
    properties: Option<&'a Map<String, Value>>,
    required: BTreeSet<&'a str>,
    /// Whether there may be properties that are not listed.
    pub(crate) is_open: bool,
    pub(crate) origin: Origin,
}

impl<'a> Level<'a> {
    /// Reads a definition. One that is absent allows everything.
    pub(crate) fn read(definition: Option<&'a Value>, origin: Origin) -> Result<Self, Diagnostic> {
        let mut level = Self { properties: None, required: BTreeSet::new(), is_open: true, origin };
        let schema = match definition {
            None | Some(Value::Null | Value::Bool(true)) => return Ok(level),
            Some(Value::Object(schema)) => schema,
            Some(_) => return Err(wrong_kind(&level.origin, "the definition", "an object")),
        };
        refuse_keywords(schema, &level.origin)?;
        level.properties = match schema.get("properties") {
            None | Some(Value::Null) => None,
            Some(Value::Object(properties)) => Some(properties),
            Some(_) => return Err(level.wrong("properties", "an object")),
        };
        level.required = match schema.get("required") {
            None | Some(Value::Null) => BTreeSet::new(),
            Some(Value::Array(names)) => {
                let names: Option<_> = names.iter().map(Value::as_str).collect();
                names.ok_or_else(|| level.wrong("required", "a list of names"))?
            }
            Some(_) => return Err(level.wrong("required", "a list of names")),
        };
        level.is_open = match schema.get("additionalProperties") {
            None | Some(Value::Null | Value::Bool(true) | Value::Object(_)) => true,
            Some(Value::Bool(false)) => false,
            Some(_) => return Err(level.wrong("additionalProperties", "true or false")),
        };
        Ok(level)
    }

    fn wrong(&self, keyword: &str, expected: &str) -> Diagnostic {
        wrong_kind(&at(&self.origin, keyword), &format!("`{keyword}`"), expected)
    }

    /// Returns the definition of a property, and its place.
    pub(crate) fn property(&self, name: &str) -> (Option<&'a Value>, Origin) {
        let origin = at(&at(&self.origin, "properties"), name);
        (self.properties.and_then(|properties| properties.get(name)), origin)
    }

    /// Reads the definition of a property that is an object.
    pub(crate) fn child(&self, name: &str) -> Result<Self, Diagnostic> {
        let (definition, origin) = self.property(name);
        Self::read(definition, origin)
    }

    pub(crate) fn requires(&self, name: &str) -> bool {
        self.required.contains(name)
    }

    /// Returns the names of all properties: those listed, and those only required.
    pub(crate) fn names(&self) -> Vec<&'a str> {
        let listed = self.properties.into_iter().flat_map(Map::keys).map(String::as_str);
        let is_listed =
            |name: &&str| self.properties.is_some_and(|properties| properties.contains_key(*name));
        let only_required = self.required.iter().copied().filter(|name| !is_listed(name));
        listed.chain(only_required).collect()
    }
}
