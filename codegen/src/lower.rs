//! Lowers the model to Rust types with typify. No other file uses typify.
//!
//! The model is written as a simple JSON Schema, and the types that typify generates for the fields are parsed into
//! [`RustType`]s. The names of the schema are not passed to typify: types are called `T0`, `T1` and so on, and fields
//! `f0`, `f1` and so on, in the order of the model. Names can therefore neither clash nor be changed.

use std::collections::{BTreeMap, BTreeSet};

use schemars::schema::RootSchema;
use serde_json::{Map, Value, json};
use typify::{TypeSpace, TypeSpaceSettings};

use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::model::{Enum, Field, Kind, Model, Object, Presence, Shape, Slot, Union};
use crate::rust_type::{Primitive, RustType};

/// The Rust types of the fields of all objects, by the name of the object, in the order of the fields.
#[derive(Debug, Default)]
pub(crate) struct Lowered {
    objects: BTreeMap<String, Vec<RustType>>,
}

impl Lowered {
    /// The fields of an object with their Rust types.
    pub(crate) fn fields<'a>(
        &'a self,
        name: &str,
        object: &'a Object,
    ) -> impl Iterator<Item = (&'a Field, &'a RustType)> + use<'a> {
        object.fields.iter().zip(self.objects.get(name).into_iter().flatten())
    }
}

/// Lowers a model.
///
/// # Errors
///
/// Returns a diagnostic if typify rejects the schema of the model, which `verify` should prevent.
pub(crate) fn lower(model: &Model) -> Result<Lowered, Diagnostic> {
    let mut plain = PlainSchema::new(model);
    let file = plain.typify(model).map_err(refused)?;
    let mut objects = BTreeMap::new();
    for item in &file.items {
        let syn::Item::Struct(item) = item else { continue };
        let Some(def) = index(&item.ident, "T").and_then(|index| model.types.get(index)) else {
            continue;
        };
        let mut fields = BTreeMap::new();
        for field in &item.fields {
            let position = field.ident.as_ref().and_then(|ident| index(ident, "f"));
            let ty = plain.parse(&field.ty).map_err(refused)?;
            fields.extend(position.map(|position| (position, without_boxes(ty))));
        }
        objects.insert(def.name.clone(), fields.into_values().collect());
    }
    box_cycles(model, &mut objects);
    check_complete(model, &objects)?;
    Ok(Lowered { objects })
}

fn refused(message: String) -> Diagnostic {
    Diagnostic::new(Code::Lowering, Origin::default(), message)
        .with_help("this is a defect of the generator: its normal form let something through that typify does not take")
}

/// Checks that typify generated a struct with the same fields for each object.
fn check_complete(
    model: &Model,
    objects: &BTreeMap<String, Vec<RustType>>,
) -> Result<(), Diagnostic> {
    for def in &model.types {
        let Kind::Object(object) = &def.kind else { continue };
        let found = objects.get(&def.name).map_or(0, Vec::len);
        if found != object.fields.len() {
            let message =
                format!("typify made {found} of {} fields for `{}`", object.fields.len(), def.name);
            return Err(refused(message));
        }
    }
    Ok(())
}

/// Returns the number in a name that was passed to typify.
fn index(ident: &syn::Ident, letter: &str) -> Option<usize> {
    ident.to_string().strip_prefix(letter)?.parse().ok()
}

/// Removes the boxes that typify adds at an arbitrary place of a cycle. [`box_cycles`] also considers bases.
fn without_boxes(ty: RustType) -> RustType {
    match ty {
        RustType::Box(inner) => without_boxes(*inner),
        RustType::Option(inner) => RustType::Option(Box::new(without_boxes(*inner))),
        RustType::Vec(inner) => RustType::Vec(Box::new(without_boxes(*inner))),
        RustType::Map(inner) => RustType::Map(Box::new(without_boxes(*inner))),
        other => other,
    }
}

/// Boxes each field whose type contains the object of the field.
fn box_cycles(model: &Model, objects: &mut BTreeMap<String, Vec<RustType>>) {
    let contained = Contained::new(model, objects);
    for (name, fields) in objects {
        for ty in fields {
            if ty.contained().is_some_and(|inner| contained.reaches(inner, name)) {
                *ty = ty.clone().boxed();
            }
        }
    }
}

/// Returns the types that each object contains without indirection, including its base.
struct Contained(BTreeMap<String, BTreeSet<String>>);

impl Contained {
    fn new(model: &Model, objects: &BTreeMap<String, Vec<RustType>>) -> Self {
        let mut contained = BTreeMap::<String, BTreeSet<String>>::new();
        for def in &model.types {
            let Kind::Object(object) = &def.kind else { continue };
            let fields = objects.get(&def.name).into_iter().flatten();
            let fields = fields.filter_map(|ty| ty.contained().map(str::to_owned));
            let base = object.base.iter().map(|base| base.type_name.clone());
            contained.insert(def.name.clone(), fields.chain(base).collect());
        }
        Self(contained)
    }

    fn reaches(&self, from: &str, target: &str) -> bool {
        let mut seen = BTreeSet::from([from]);
        let mut waiting = vec![from];
        while let Some(name) = waiting.pop() {
            if name == target {
                return true;
            }
            let next = self.0.get(name).into_iter().flatten();
            waiting.extend(next.map(String::as_str).filter(|name| seen.insert(name)));
        }
        false
    }
}

/// The JSON Schema of the model for typify.
struct PlainSchema {
    /// The model's types by their position.
    positions: BTreeMap<String, usize>,
    /// The types that follow those of the model, in Rust syntax.
    foreign: Vec<String>,
}

impl PlainSchema {
    fn new(model: &Model) -> Self {
        let names = model.types.iter().enumerate();
        let positions = names.map(|(position, def)| (def.name.clone(), position)).collect();
        Self { positions, foreign: Vec::new() }
    }

    /// Returns the items that typify generates from the model.
    fn typify(&mut self, model: &Model) -> Result<syn::File, String> {
        let mut definitions = Map::new();
        for (position, def) in model.types.iter().enumerate() {
            definitions.insert(type_name(position), self.definition(&def.kind));
        }
        for offset in 0..self.foreign.len() {
            let placeholder = type_name(self.positions.len() + offset);
            definitions.insert(placeholder, json!({ "type": "string" }));
        }
        let root: RootSchema = serde_json::from_value(json!({ "definitions": definitions }))
            .map_err(|error| error.to_string())?;
        let mut settings = TypeSpaceSettings::default();
        settings.with_map_type("::std::collections::BTreeMap");
        let mut types = TypeSpace::new(&settings);
        types.add_ref_types(root.definitions).map_err(|error| error.to_string())?;
        syn::parse2(types.to_stream()).map_err(|error| error.to_string())
    }

    fn definition(&mut self, kind: &Kind) -> Value {
        match kind {
            Kind::Object(object) => self.object(object),
            Kind::Enum(set) => string_enum(set),
            Kind::Union(union) => self.tagged_union(union),
        }
    }

    fn object(&mut self, object: &Object) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for (position, field) in object.fields.iter().enumerate() {
            let name = format!("f{position}");
            properties.insert(name.clone(), self.field(field));
            if field.presence == Presence::Required {
                required.push(name);
            }
        }
        // Without `additionalProperties`, typify treats an object without properties as a map.
        json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
    }

    /// Returns the schema of a field. An optional list or map is empty if absent. Any other value that may be absent is
    /// an `Option`.
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
            Shape::Ref(name) => self.named(name),
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

    /// Returns the schema of an element of a list or a map. A type that includes null needs no `Option`.
    fn element(&mut self, slot: &Slot) -> Value {
        let has_null = matches!(slot.shape, Shape::Any | Shape::Scalar | Shape::ScalarOrList);
        self.slot(&Slot { nullable: slot.nullable && !has_null, ..slot.clone() })
    }

    fn named(&self, name: &str) -> Value {
        reference(self.positions.get(name).copied().unwrap_or_default())
    }

    fn placeholder(&mut self, rust: &str) -> Value {
        let known = self.foreign.iter().position(|name| name == rust);
        let offset = known.unwrap_or_else(|| {
            self.foreign.push(rust.to_owned());
            self.foreign.len() - 1
        });
        reference(self.positions.len() + offset)
    }

    /// Returns the schema of a union. typify recognises an adjacently tagged union if the wrappers are written in place
    /// and require both properties.
    fn tagged_union(&self, union: &Union) -> Value {
        let wrappers = union.variants.iter().enumerate().map(|(position, variant)| {
            let tag = json!({ "type": "string", "enum": [format!("v{position}")] });
            let properties = json!({ "tag": tag, "content": self.named(&variant.type_name) });
            json!({ "type": "object", "properties": properties, "required": ["tag", "content"] })
        });
        json!({ "oneOf": wrappers.collect::<Vec<_>>() })
    }

    /// Reads a type that typify generated.
    fn parse(&self, ty: &syn::Type) -> Result<RustType, String> {
        parse(ty, &|name| {
            let position = index(name, "T")?;
            let own = self.positions.iter().find(|(_, found)| **found == position);
            let foreign = || self.foreign.get(position.checked_sub(self.positions.len())?);
            match own {
                Some((name, _)) => Some(RustType::Named(name.clone())),
                None => foreign().and_then(|rust| self.parse_foreign(rust).ok()),
            }
        })
    }

    /// Reads a type from the overrides.
    fn parse_foreign(&self, rust: &str) -> Result<RustType, String> {
        let ty = syn::parse_str(rust).map_err(|error| error.to_string())?;
        parse(&ty, &|name| {
            let name = name.to_string();
            self.positions.contains_key(&name).then_some(RustType::Named(name))
        })
    }
}

fn type_name(position: usize) -> String {
    format!("T{position}")
}

fn reference(position: usize) -> Value {
    json!({ "$ref": format!("#/definitions/{}", type_name(position)) })
}

fn string_enum(set: &Enum) -> Value {
    let values: Vec<_> = (0..set.values.len()).map(|position| format!("v{position}")).collect();
    json!({ "type": "string", "enum": values })
}

/// Reads the tokens of a type. `named` resolves the names of other types.
fn parse(
    ty: &syn::Type,
    named: &impl Fn(&syn::Ident) -> Option<RustType>,
) -> Result<RustType, String> {
    let syn::Type::Path(path) = ty else { return Err("a type is no path".to_owned()) };
    let Some(last) = path.path.segments.last() else { return Err("a type is empty".to_owned()) };
    let mut arguments = Vec::new();
    if let syn::PathArguments::AngleBracketed(found) = &last.arguments {
        for argument in &found.args {
            if let syn::GenericArgument::Type(ty) = argument {
                arguments.push(parse(ty, named)?);
            }
        }
    }
    if let Some(known) = named(&last.ident) {
        return Ok(known);
    }
    let name = last.ident.to_string();
    Ok(match (name.as_str(), arguments.as_slice()) {
        ("Option", [inner]) => RustType::Option(Box::new(inner.clone())),
        ("Vec", [item]) => RustType::Vec(Box::new(item.clone())),
        ("BTreeMap", [_, value]) => RustType::Map(Box::new(value.clone())),
        ("Box", [inner]) => RustType::Box(Box::new(inner.clone())),
        ("bool", []) => RustType::Primitive(Primitive::Bool),
        ("i64", []) => RustType::Primitive(Primitive::I64),
        ("u64", []) => RustType::Primitive(Primitive::U64),
        ("f64", []) => RustType::Primitive(Primitive::F64),
        ("String", []) => RustType::Primitive(Primitive::String),
        ("Value", []) => RustType::Json,
        ("Scalar", []) => RustType::Scalar,
        ("AttributeValue", []) => RustType::AttributeValue,
        _ => RustType::Support(name, arguments),
    })
}
