//! The imports of a module, which are collected while its items are emitted.

use std::collections::BTreeSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use super::{Context, Emitted};
use crate::rust_type::RustType;

/// One imported name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Use {
    /// From the standard library: module path and name.
    Std(&'static str, &'static str),
    /// From serde.
    Serde(&'static str),
    /// From `serde_json`.
    SerdeJson(&'static str),
    /// From the hand-written support.
    Support(String),
    /// A type of another generated module: module and name.
    Generated(String, String),
}

/// The items of a module under construction.
pub(crate) struct Scope<'a> {
    context: &'a Context<'a>,
    module: String,
    items: TokenStream,
    uses: BTreeSet<Use>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(context: &'a Context<'a>, module: &str) -> Self {
        Self {
            context,
            module: module.to_owned(),
            items: TokenStream::new(),
            uses: BTreeSet::new(),
        }
    }

    pub(crate) fn push(&mut self, items: TokenStream) {
        self.items.extend(items);
    }

    pub(crate) fn finish(self) -> Emitted {
        Emitted { items: self.items, uses: self.uses.into_iter().collect() }
    }

    /// Records names of `crate::support`.
    pub(crate) fn support(&mut self, names: &[&str]) {
        self.uses.extend(names.iter().map(|&name| Use::Support(name.to_owned())));
    }

    /// Records a name of the standard library.
    pub(crate) fn std(&mut self, module: &'static str, name: &'static str) {
        self.uses.insert(Use::Std(module, name));
    }

    /// Records a name of `serde_json`.
    pub(crate) fn serde_json(&mut self, name: &'static str) {
        self.uses.insert(Use::SerdeJson(name));
    }

    /// Records names of serde.
    pub(crate) fn serde(&mut self, names: &[&'static str]) {
        self.uses.extend(names.iter().map(|&name| Use::Serde(name)));
    }

    /// Returns the identifier of a generated type. Records it if the type belongs to another module.
    pub(crate) fn generated(&mut self, name: &str) -> Ident {
        if let Some(def) = self.context.find(name).filter(|def| def.module != self.module) {
            self.uses.insert(Use::Generated(def.module.clone(), def.name.clone()));
        }
        ident(name)
    }

    /// Returns a type in Rust syntax. Records its imports.
    pub(crate) fn ty(&mut self, ty: &RustType) -> TokenStream {
        match ty {
            RustType::Option(inner) => self.applied("Option", [inner.as_ref()]),
            RustType::Vec(item) => self.applied("Vec", [item.as_ref()]),
            RustType::Box(inner) => self.applied("Box", [inner.as_ref()]),
            RustType::Map(value) => {
                self.std("collections", "BTreeMap");
                let value = self.ty(value);
                quote!(BTreeMap<String, #value>)
            }
            RustType::Primitive(primitive) => {
                let name = ident(primitive.name());
                quote!(#name)
            }
            RustType::Json => {
                self.serde_json("Value");
                quote!(Value)
            }
            RustType::Named(name) => {
                let name = self.generated(name);
                quote!(#name)
            }
            RustType::Scalar => self.supported("Scalar", &[]),
            RustType::AttributeValue => self.supported("AttributeValue", &[]),
            RustType::Support(name, arguments) => self.supported(name, arguments),
        }
    }

    fn supported(&mut self, name: &str, arguments: &[RustType]) -> TokenStream {
        self.support(&[name]);
        self.applied(name, arguments)
    }

    /// Returns a type with its arguments.
    fn applied<'t>(
        &mut self,
        name: &str,
        arguments: impl IntoIterator<Item = &'t RustType>,
    ) -> TokenStream {
        let name = ident(name);
        let arguments: Vec<_> = arguments.into_iter().map(|argument| self.ty(argument)).collect();
        if arguments.is_empty() { quote!(#name) } else { quote!(#name<#(#arguments),*>) }
    }
}

/// Returns an identifier of the model as a token.
pub(crate) fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

/// Returns a field in a pattern or an expression, with the variable for its value.
///
/// The names of variables do not come from the schema, because a field may be called `serializer`.
pub(crate) fn binding(field: &Ident, variable: &str) -> TokenStream {
    let variable = ident(variable);
    if *field == variable { quote!(#variable) } else { quote!(#field: #variable) }
}
