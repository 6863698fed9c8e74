//! Emits the Rust items of each type; one file per shape.
//!
//! Every emitter ends in one `quote!` that shows the finished item. What an item needs from elsewhere is noted
//! in its `Scope`, from which the layout makes the module's `use` lines.

mod docs;
mod object;
mod scope;
mod setters;
mod shape;
mod string_enum;
mod union;
mod validate;
mod variant_access;

use std::collections::BTreeMap;

use proc_macro2::TokenStream;

use crate::diagnostic::Diagnostic;
use crate::lower::Lowered;
use crate::model::{Kind, Model, Object, TypeDef};

pub(crate) use docs::inner_docs;
pub(crate) use scope::Scope;
pub use scope::Use;

/// The items of one module and what they use.
#[derive(Debug, Default)]
pub struct Emitted {
    /// The items, in the order of the model.
    pub items: TokenStream,
    /// What the items use from elsewhere.
    pub uses: Vec<Use>,
}

/// Emits every type, by module.
///
/// # Errors
///
/// Every diagnostic of every type that could not be emitted.
pub fn emit(
    model: &Model,
    lowered: &Lowered,
) -> Result<BTreeMap<String, Emitted>, Vec<Diagnostic>> {
    let context = Context::new(model, lowered);
    let mut modules = BTreeMap::<String, Scope<'_>>::new();
    let mut diagnostics = Vec::new();
    for def in &model.types {
        let scope =
            modules.entry(def.module.clone()).or_insert_with(|| Scope::new(&context, &def.module));
        let emitted = match &def.kind {
            Kind::Object(object) => object::object(&context, def, object, scope),
            Kind::Enum(set) => Ok(string_enum::string_enum(def, set, scope)),
            Kind::Union(union) => Ok(union::union(&context, def, union, scope)),
        };
        match emitted {
            Ok(items) => scope.push(items),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    Ok(modules.into_iter().map(|(name, scope)| (name, scope.finish())).collect())
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
