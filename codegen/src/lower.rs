//! Lowers the model to Rust types with typify: the only file that knows it.
//!
//! The model is written as the plain JSON Schema that typify handles without surprises, and of what typify
//! makes of it we keep what it is good at: the Rust type of each field, with `Option`, `Vec`, maps and boxes
//! where a type contains itself. Names are settled in the model already, so the names that typify sees are
//! the Rust names; docs, attributes and implementations are the emitters' work.

use std::collections::BTreeMap;

use schemars::schema::RootSchema;
use serde_json::{Map, Value, json};
use typify::{TypeSpace, TypeSpaceImpl, TypeSpaceSettings};

use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::model::{Enum, Field, Kind, Model, Object, Presence, Shape, Slot, Union};

/// The Rust type of every field of every object, by the object's name and the field's Rust name.
#[derive(Debug, Default)]
pub struct Lowered {
    fields: BTreeMap<(String, String), syn::Type>,
}

impl Lowered {
    /// The Rust type of a field.
    ///
    /// # Errors
    ///
    /// A diagnostic when typify made no such field.
    pub fn field(&self, object: &str, field: &Field) -> Result<&syn::Type, Diagnostic> {
        let key = (object.to_owned(), field.ident.clone());
        self.fields.get(&key).ok_or_else(|| {
            let message = format!("typify made no field `{}` for `{object}`", field.ident);
            refused(field.origin.clone(), message)
        })
    }
}

/// Lowers a model.
///
/// # Errors
///
/// A diagnostic when typify refuses the model's schema, which `verify` is there to prevent.
pub fn lower(model: &Model) -> Result<Lowered, Diagnostic> {
    let mut plain = PlainSchema::default();
    let definitions: Map<_, _> =
        model.types.iter().map(|def| (def.name.clone(), plain.definition(&def.kind))).collect();
    let schema = plain.with_placeholders(definitions);
    let root: RootSchema = serde_json::from_value(schema)
        .map_err(|error| refused(Origin::default(), error.to_string()))?;

    let mut types = TypeSpace::new(&plain.settings());
    types
        .add_ref_types(root.definitions)
        .map_err(|error| refused(Origin::default(), error.to_string()))?;
    let file: syn::File = syn::parse2(types.to_stream())
        .map_err(|error| refused(Origin::default(), error.to_string()))?;
    let fields = file.items.iter().flat_map(struct_fields).collect();
    Ok(Lowered { fields })
}

fn refused(origin: Origin, message: String) -> Diagnostic {
    Diagnostic::new(Code::Lowering, origin, message)
        .with_help("this is a defect of the generator: its normal form let something through that typify does not take")
}

/// The fields of a struct item with the keys under which [`Lowered`] keeps them.
fn struct_fields(item: &syn::Item) -> Vec<((String, String), syn::Type)> {
    let syn::Item::Struct(item) = item else {
        return Vec::new();
    };
    let named = item.fields.iter().filter_map(|field| {
        let ident = field.ident.as_ref()?;
        Some(((item.ident.to_string(), ident.to_string()), field.ty.clone()))
    });
    named.collect()
}

/// The model as JSON Schema for typify; types of `crate::support` become placeholders with a replacement.
#[derive(Default)]
struct PlainSchema {
    hand_written: Vec<String>,
}

impl PlainSchema {
    fn definition(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Object(object) => self.object(object),
            Kind::Enum(set) => string_enum(set),
            Kind::Union(union) => tagged_union(union),
        }
    }

    fn object(&mut self, object: &Object) -> Value {
        let properties: Map<_, _> =
            object.fields.iter().map(|field| (field.ident.clone(), self.field(field))).collect();
        let required: Vec<_> = object
            .fields
            .iter()
            .filter(|field| is_required(field))
            .map(|field| field.ident.as_str())
            .collect();
        // Without `additionalProperties`, typify takes an object that has no properties for a map.
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
    }

    /// A list or a map that is merely optional is empty when absent; everything else that may be absent is an
    /// `Option`.
    fn field(&mut self, field: &Field) -> Value {
        let is_collection = matches!(field.slot.shape, Shape::Array(_) | Shape::Map(_));
        let nullable = match field.presence {
            Presence::Required => false,
            Presence::Optional => !is_collection,
            Presence::WrittenAlways | Presence::RequiredToWrite => true,
        };
        self.slot(&Slot { nullable, ..field.slot.clone() })
    }

    fn slot(&mut self, slot: &Slot) -> Value {
        let schema = match &slot.shape {
            Shape::Boolean => json!({ "type": "boolean" }),
            Shape::Integer => json!({ "type": "integer", "format": "int64" }),
            Shape::Unsigned => json!({ "type": "integer", "format": "uint64" }),
            Shape::Number => json!({ "type": "number", "format": "double" }),
            Shape::String(_) => json!({ "type": "string" }),
            Shape::Ref(name) => reference(name),
            Shape::Any => self.placeholder("Value"),
            Shape::Scalar => self.placeholder("Scalar"),
            Shape::ScalarOrList => self.placeholder("AttributeValue"),
            Shape::Foreign(rust) => self.placeholder(rust),
            Shape::Array(item) => json!({ "type": "array", "items": self.element(item) }),
            Shape::Map(value) => {
                json!({ "type": "object", "additionalProperties": self.element(value) })
            }
        };
        if slot.nullable { json!({ "oneOf": [schema, { "type": "null" }] }) } else { schema }
    }

    /// A list's or a map's element; what has a null of its own needs no `Option` around it.
    fn element(&mut self, slot: &Slot) -> Value {
        let has_null = matches!(slot.shape, Shape::Any | Shape::Scalar | Shape::ScalarOrList);
        self.slot(&Slot { nullable: slot.nullable && !has_null, ..slot.clone() })
    }

    fn placeholder(&mut self, rust: &str) -> Value {
        let known = self.hand_written.iter().position(|name| name == rust);
        let index = known.unwrap_or_else(|| {
            self.hand_written.push(rust.to_owned());
            self.hand_written.len() - 1
        });
        reference(&placeholder_name(index))
    }

    fn with_placeholders(&self, mut definitions: Map<String, Value>) -> Value {
        for index in 0..self.hand_written.len() {
            definitions.insert(placeholder_name(index), json!({ "type": "string" }));
        }
        json!({ "definitions": definitions })
    }

    fn settings(&self) -> TypeSpaceSettings {
        let mut settings = TypeSpaceSettings::default();
        settings.with_map_type("::std::collections::BTreeMap");
        for (index, rust) in self.hand_written.iter().enumerate() {
            settings.with_replacement(
                placeholder_name(index),
                rust,
                std::iter::empty::<TypeSpaceImpl>(),
            );
        }
        settings
    }
}

fn is_required(field: &Field) -> bool {
    field.presence == Presence::Required
}

fn placeholder_name(index: usize) -> String {
    format!("HandWrittenPlaceholder{index}")
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/definitions/{name}") })
}

fn string_enum(set: &Enum) -> Value {
    let values: Vec<_> = set.values.iter().map(|value| value.ident.as_str()).collect();
    json!({ "type": "string", "enum": values })
}

/// typify recognises an adjacently tagged union when the wrappers stand inside it and require both properties.
fn tagged_union(union: &Union) -> Value {
    let wrapper = |variant: &crate::model::Variant| {
        json!({
            "type": "object",
            "properties": {
                &union.tag: { "type": "string", "enum": [variant.wire] },
                &union.content: reference(&variant.type_name),
            },
            "required": [union.tag, union.content],
        })
    };
    json!({ "oneOf": union.variants.iter().map(wrapper).collect::<Vec<_>>() })
}
