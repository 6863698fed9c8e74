//! Emits the Rust items of each type, with one file per shape.
//!
//! Every emitter ends with a `quote!` that shows the complete item. The imports of an item are recorded in its `Scope`,
//! from which the layout generates the `use` lines of the module.

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

/// The items of a module and their imports.
#[derive(Debug, Default)]
pub(crate) struct Emitted {
    /// The items, in the order of the model.
    pub(crate) items: TokenStream,
    /// The imports of the items.
    pub(crate) uses: Vec<Use>,
}

/// Emits the types of a module. Returns `None` if it has no types.
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

/// The context of all emitters.
pub(crate) struct Context<'a> {
    types: BTreeMap<&'a str, &'a TypeDef>,
    lowered: &'a Lowered,
    /// The types that are used in a field or a union, or are documents.
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

    /// Whether an object itself keeps unknown fields. It does not if it is only flattened into others, or if its base
    /// keeps them. A flattened object receives all fields that the outer object does not know. Only one of the two may
    /// keep them.
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

    /// Whether a type is the content of a variant of a union. It then also contains the other fields of the union's
    /// object.
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
