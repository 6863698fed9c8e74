//! Verifies the schemas of fields and of elements of lists and maps.

use serde_json::Value;

use super::{Verifier, leftover};
use crate::diagnostic::Code;
use crate::model::{Beyond, Bound, Format, Limit, Limits, Shape, Slot};
use crate::node::{FROM, Node, flag, inner, place, text};

/// The maximum depth of lists of lists.
///
/// The checks of nested lists are nested loops, and rustfmt takes twice as long for each further level.
const MAX_DEPTH: usize = 8;

/// The keywords of a position, in addition to those of all schemas.
const KNOWN: &[&str] = &[
    "$ref",
    "additionalProperties",
    "format",
    "itemMaxLength",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minimum",
    "nameMaxLength",
    "rust",
    "x-mparticle-advice",
];

/// The keywords that have no meaning beside a reference to a named type.
const NOT_BESIDE_REF: &[&str] =
    &["additionalProperties", "format", "items", "type", "x-mparticle-advice"];

impl Verifier<'_> {
    /// Reads a position. A mistake is reported, and the position is read as any JSON.
    pub(super) fn slot(&mut self, node: &Node, depth: usize) -> Slot {
        if depth > MAX_DEPTH {
            let message = format!("lists and maps are nested more than {MAX_DEPTH} deep");
            let help = "put an object between them";
            self.report(place(node), Code::TooDeep, message, help);
            return Slot { shape: Shape::Any, nullable: false, limits: Limits::default() };
        }
        let shape = self.shape(node, depth).unwrap_or_else(|message| {
            let help = "the head of `codegen/src/normalise.rs` lists the supported notations";
            let at = text(node, FROM).unwrap_or(place(node));
            self.report(at, Code::UnsupportedShape, message, help);
            Shape::Any
        });
        Slot { limits: self.limits(node, &shape), nullable: flag(node, "nullable"), shape }
    }

    fn shape(&mut self, node: &Node, depth: usize) -> Result<Shape, String> {
        if let Some(keyword) = leftover(node, KNOWN) {
            return Err(format!("`{keyword}` is used in a combination that has no Rust type"));
        }
        if let Some(key) = text(node, "$ref") {
            return match NOT_BESIDE_REF.iter().find(|keyword| node.contains_key(**keyword)) {
                Some(keyword) => {
                    Err(format!("`{keyword}` has no meaning beside a reference to a named type"))
                }
                None => Ok(Shape::Ref(self.type_name(place(node), key))),
            };
        }
        let Some(name) = node.get("type") else {
            return Ok(Shape::Any);
        };
        let advice = inner(node, "x-mparticle-advice");
        if advice.is_some_and(|advice| advice.contains_key("exactlyOneOf")) {
            return Err("`exactlyOneOf` is advice for objects with properties".to_owned());
        }
        let advice = advice.and_then(|advice| text(advice, "format"));
        let format = text(node, "format").or(advice);
        match (name.as_str().unwrap_or_default(), format) {
            ("boolean", None) => Ok(Shape::Boolean),
            ("integer" | "number", Some("unix-millis")) => {
                Err("`unix-millis` needs a hand-written type: set `rust` in the overrides"
                    .to_owned())
            }
            ("integer", Some("uint64" | "uint32" | "uint16" | "uint8")) => Ok(Shape::Unsigned),
            ("integer", _) => Ok(Shape::Integer),
            ("number", _) => Ok(Shape::Number),
            ("string", Some("uuid")) => Ok(Shape::String(Some(Format::Uuid))),
            ("string", Some("ip" | "ipv4" | "ipv6")) => Ok(Shape::String(Some(Format::Ip))),
            // A format of JSON Schema is an annotation. Text of another format is valid, too.
            ("string", _) => Ok(Shape::String(None)),
            ("scalar", None) => Ok(Shape::Scalar),
            ("scalar-or-list", None) => Ok(Shape::ScalarOrList),
            ("hand-written", None) => {
                Ok(Shape::Foreign(text(node, "rust").unwrap_or_default().to_owned()))
            }
            ("array", None) if node.get("items").is_some_and(Value::is_array) => {
                Err("`items` lists more than one kind of item".to_owned())
            }
            ("array", None) => Ok(Shape::Array(Box::new(self.element(node, "items", depth)))),
            ("object", None) => {
                Ok(Shape::Map(Box::new(self.element(node, "additionalProperties", depth))))
            }
            (_, Some(format)) => {
                Err(format!("the format `{format}` has no Rust type with `type: {name}`"))
            }
            _ => Err(format!("`type: {name}` has no Rust type")),
        }
    }

    fn element(&mut self, node: &Node, keyword: &str, depth: usize) -> Slot {
        match inner(node, keyword) {
            Some(element) => self.slot(element, depth + 1),
            None => Slot { shape: Shape::Any, nullable: true, limits: Limits::default() },
        }
    }

    /// Returns the limits of a position. A limit that does not apply to its shape is reported.
    fn limits(&mut self, node: &Node, shape: &Shape) -> Limits {
        let is_text = matches!(shape, Shape::String(_) | Shape::Scalar | Shape::ScalarOrList);
        let is_list = matches!(shape, Shape::Array(_) | Shape::ScalarOrList);
        let is_map = matches!(shape, Shape::Map(_));
        let is_number = matches!(shape, Shape::Integer | Shape::Unsigned | Shape::Number);
        let mut read = |keyword: &str, fits: bool| {
            let bound = bound(node.get(keyword)?)?;
            if !fits {
                let message = format!("`{keyword}` does not apply to this kind of value");
                let help = "put the limit where the number, text, list or map is described";
                self.report(place(node), Code::UnsupportedShape, message, help);
            }
            Some(bound)
        };
        Limits {
            max_length: read("maxLength", is_text).as_ref().and_then(limit),
            max_items: read("maxItems", is_list).as_ref().and_then(limit),
            minimum: read("minimum", is_number),
            maximum: read("maximum", is_number),
            max_properties: read("maxProperties", is_map).as_ref().and_then(limit),
            name_max_length: read("nameMaxLength", is_map).as_ref().and_then(limit),
            item_max_length: read("itemMaxLength", is_list).as_ref().and_then(limit),
        }
    }
}

fn limit(bound: &Bound) -> Option<Limit> {
    Some(Limit { value: bound.value.as_u64()?, beyond: bound.beyond })
}

fn bound(limit: &Value) -> Option<Bound> {
    let beyond = match limit.get("beyond")?.as_str()? {
        "refused" => Beyond::Refused,
        "cut" => Beyond::Cut,
        _ => Beyond::Undocumented,
    };
    Some(Bound { value: limit.get("value")?.as_number()?.clone(), beyond })
}
