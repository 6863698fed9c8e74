//! What a module's items use from other modules, collected while they are emitted.

use std::collections::BTreeSet;

use heck::ToSnakeCase as _;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};

use super::{Context, Emitted};

/// One imported name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Use {
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

    /// Notes names of `crate::support`.
    pub(crate) fn support(&mut self, names: &[&str]) {
        self.uses.extend(names.iter().map(|&name| Use::Support(name.to_owned())));
    }

    /// Notes a name of the standard library.
    pub(crate) fn std(&mut self, module: &'static str, name: &'static str) {
        self.uses.insert(Use::Std(module, name));
    }

    /// Notes a name of `serde_json`.
    pub(crate) fn serde_json(&mut self, name: &'static str) {
        self.uses.insert(Use::SerdeJson(name));
    }

    /// Notes names of serde.
    pub(crate) fn serde(&mut self, names: &[&'static str]) {
        self.uses.extend(names.iter().map(|&name| Use::Serde(name)));
    }

    /// The identifier of a generated type, noted when it belongs to another module.
    pub(crate) fn generated(&mut self, name: &str) -> Ident {
        self.note_type(name);
        ident(name)
    }

    /// A type as typify names it, in its short form: `Option<String>` for `::std::option::Option<::std::string::String>`.
    pub(crate) fn shorten(&mut self, ty: &syn::Type) -> TokenStream {
        let syn::Type::Path(path) = ty else {
            return ty.to_token_stream();
        };
        let Some(last) = path.path.segments.last() else {
            return ty.to_token_stream();
        };
        let name = last.ident.clone();
        self.note_type(&name.to_string());
        let arguments: Vec<_> =
            type_arguments(last).map(|argument| self.shorten(argument)).collect();
        if arguments.is_empty() { quote!(#name) } else { quote!(#name<#(#arguments),*>) }
    }

    fn note_type(&mut self, name: &str) {
        match (name, self.context.find(name)) {
            ("Option" | "Vec" | "String" | "Box" | "bool" | "i64" | "u64" | "f64", None) => {}
            ("BTreeMap", None) => self.std("collections", "BTreeMap"),
            ("Value", None) => self.serde_json("Value"),
            (_, Some(def)) if def.module == self.module => {}
            (_, Some(def)) => {
                self.uses.extend([Use::Generated(def.module.clone(), def.name.clone())]);
            }
            (_, None) => self.support(&[name]),
        }
    }
}

/// The type arguments of a path's segment.
pub(crate) fn type_arguments(segment: &syn::PathSegment) -> impl Iterator<Item = &syn::Type> {
    let arguments = match &segment.arguments {
        syn::PathArguments::AngleBracketed(arguments) => Some(&arguments.args),
        _ => None,
    };
    arguments.into_iter().flatten().filter_map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// The name of a type's outermost constructor (`Option` of `Option<String>`) and its type arguments.
pub(crate) fn outer(ty: &syn::Type) -> (String, Vec<&syn::Type>) {
    let syn::Type::Path(path) = ty else {
        return (String::new(), Vec::new());
    };
    path.path.segments.last().map_or_else(
        || (String::new(), Vec::new()),
        |last| (last.ident.to_string(), type_arguments(last).collect()),
    )
}

/// An identifier of the model as a token.
pub(crate) fn ident(name: &str) -> Ident {
    Ident::new(name, Span::call_site())
}

/// An identifier for a wire name that the model does not name itself.
pub(crate) fn wire_ident(wire: &str) -> Ident {
    let snake = wire.to_snake_case();
    let parsed =
        [snake.clone(), format!("{snake}_")].iter().find_map(|name| syn::parse_str(name).ok());
    parsed.unwrap_or_else(|| ident("field"))
}
