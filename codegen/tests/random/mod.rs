//! Generates random schemas with awkward names.

use fastrand::Rng;
use serde_json::{Map, Value, json};

/// Names as most schemas have them.
const PLAIN: &[&str] = &[
    "id",
    "kind",
    "created_at",
    "userName",
    "HTTPStatus",
    "price",
    "items_total",
    "product",
    "address",
    "city",
    "zip",
    "status",
    "os",
    "tags",
    "x",
    "y1",
    "parent",
    "children",
    "first",
    "last",
    "amount",
    "currency",
    "label",
    "owner",
];

/// Names that have another meaning in Rust, in its prelude or in the generated code.
const TAKEN: &[&str] = &[
    "type",
    "self",
    "Self",
    "super",
    "crate",
    "gen",
    "async",
    "try",
    "dyn",
    "abstract",
    "union",
    "raw",
    "default",
    "match",
    "static",
    "macro_rules",
    "Option",
    "Vec",
    "String",
    "Box",
    "Some",
    "None",
    "Result",
    "Ok",
    "Default",
    "Clone",
    "Send",
    "Iterator",
    "Into",
    "extra",
    "Extra",
    "envelope",
    "common",
    "report",
    "place",
    "value",
    "content",
    "tag",
    "serializer",
    "deserializer",
    "items",
    "index",
    "item",
    "entries",
    "name",
    "Field",
    "Shape",
    "Read",
    "Validate",
    "Value",
    "Unknown",
    "UnknownValue",
    "unknown value",
    "k_n_o_w_n",
    "t_a_g",
    "validate",
    "new",
    "iter",
    "from_str",
    "to_vec",
    "as_str",
    "T0",
    "f0",
    "D",
    "S",
    "E",
    "record",
    "limits",
];

/// Names with other scripts and symbols, and names without letters.
const ODD: &[&str] = &[
    "2nd",
    "1",
    "9_lives",
    "\u{e9}",
    "\u{540d}\u{524d}",
    "Stra\u{df}e",
    "a\u{301}b",
    "\u{130}x",
    "\u{202e}x",
    "a-b",
    "a b",
    "a.b",
    "a/b",
    "a~b",
    "%41",
    "a\nb",
    "it's",
    "\"q\"",
    "a\\b",
    "{}",
    "#",
    "$",
    "",
    "_",
    "__",
    "a__b",
    "_a",
    "a_",
    "\u{1f600}",
    "\u{fb01}x",
];

const DESCRIPTIONS: &[&str] = &[
    "What it is.",
    "",
    "A <placeholder> and a [Thing].",
    "Such as\n```\nlet a = ;\n```",
    "```rust\nnever closed",
    "turned \u{202e} about",
    "a\r\nb\tc \u{7} */ /* \\ \" `",
    "See https://example.com/a?b=c.",
];

const FORMATS: &[&str] = &["date-time", "email", "uri", "uuid", "ipv4", "own"];

/// The kind of a definition.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Object,
    Set,
    Scalar,
    Wrapper,
    Wrappers,
    Conditions,
}

/// A random schema and its overrides.
pub(crate) fn schema(rng: &mut Rng) -> (Value, String) {
    let mut maker = Maker { rng, names: Vec::new() };
    for _ in 0..maker.rng.usize(1..5) {
        let (name, kind) = (maker.type_name(), maker.kind());
        if maker.names.iter().all(|(known, _)| *known != name) {
            maker.names.push((name, kind));
        }
    }
    let definitions: Map<_, _> = (0..maker.names.len())
        .map(|index| (maker.names[index].0.clone(), maker.definition(index)))
        .collect();
    let mut document = if maker.one_in(3) { maker.object(1, None) } else { json!({}) };
    if document.get("type").is_some() {
        document["title"] = json!("Document");
    }
    let keyword = if maker.one_in(4) { "definitions" } else { "$defs" };
    let overrides = maker.overrides(&definitions, keyword);
    document[keyword] = definitions.into();
    (rooted(&document, keyword), overrides)
}

/// Returns the schema with references in the notation of its definitions.
fn rooted(document: &Value, keyword: &str) -> Value {
    let text = document.to_string().replace("#/$defs/", &format!("#/{keyword}/"));
    serde_json::from_str(&text).unwrap()
}

fn reference(name: &str) -> Value {
    let name = name.replace('~', "~0").replace('/', "~1").replace('%', "%25");
    json!({ "$ref": format!("#/$defs/{name}") })
}

struct Maker<'r> {
    rng: &'r mut Rng,
    /// The definitions.
    names: Vec<(String, Kind)>,
}

impl Maker<'_> {
    fn one_in(&mut self, number: u32) -> bool {
        self.rng.u32(0..number) == 0
    }

    fn pick<'t>(&mut self, words: &[&'t str]) -> &'t str {
        words[self.rng.usize(0..words.len())]
    }

    fn name(&mut self) -> String {
        match self.rng.u32(0..20) {
            0..4 => self.pick(TAKEN).to_owned(),
            4 if self.one_in(2) => self.pick(ODD).to_owned(),
            5 => format!("{}_{}", self.pick(PLAIN), self.pick(TAKEN)),
            _ => self.pick(PLAIN).to_owned(),
        }
    }

    /// Returns the name of a type. Most names are ordinary, because reserved names are refused.
    fn type_name(&mut self) -> String {
        if self.one_in(25) { self.name() } else { self.pick(PLAIN).to_owned() }
    }

    fn kind(&mut self) -> Kind {
        match self.rng.u32(0..14) {
            0 => Kind::Set,
            1 => Kind::Scalar,
            2 | 3 => Kind::Wrapper,
            4 => Kind::Wrappers,
            5 => Kind::Conditions,
            _ => Kind::Object,
        }
    }

    /// Returns a reference to a definition of a kind with a lower index, if there is one.
    fn reference_to(&mut self, kind: Kind, below: usize) -> Option<Value> {
        let names = self.names.iter().take(below).filter(|(_, found)| *found == kind);
        let names: Vec<_> = names.map(|(name, _)| name.clone()).collect();
        (!names.is_empty()).then(|| reference(&names[self.rng.usize(0..names.len())]))
    }

    fn reference(&mut self) -> Value {
        let (name, _) = &self.names[self.rng.usize(0..self.names.len())];
        reference(name)
    }

    fn definition(&mut self, index: usize) -> Value {
        let all = self.names.len();
        let kind = self.names[index].1;
        match kind {
            Kind::Object => {
                let base =
                    if self.one_in(3) { self.reference_to(Kind::Object, index) } else { None };
                self.object(0, base)
            }
            Kind::Set if self.one_in(2) => self.open_set(),
            Kind::Set => self.set(),
            Kind::Scalar => json!({ "type": ["string", "null"], "maxLength": 3 }),
            Kind::Wrapper => {
                let content = self.reference_to(Kind::Object, all);
                let content = content.unwrap_or_else(|| self.object(2, None));
                json!({ "type": "object", "properties": { "Kind": { "const": self.name() }, "kinds": content } })
            }
            Kind::Wrappers => {
                let branches = self.reference_to(Kind::Wrapper, all);
                json!({ "oneOf": [branches.unwrap_or_else(|| self.reference())] })
            }
            Kind::Conditions => self.conditions(),
        }
    }

    fn object(&mut self, depth: u32, base: Option<Value>) -> Value {
        let mut properties = Map::new();
        for _ in 0..self.rng.u32(0..5) {
            let name = self.name();
            let value = self.described(depth + 1);
            properties.insert(name, value);
        }
        let names: Vec<String> = properties.keys().cloned().collect();
        let required: Vec<_> = names.into_iter().filter(|_| self.one_in(3)).collect();
        let mut object =
            json!({ "type": "object", "properties": properties, "required": required });
        if let Some(base) = base {
            object["allOf"] = json!([base]);
        }
        object
    }

    fn described(&mut self, depth: u32) -> Value {
        let mut value = self.value(depth);
        if self.one_in(2) {
            value["description"] = json!(self.pick(DESCRIPTIONS));
        }
        if self.one_in(12) {
            value["x-mparticle-aliases"] = json!([self.name()]);
        }
        value
    }

    fn value(&mut self, depth: u32) -> Value {
        let nested = depth < 3;
        match self.rng.u32(0..16) {
            0 => json!({ "type": "boolean" }),
            1 => json!({ "type": "integer", "minimum": self.rng.i32(-5..5), "maximum": 7.5 }),
            2 => json!({ "type": ["number", "null"], "minimum": 0 }),
            3 => json!({ "type": "string", "format": self.pick(FORMATS) }),
            4 => json!({ "type": ["string", "null"], "maxLength": self.rng.u32(0..300) }),
            5 => json!({ "type": ["string", "number", "boolean"] }),
            6 => json!({ "type": "array", "maxItems": 3 }),
            7 => json!({ "type": "object", "maxProperties": 3 }),
            8 => json!({}),
            9 => self.set(),
            10 if nested => {
                json!({ "type": "array", "items": self.value(depth + 1), "maxItems": 9 })
            }
            11 if nested => {
                json!({ "type": "object", "additionalProperties": self.value(depth + 1) })
            }
            12 if nested => self.object(depth + 1, None),
            13 => json!({ "anyOf": [self.reference(), { "type": "null" }] }),
            _ => self.reference(),
        }
    }

    fn set(&mut self) -> Value {
        let mut values: Vec<_> = (0..self.rng.u32(1..5)).map(|_| self.name()).collect();
        values.sort();
        values.dedup();
        json!({ "type": "string", "enum": values })
    }

    fn open_set(&mut self) -> Value {
        let values: Vec<_> = (0..self.rng.u32(1..4))
            .map(|_| json!({ "const": self.name(), "description": self.pick(DESCRIPTIONS) }))
            .collect();
        json!({ "anyOf": [{ "oneOf": values }, { "type": "string" }] })
    }

    /// A union by conditions.
    fn conditions(&mut self) -> Value {
        let (tag, content) = (self.name(), self.name());
        let mut tags: Vec<_> = (0..self.rng.u32(1..4)).map(|_| self.name()).collect();
        tags.sort();
        tags.dedup();
        let all = self.names.len();
        let mut conditions = Vec::new();
        for value in &tags {
            let target =
                self.reference_to(Kind::Object, all).unwrap_or_else(|| self.object(3, None));
            conditions.push(json!({
                "if": { "properties": { &tag: { "const": value } } },
                "then": { "properties": { &content: target } },
            }));
        }
        let properties = json!({ &tag: { "type": "string", "enum": tags }, &content: {} });
        json!({ "type": "object", "properties": properties, "allOf": conditions })
    }

    /// Returns overrides for one of the objects, sometimes.
    fn overrides(&mut self, definitions: &Map<String, Value>, keyword: &str) -> String {
        let mut text = String::new();
        let plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        for (name, definition) in definitions {
            let Some(Value::Object(fields)) = definition.get("properties") else { continue };
            if definition["type"] != "object" || !plain(name) || !self.one_in(3) {
                continue;
            }
            text += &format!("[types.\"schema.json#/{keyword}/{name}\"]\nentry = true\n");
            let is_list =
                |(name, field): &(&String, &Value)| plain(name) && field["type"] == "array";
            if let Some((list, _)) = fields.iter().find(is_list) {
                let singular = self.name();
                text += &format!("singular = {{ \"{list}\" = {} }}\n", json!(singular));
            }
        }
        text
    }
}
