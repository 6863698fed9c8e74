//! Emits the Rust items of each type; one file per shape.
//!
//! Every emitter ends in one `quote!` that shows the finished item. What an item needs from elsewhere is noted
//! in its `Scope`, from which the layout makes the module's `use` lines.

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

use std::collections::BTreeMap;

use proc_macro2::TokenStream;

use crate::lower::Lowered;
use crate::model::{Kind, Model, Object, TypeDef};

pub(crate) use docs::inner_docs;
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

/// Emits every type, by module.
pub(crate) fn emit(model: &Model, lowered: &Lowered) -> BTreeMap<String, Emitted> {
    let context = Context::new(model, lowered);
    let mut modules = BTreeMap::<String, Scope<'_>>::new();
    for def in &model.types {
        let scope =
            modules.entry(def.module.clone()).or_insert_with(|| Scope::new(&context, &def.module));
        let items = match &def.kind {
            Kind::Object(object) => object::object(&context, def, object, scope),
            Kind::Enum(set) => string_enum::string_enum(def, set, scope),
            Kind::Union(union) => union::union(&context, def, union, scope),
        };
        scope.push(items);
    }
    modules.into_iter().map(|(name, scope)| (name, scope.finish())).collect()
}

/// What every emitter may look up.
pub(crate) struct Context<'a> {
    types: BTreeMap<&'a str, &'a TypeDef>,
    lowered: &'a Lowered,
}

impl<'a> Context<'a> {
    fn new(model: &'a Model, lowered: &'a Lowered) -> Self {
        Self { types: model.types.iter().map(|def| (def.name.as_str(), def)).collect(), lowered }
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

    /// Whether a type is flattened into others; then what it does not know belongs to them.
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
