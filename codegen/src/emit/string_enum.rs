//! Emits a string enum: its known values and one variant for any other text.

use proc_macro2::TokenStream;
use quote::quote;

use super::docs::{blank_line, docs, type_docs};
use super::scope::{Scope, ident};
use crate::model::{Enum, EnumValue, TypeDef};

/// Emits the enum, its spellings, and the implementations that `open_enum!` derives from them.
pub(crate) fn string_enum(def: &TypeDef, set: &Enum, scope: &mut Scope<'_>) -> TokenStream {
    scope.support(&["OpenEnum", "open_enum"]);
    let name = ident(&def.name);
    let type_docs = type_docs(def, &[openness(set)]);
    let variants = set.values.iter().map(variant);
    let unknown_docs = docs(&["A value that this version does not know, as it was read."]);
    let spellings = set.values.iter().map(|value| {
        let (variant, wire) = (ident(&value.ident), &value.wire);
        quote!((#wire, Self::#variant))
    });
    let aliases = set.values.iter().flat_map(|value| {
        let variant = ident(&value.ident);
        value.aliases.iter().map(move |alias| quote!((#alias, Self::#variant)))
    });
    let arms = set.values.iter().map(|value| {
        let (variant, wire) = (ident(&value.ident), &value.wire);
        quote!(Self::#variant => #wire)
    });
    let known = set.values.iter().map(|value| ident(&value.ident));
    let blank = blank_line();
    let all_docs = docs(&["The values that this version knows, in the order of the schema."]);
    let as_str_docs = docs(&["Returns the spelling in JSON."]);
    let is_known_docs = docs(&["Returns whether this version knows the value."]);
    quote! {
        #type_docs
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum #name {
            #(#variants,)*
            #unknown_docs
            UnknownValue(String),
        }

        #blank
        impl #name {
            #all_docs
            pub const ALL: &'static [Self] = &[#(Self::#known),*];

            #as_str_docs
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    #(#arms,)*
                    Self::UnknownValue(text) => text,
                }
            }

            #is_known_docs
            #[must_use]
            pub fn is_known(&self) -> bool {
                !matches!(self, Self::UnknownValue(_))
            }
        }

        #blank
        impl OpenEnum for #name {
            const KNOWN: &'static [(&'static str, Self)] = &[#(#spellings,)* #(#aliases,)*];

            #blank
            fn as_str(&self) -> &str {
                self.as_str()
            }

            #blank
            fn unknown(text: String) -> Self {
                Self::UnknownValue(text)
            }
        }

        #blank
        open_enum!(#name);
    }
}

fn openness(set: &Enum) -> &'static str {
    if set.closed {
        "mParticle accepts no other values. `validate()` reports an unknown value."
    } else {
        "Other values occur as well. They are kept as [`UnknownValue`](Self::UnknownValue)."
    }
}

fn variant(value: &EnumValue) -> TokenStream {
    let name = ident(&value.ident);
    let description =
        value.description.clone().unwrap_or_else(|| format!("The value `{}`.", value.wire));
    let docs = docs(&[description]);
    quote!(#docs #name)
}
