//! Reads the definition of one attribute: its Rust type, or a constant.

use serde_json::{Map, Value};

use super::enums;
use super::input::{at, wrong_kind};
use super::model::{Form, Nulls, Type};
use super::rules;
use super::standard;
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::markdown;

/// The keywords that mParticle's API does not accept in a plan, or that no single type can represent.
const REFUSED: &[&str] = &[
    "$ref",
    "$recursiveRef",
    "$recursiveAnchor",
    "$dynamicRef",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "patternProperties",
    "propertyNames",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
];

/// The text patterns by which a plan says that a text is a number or a boolean.
const NUMBER_PATTERN: &str = r"^-?\d+(\.\d+)?([eE][+\-]?\d+)?$";
const BOOLEAN_PATTERN: &str = "^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$";

/// Where an attribute is, as far as this decides what it may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// An attribute of an event, or a flag: a scalar.
    Event,
    /// An attribute of a user: a scalar or a list of scalars.
    User,
    /// An element of a list.
    Element,
    /// An attribute of a product: text.
    Product,
    /// A field of the models.
    Standard(standard::Kind),
}

/// The meaning of a definition.
#[derive(Debug)]
pub(crate) enum Meaning {
    /// The attribute has a setter.
    Field(Described),
    /// The attribute has one value.
    Constant(Value),
    /// The plan forbids the attribute.
    Nothing,
}

/// A type with its documentation.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) ty: Type,
    pub(crate) is_nullable: bool,
    pub(crate) docs: Vec<String>,
}

/// Reads the definition at a place.
pub(crate) fn read(
    definition: &Value,
    place: Place,
    origin: &Origin,
) -> Result<Meaning, Diagnostic> {
    let empty = Map::new();
    let schema = match definition {
        Value::Object(schema) => schema,
        Value::Bool(true) | Value::Null => &empty,
        Value::Bool(false) => return Ok(Meaning::Nothing),
        _ => return Err(wrong_kind(origin, "the definition", "an object")),
    };
    refuse_keywords(schema, origin)?;
    if let Some(value) = schema.get("const") {
        return constant(value, schema, place, origin);
    }
    let kinds = Kinds::read(schema, origin)?;
    let ty = type_of(schema, &kinds, place, origin)?;
    let allows_null = kinds.has_null || enums::has_null(schema);
    let mut docs = description(schema);
    let is_written_as_type = matches!(ty, Type::Number(Form::Text) | Type::Boolean(Form::Text));
    docs.extend(rules::in_words(schema, is_written_as_type && place != Place::Product));
    if matches!(ty, Type::Any) && kinds.names.len() > 1 {
        docs.push(format!("The plan allows: {}.", kinds.names.join(", ")));
    }
    let is_nullable = allows_null && !matches!(ty, Type::Tag | Type::Any);
    Ok(Meaning::Field(Described { ty, is_nullable, docs }))
}

/// Reports a keyword that no plan may have.
pub(crate) fn refuse_keywords(
    schema: &Map<String, Value>,
    origin: &Origin,
) -> Result<(), Diagnostic> {
    match REFUSED.iter().find(|&&keyword| schema.contains_key(keyword)) {
        None => Ok(()),
        Some(keyword) => {
            let message = format!("`{keyword}` is not supported in a data plan");
            let help = "mParticle's API refuses this keyword; remove it";
            let origin = at(origin, keyword);
            Err(Diagnostic::new(Code::UnsupportedKeyword, origin, message).with_help(help))
        }
    }
}

/// Returns a description as Markdown; none if it is empty.
pub(crate) fn description(schema: &Map<String, Value>) -> Vec<String> {
    let text = schema.get("description").and_then(Value::as_str).map(str::trim);
    let text = text.filter(|text| !text.is_empty());
    text.map(markdown::from_text).into_iter().collect()
}

fn constant(
    value: &Value,
    schema: &Map<String, Value>,
    place: Place,
    origin: &Origin,
) -> Result<Meaning, Diagnostic> {
    let is_scalar = |value: &Value| !value.is_array() && !value.is_object();
    let is_list = value.as_array().is_some_and(|items| items.iter().all(is_scalar));
    let fits = match place {
        Place::Event | Place::Product | Place::Element => is_scalar(value),
        Place::User => is_scalar(value) || is_list,
        Place::Standard(kind) => return Ok(standard_constant(value, kind, schema)),
    };
    if fits {
        Ok(Meaning::Constant(value.clone()))
    } else {
        Err(nested(&at(origin, "const"), place))
    }
}

/// A constant that a field of the models cannot hold is left to the user.
fn standard_constant(value: &Value, kind: standard::Kind, schema: &Map<String, Value>) -> Meaning {
    let fits = match kind {
        standard::Kind::Text => value.is_string(),
        standard::Kind::Float => value.is_number(),
        standard::Kind::Integer => value.is_i64(),
        standard::Kind::Boolean => value.is_boolean(),
        standard::Kind::Any => !value.is_array() && !value.is_object(),
    };
    if fits {
        return Meaning::Constant(value.clone());
    }
    let docs = description(schema);
    Meaning::Field(Described { ty: type_of_standard(kind), is_nullable: false, docs })
}

/// The values of the keyword `type`.
struct Kinds<'a> {
    /// The kinds other than null.
    names: Vec<&'a str>,
    has_null: bool,
}

impl<'a> Kinds<'a> {
    fn read(schema: &'a Map<String, Value>, origin: &Origin) -> Result<Self, Diagnostic> {
        const KNOWN: &[&str] =
            &["array", "boolean", "integer", "null", "number", "object", "string"];
        let origin = at(origin, "type");
        let values = match schema.get("type") {
            None | Some(Value::Null) => &[][..],
            Some(Value::Array(values)) => values.as_slice(),
            Some(value) => std::slice::from_ref(value),
        };
        let mut kinds = Self { names: Vec::new(), has_null: false };
        for value in values {
            let name = value.as_str().filter(|name| KNOWN.contains(name));
            let name = name.ok_or_else(|| {
                wrong_kind(&origin, &format!("`{value}`"), &format!("one of {}", KNOWN.join(", ")))
            })?;
            match name {
                "null" => kinds.has_null = true,
                name if kinds.names.contains(&name) => {}
                name => kinds.names.push(name),
            }
        }
        Ok(kinds)
    }

    /// Returns the only kind: an integer is a number.
    fn one(&self) -> Option<&'a str> {
        match self.names.as_slice() {
            [name] => Some(name),
            ["number", "integer"] | ["integer", "number"] => Some("number"),
            _ => None,
        }
    }
}

fn type_of(
    schema: &Map<String, Value>,
    kinds: &Kinds<'_>,
    place: Place,
    origin: &Origin,
) -> Result<Type, Diagnostic> {
    let is_text = |kind| kind == standard::Kind::Text;
    if let Place::Standard(kind) = place
        && !(is_text(kind) && schema.contains_key("enum"))
    {
        return Ok(type_of_standard(kind));
    }
    if let Some(values) = schema.get("enum")
        && kinds.one() != Some("boolean")
        && !kinds.names.contains(&"array")
    {
        return enums::read(values, &at(origin, "enum"));
    }
    let number = if place == Place::Product { Form::Text } else { Form::Plain };
    Ok(match kinds.one() {
        Some("string") => text_type(schema),
        Some("number") => Type::Number(number),
        Some("integer") => Type::Integer(number),
        Some("boolean") => Type::Boolean(number),
        Some("array") => return list_of(schema, place, origin),
        Some(_) => return Err(nested(origin, place)),
        None if kinds.has_null && kinds.names.is_empty() => Type::Tag,
        None => return any_of(schema, kinds, place, origin),
    })
}

fn type_of_standard(kind: standard::Kind) -> Type {
    match kind {
        standard::Kind::Text => Type::Text,
        standard::Kind::Float => Type::Float,
        standard::Kind::Integer => Type::Integer(Form::Plain),
        standard::Kind::Boolean => Type::Boolean(Form::Plain),
        standard::Kind::Any => Type::Any,
    }
}

fn text_type(schema: &Map<String, Value>) -> Type {
    match schema.get("pattern").and_then(Value::as_str) {
        Some(NUMBER_PATTERN) => Type::Number(Form::Text),
        Some(BOOLEAN_PATTERN) => Type::Boolean(Form::Text),
        _ => Type::Text,
    }
}

/// Several kinds, or none.
fn any_of(
    schema: &Map<String, Value>,
    kinds: &Kinds<'_>,
    place: Place,
    origin: &Origin,
) -> Result<Type, Diagnostic> {
    let is_nested = |name: &&str| match *name {
        "object" => true,
        "array" => place != Place::User,
        _ => false,
    };
    let is_only_nested = !kinds.names.is_empty() && kinds.names.iter().all(is_nested);
    let is_object = kinds.names.is_empty() && schema.contains_key("properties");
    if is_only_nested || is_object { Err(nested(origin, place)) } else { Ok(Type::Any) }
}

fn list_of(schema: &Map<String, Value>, place: Place, origin: &Origin) -> Result<Type, Diagnostic> {
    if place != Place::User {
        return Err(nested(origin, place));
    }
    let origin = at(origin, "items");
    let items = match schema.get("items") {
        // A list of definitions, one for each position.
        None | Some(Value::Array(_)) => return Ok(Type::List(Box::new(Type::Any), Nulls::Refused)),
        Some(items) => items,
    };
    Ok(match read(items, Place::Element, &origin)? {
        Meaning::Field(Described { ty: Type::Tag, .. })
        | Meaning::Constant(_)
        | Meaning::Nothing => Type::List(Box::new(Type::Any), Nulls::Refused),
        Meaning::Field(described) => {
            let nulls = if described.is_nullable { Nulls::Allowed } else { Nulls::Refused };
            Type::List(Box::new(described.ty), nulls)
        }
    })
}

/// The report that an attribute would hold what it cannot.
pub(crate) fn nested(origin: &Origin, place: Place) -> Diagnostic {
    let (message, allowed) = match place {
        Place::User => (
            "an attribute of a user cannot hold an object",
            "a text, a number, a boolean or a list of these",
        ),
        Place::Element => {
            ("a list or an enum cannot hold lists or objects", "texts, numbers or booleans")
        }
        Place::Product => ("an attribute of a product cannot hold a list or an object", "a text"),
        Place::Event | Place::Standard(_) => (
            "an attribute of an event cannot hold a list or an object",
            "a text, a number or a boolean",
        ),
    };
    let help = format!("plan {allowed}");
    Diagnostic::new(Code::UnsupportedShape, origin.clone(), message).with_help(help)
}
