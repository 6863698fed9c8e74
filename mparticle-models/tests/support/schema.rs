//! The bundled schema for tests: the type at each place, independent of the notation.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Map, Value};

/// The schema of one batch.
pub(crate) static BATCH: LazyLock<Place> =
    LazyLock::new(|| Reader { document: parse(mparticle_models::schema::BATCH) }.root());

/// Returns the same schema as a validator, which is independent of this crate.
pub(crate) static BATCH_VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::validator_for(&parse(mparticle_models::schema::BATCH)).unwrap());

fn parse(document: &str) -> Value {
    serde_json::from_str(document).expect("the bundled schema is JSON")
}

/// A place in the schema for a value.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// The name of the definition, if there is one.
    pub(crate) name: String,
    /// Whether the schema accepts null there.
    pub(crate) nullable: bool,
    pub(crate) limits: Limits,
    pub(crate) kind: Kind,
}

/// The maximum sizes that the schema accepts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Limits {
    pub(crate) length: Option<usize>,
    pub(crate) items: Option<usize>,
    pub(crate) properties: Option<usize>,
    pub(crate) name_length: Option<usize>,
    /// Of one text in the list of an attribute value.
    pub(crate) item_length: Option<usize>,
}

/// The type of the values at a place.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Any,
    Boolean,
    Integer,
    Unsigned,
    Millis,
    Number,
    Text,
    Uuid,
    Ip,
    BooleanOrText,
    Scalar,
    AttributeValue,
    /// The known values, each with its other spellings.
    Enum {
        values: Vec<(String, Vec<String>)>,
        closed: bool,
    },
    List(Box<Place>),
    Map(Box<Place>),
    Object(Vec<Field>),
    /// The known types with their data.
    Event(Vec<(String, Place)>),
    /// The data of a breadcrumb event.
    Breadcrumb(Box<Place>),
}

/// A property of an object.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) required: bool,
    pub(crate) place: Place,
}

impl Field {
    /// Whether the field is required for reading. The environment is the only field that is required only for writing.
    pub(crate) fn is_needed(&self) -> bool {
        self.required && !self.place.nullable && self.name != "environment"
    }

    /// Whether null is written instead of omitting the field.
    pub(crate) fn is_always_written(&self) -> bool {
        self.required && self.place.nullable
    }
}

impl Place {
    /// Returns the field of an object by its name.
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        match &self.kind {
            Kind::Object(fields) => fields.iter().find(|field| field.name == name),
            _ => None,
        }
    }

    /// Calls `f` with each place in a value that the schema describes, its JSON pointer, and the value at the place.
    pub(crate) fn visit<'v>(
        &self,
        value: &'v Value,
        pointer: &str,
        f: &mut dyn FnMut(&str, &Self, &'v Value),
    ) {
        f(pointer, self, value);
        match (&self.kind, value) {
            (Kind::List(item), Value::Array(values)) => {
                for (index, value) in values.iter().enumerate() {
                    item.visit(value, &format!("{pointer}/{index}"), f);
                }
            }
            (Kind::Map(item), Value::Object(entries)) => {
                for (key, value) in entries {
                    item.visit(value, &format!("{pointer}/{}", escape(key)), f);
                }
            }
            (Kind::Object(fields), Value::Object(object)) => {
                for field in fields {
                    if let Some(value) = object.get(&field.name) {
                        field.place.visit(value, &format!("{pointer}/{}", field.name), f);
                    }
                }
            }
            (Kind::Event(types), Value::Object(event)) => {
                let data = types.iter().find(|(name, _)| event["event_type"] == **name);
                if let Some((_, data)) = data {
                    data.visit(&event["data"], &format!("{pointer}/data"), f);
                }
            }
            (Kind::Breadcrumb(data), Value::Object(event)) => match event.get("data") {
                Some(value) => data.visit(value, &format!("{pointer}/data"), f),
                None => data.visit(value, pointer, f),
            },
            _ => {}
        }
    }
}

/// A key as a part of a JSON pointer.
pub(crate) fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

struct Reader {
    document: Value,
}

impl Reader {
    fn root(&self) -> Place {
        let mut root = self.document.as_object().unwrap().clone();
        root.remove("$defs");
        self.place(&root)
    }

    fn place(&self, schema: &Map<String, Value>) -> Place {
        let (name, schema) = self.resolve(schema.clone());
        let any_of = schema.get("anyOf").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if let [inner, null] = any_of {
            if null["type"] == "null" {
                let mut merged = inner.as_object().unwrap().clone();
                merged.extend(schema.iter().filter(|(key, _)| *key != "anyOf").map(owned));
                return Place { nullable: true, ..self.place(&merged) };
            }
        }
        let types = types(&schema);
        let kind = self.kind(&schema, &types, any_of);
        let nullable =
            matches!(kind, Kind::Scalar | Kind::AttributeValue) || types.contains(&"null");
        Place { name, nullable, limits: limits(&schema, any_of), kind }
    }

    fn object_place(&self, schema: &Value) -> Place {
        self.place(schema.as_object().unwrap())
    }

    /// Follows references. Keywords beside a reference take precedence over those of its target.
    fn resolve(&self, mut schema: Map<String, Value>) -> (String, Map<String, Value>) {
        let mut name = String::new();
        while let Some(target) = schema.remove("$ref") {
            let pointer = target.as_str().unwrap().strip_prefix('#').unwrap();
            let mut merged = self.document.pointer(pointer).unwrap().as_object().unwrap().clone();
            merged.extend(schema);
            schema = merged;
            pointer.rsplit('/').next().unwrap().clone_into(&mut name);
        }
        (name, schema)
    }

    fn kind(&self, schema: &Map<String, Value>, types: &[&str], any_of: &[Value]) -> Kind {
        let advice = schema.get("x-mparticle-advice").and_then(|advice| advice["format"].as_str());
        if let Some(values) = schema.get("oneOf") {
            return Kind::Enum { values: values_of(values), closed: true };
        }
        match any_of {
            [known, _] if known.get("oneOf").is_some() => {
                return Kind::Enum { values: values_of(&known["oneOf"]), closed: false };
            }
            [_, list] if list["type"] == "array" => return Kind::AttributeValue,
            [_, _, data] => return Kind::Breadcrumb(Box::new(self.object_place(data))),
            [] => {}
            other => panic!("a combination that the tests do not know: {other:?}"),
        }
        match (types, schema.get("format").and_then(Value::as_str), advice) {
            (["string", "number", "boolean", "null"], ..) => Kind::Scalar,
            (["boolean", "string", ..], ..) => Kind::BooleanOrText,
            (["boolean", ..], ..) => Kind::Boolean,
            (["integer", ..], _, Some("unix-millis")) => Kind::Millis,
            (["integer", ..], Some("uint64"), _) => Kind::Unsigned,
            (["integer", ..], ..) => Kind::Integer,
            (["number", ..], ..) => Kind::Number,
            (["string", ..], _, Some("uuid")) => Kind::Uuid,
            (["string", ..], _, Some("ip")) => Kind::Ip,
            (["string", ..], ..) => Kind::Text,
            (["array", ..], ..) => Kind::List(Box::new(self.object_place(&schema["items"]))),
            (["object", ..], ..) => self.object_kind(schema),
            other => panic!("a type that the tests do not know: {other:?}"),
        }
    }

    fn object_kind(&self, schema: &Map<String, Value>) -> Kind {
        let all_of = schema.get("allOf").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if all_of.iter().any(|part| part.get("if").is_some()) {
            return Kind::Event(all_of.iter().map(|part| self.event_type(part)).collect());
        }
        if let Some(values) = schema.get("additionalProperties") {
            return Kind::Map(Box::new(match values {
                Value::Bool(true) => Place {
                    name: String::new(),
                    nullable: true,
                    limits: Limits::default(),
                    kind: Kind::Any,
                },
                values => self.object_place(values),
            }));
        }
        if all_of.is_empty() && schema.get("properties").is_none() {
            return Kind::Any;
        }
        let mut fields = Vec::new();
        for part in all_of.iter().map(|part| part.as_object().unwrap()).chain([schema]) {
            let (_, part) = self.resolve(part.clone());
            let required = part.get("required").map(texts).unwrap_or_default();
            let properties = part.get("properties").and_then(Value::as_object);
            fields.extend(properties.into_iter().flatten().map(|(name, property)| Field {
                name: name.clone(),
                aliases: aliases(property),
                required: required.contains(name),
                place: self.object_place(property),
            }));
        }
        Kind::Object(fields)
    }

    fn event_type(&self, condition: &Value) -> (String, Place) {
        let name = condition["if"]["properties"]["event_type"]["const"].as_str().unwrap();
        (name.to_owned(), self.object_place(&condition["then"]["properties"]["data"]))
    }
}

fn owned<'a>((key, value): (&'a String, &'a Value)) -> (String, Value) {
    (key.clone(), value.clone())
}

fn types(schema: &Map<String, Value>) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(name)) => vec![name],
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn limits(schema: &Map<String, Value>, any_of: &[Value]) -> Limits {
    let limit = |schema: &Value, keyword: &str| {
        schema[keyword].as_u64().map(|limit| usize::try_from(limit).unwrap())
    };
    let whole = Value::Object(schema.clone());
    let scalar_and_list = [any_of.first(), any_of.get(1)].map(|schema| schema.unwrap_or(&whole));
    Limits {
        length: limit(scalar_and_list[0], "maxLength"),
        items: limit(scalar_and_list[1], "maxItems"),
        properties: limit(&whole, "maxProperties"),
        name_length: limit(&whole["propertyNames"], "maxLength"),
        item_length: any_of.get(1).and_then(|list| limit(&list["items"], "maxLength")),
    }
}

fn values_of(constants: &Value) -> Vec<(String, Vec<String>)> {
    let constants = constants.as_array().unwrap().iter();
    constants.map(|value| (value["const"].as_str().unwrap().to_owned(), aliases(value))).collect()
}

fn aliases(schema: &Value) -> Vec<String> {
    schema.get("x-mparticle-aliases").map(texts).unwrap_or_default()
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}
