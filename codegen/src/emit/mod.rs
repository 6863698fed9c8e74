//! Emits the Rust items of each type; one file per shape.
//!
//! Every emitter ends in one `quote!` that shows the finished item. What an item needs from elsewhere is noted
//! in its `Scope`, from which the layout makes the module's `use` lines.

mod bounds;
mod docs;
mod document;
mod names;
mod object;
mod optional_setters;
mod parameter;
mod scope;
mod setters;
mod shape;
mod string_enum;
mod union;
mod validate;
mod variant_access;

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenStream;

use crate::lower::Lowered;
use crate::model::{Kind, Model, Object, TypeDef};

pub(crate) use docs::{blank_line, docs, inner_docs};
pub(crate) use scope::Scope;
pub(crate) use scope::Use;

/// The items of one module and what they use.
#[derive(Debug, Default)]
pub(crate) struct Emitted {
    /// The items, in the order of the model.
    pub(crate) items: TokenStream,
    /// What the items use from elsewhere.
    pub(crate) uses: Vec<Use>,
}

/// Emits the types of a module; nothing when it has none.
pub(crate) fn emit(context: &Context<'_>, model: &Model, module: &str) -> Option<Emitted> {
    let mut scope = Scope::new(context, module);
    let mut types = model.types.iter().filter(|def| def.module == module).peekable();
    types.peek()?;
    for def in types {
        let items = match &def.kind {
            Kind::Object(object) => object::object(context, def, object, &mut scope),
            Kind::Enum(set) => string_enum::string_enum(def, set, &mut scope),
            Kind::Union(union) => union::union(context, def, union, &mut scope),
        };
        scope.push(items);
    }
    Some(scope.finish())
}

/// What every emitter may look up.
pub(crate) struct Context<'a> {
    types: BTreeMap<&'a str, &'a TypeDef>,
    lowered: &'a Lowered,
    /// The types that stand in a field or a union, or are documents of their own.
    used_alone: BTreeSet<String>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(model: &'a Model, lowered: &'a Lowered) -> Self {
        let types = model.types.iter().map(|def| (def.name.as_str(), def)).collect();
        Self { types, lowered, used_alone: used_alone(model, lowered) }
    }

    fn find(&self, name: &str) -> Option<&'a TypeDef> {
        self.types.get(name).copied()
    }

    fn object(&self, name: &str) -> Option<&'a Object> {
        match &self.find(name)?.kind {
            Kind::Object(object) => Some(object),
            Kind::Enum(_) | Kind::Union(_) => None,
        }
    }

    /// Whether an object keeps unknown fields itself: unless it only occurs flattened into others, or its base keeps
    /// them. What is flattened sees all that the outer object does not know, so one of the two keeps it.
    fn keeps_unknown(&self, name: &str, object: &Object) -> bool {
        let base = object.base.as_ref();
        let base_keeps = base.is_some_and(|base| self.used_alone.contains(&base.type_name));
        !base_keeps && (!self.is_base(name) || self.used_alone.contains(name))
    }

    /// Whether a type is flattened into others.
    fn is_base(&self, name: &str) -> bool {
        self.types.values().any(|def| match &def.kind {
            Kind::Object(object) => object.base.as_ref().is_some_and(|base| base.type_name == name),
            Kind::Enum(_) | Kind::Union(_) => false,
        })
    }

    /// Whether a type is the content of a variant of some union, and so carries its envelope's fields.
    fn is_union_content(&self, name: &str) -> bool {
        self.types.values().any(|def| match &def.kind {
            Kind::Union(union) => union.variants.iter().any(|variant| variant.type_name == name),
            Kind::Object(_) | Kind::Enum(_) => false,
        })
    }
}

fn used_alone(model: &Model, lowered: &Lowered) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for def in &model.types {
        match &def.kind {
            Kind::Object(object) => {
                for (_, ty) in lowered.fields(&def.name, object) {
                    used.extend(ty.names().into_iter().map(str::to_owned));
                }
                used.extend(object.records.iter().map(|records| records.type_name.clone()));
                used.extend(object.entry.then(|| def.name.clone()));
            }
            Kind::Union(union) => {
                used.extend(union.variants.iter().map(|variant| variant.type_name.clone()));
            }
            Kind::Enum(_) => {}
        }
    }
    used
}
