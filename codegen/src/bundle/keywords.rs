//! The keywords that the generator supports, and their values.
//!
//! The values are checked here. The passes can therefore read keywords without further checks.

use serde_json::Value;

/// The kind of value of a keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    Anything,
    Text,
    Texts,
    Count,
    Number,
    Flag,
    Types,
    Constant,
    Constants,
    Beyond,
    Advice,
    Reference,
    Schema,
    /// A schema, or a list with one schema for each position of a tuple, as in draft 7.
    Items,
    Schemas,
    Properties,
    Definitions,
}

const TYPES: &[&str] = &["array", "boolean", "integer", "null", "number", "object", "string"];
const BEYOND: &[&str] = &["refused", "cut", "undocumented"];
const FORMATS: &[&str] = &["uuid", "ip", "unix-millis"];

impl Holds {
    /// Returns the kind of value of a keyword, or `None` if the keyword is not supported.
    pub(crate) fn of(keyword: &str) -> Option<Self> {
        Some(match keyword {
            "$comment" | "default" | "examples" => Self::Anything,
            "$id" | "$schema" | "description" | "format" | "title" => Self::Text,
            "required" | "x-mparticle-aliases" => Self::Texts,
            "maximum" | "minimum" => Self::Number,
            "maxItems" | "maxLength" | "maxProperties" => Self::Count,
            "deprecated" | "readOnly" => Self::Flag,
            "type" => Self::Types,
            "const" => Self::Constant,
            "enum" => Self::Constants,
            "x-mparticle-beyond" => Self::Beyond,
            "x-mparticle-advice" => Self::Advice,
            "$ref" => Self::Reference,
            "additionalProperties" | "if" | "propertyNames" | "then" => Self::Schema,
            "items" => Self::Items,
            "allOf" | "anyOf" | "oneOf" => Self::Schemas,
            "properties" => Self::Properties,
            "$defs" | "definitions" => Self::Definitions,
            _ => return None,
        })
    }

    /// Returns a description of the expected value.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            Self::Anything => "any JSON",
            Self::Text | Self::Reference => "a string",
            Self::Texts => "a list of strings",
            Self::Count => "a whole number",
            Self::Number => "a number",
            Self::Flag => "true or false",
            Self::Types => "a JSON type or a list of JSON types",
            Self::Constant => "a string, because every enum here is a set of strings",
            Self::Constants => "a list of strings, which may include null",
            Self::Beyond => "`refused`, `cut` or `undocumented`",
            Self::Advice => {
                "an object of `format` (`uuid`, `ip`, `unix-millis`) and `exactlyOneOf` (a list of strings)"
            }
            Self::Schema => "a schema other than `false`",
            Self::Items => "a schema, or a list of schemas",
            Self::Schemas => "a list of schemas",
            Self::Properties | Self::Definitions => "an object of schemas",
        }
    }

    /// Whether the keyword may have this value. Schemas in the value are checked elsewhere.
    pub(crate) fn admits(self, value: &Value) -> bool {
        match self {
            Self::Anything => true,
            Self::Text | Self::Constant | Self::Reference => value.is_string(),
            Self::Texts => all(value, Value::is_string),
            Self::Count => value.is_u64(),
            Self::Number => value.is_number(),
            Self::Flag => value.is_boolean(),
            Self::Types => is_one_of(value, TYPES) || some(value, |v| is_one_of(v, TYPES)),
            Self::Constants => some(value, |v| v.is_string() || v.is_null()),
            Self::Beyond => is_one_of(value, BEYOND),
            Self::Advice => value.as_object().is_some_and(|advice| {
                advice.iter().all(|(key, value)| match key.as_str() {
                    "format" => is_one_of(value, FORMATS),
                    "exactlyOneOf" => all(value, Value::is_string),
                    _ => false,
                })
            }),
            Self::Schema => value.is_object() || value.is_boolean(),
            Self::Items => value.is_object() || value.is_boolean() || some(value, |_| true),
            Self::Schemas => some(value, |_| true),
            Self::Properties | Self::Definitions => value.is_object(),
        }
    }
}

fn all(value: &Value, test: impl Fn(&Value) -> bool) -> bool {
    value.as_array().is_some_and(|list| list.iter().all(test))
}

/// Whether a list has at least one item, and all of its items pass the test.
fn some(value: &Value, test: impl Fn(&Value) -> bool) -> bool {
    value.as_array().is_some_and(|list| !list.is_empty() && list.iter().all(test))
}

fn is_one_of(value: &Value, words: &[&str]) -> bool {
    value.as_str().is_some_and(|text| words.contains(&text))
}
