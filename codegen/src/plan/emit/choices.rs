//! Emits the enum of a field whose values the plan lists.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::super::model::{Enum, Field, Record, Type};
use super::super::rules::code;
use super::{apart, ident, values, words};
use crate::emit::docs;

/// The enum of a field, if it has one.
pub(super) fn choices(record: &Record, field: &Field) -> Option<TokenStream> {
    match &field.ty {
        Type::Enum(set) => Some(items(record, field, set)),
        Type::List(element, _) => match &**element {
            Type::Enum(set) => Some(items(record, field, set)),
            _ => None,
        },
        _ => None,
    }
}

fn items(record: &Record, field: &Field, set: &Enum) -> TokenStream {
    let name = ident(&set.name);
    let enum_docs =
        docs(&[format!("The values of {} of {}.", code(&field.wire), words::link(&record.name))]);
    let all: Vec<_> = set.values.iter().map(|value| ident(&value.name)).collect();
    let variants = set.values.iter().zip(&all).map(|(value, name)| {
        let docs = docs(&[format!("The value {}.", code(&value.text()))]);
        quote!(#docs #name)
    });
    let texts: Vec<_> = set.values.iter().map(super::super::model::Variant::text).collect();
    let mut seen = BTreeSet::new();
    // A number and a text may look alike. The first of the two has the text.
    let parsed = texts.iter().zip(&all).filter(|(text, _)| seen.insert(text.as_str()));
    let parsed =
        parsed.map(|(text, name)| quote!(#text => ::core::result::Result::Ok(Self::#name)));
    let scalar = scalar(set, &all);
    let all_docs = docs(&["All values, in the order of the data plan."]);
    let as_str_docs = docs(&["Returns the value as text."]);
    let text_name = &set.name;
    quote! {
        #enum_docs
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum #name {
            #(#variants,)*
        }

        #[blank_line]
        impl #name {
            #all_docs
            pub const ALL: &'static [Self] = &[#(Self::#all),*];

            #as_str_docs
            #[must_use]
            pub fn as_str(&self) -> &'static str {
                match self {
                    #(Self::#all => #texts,)*
                }
            }

            #scalar
        }

        #[blank_line]
        impl ::core::str::FromStr for #name {
            type Err = super::UnknownValue;

            #[blank_line]
            fn from_str(text: &str) -> ::core::result::Result<Self, super::UnknownValue> {
                match text {
                    #(#parsed,)*
                    _ => ::core::result::Result::Err(super::UnknownValue { of: #text_name }),
                }
            }
        }
    }
}

/// The method that returns the value that is written, if not all values are texts.
fn scalar(set: &Enum, all: &[Ident]) -> Option<TokenStream> {
    if set.is_text() {
        return None;
    }
    let arms = set.values.iter().zip(all).map(|(value, variant)| {
        let value = match &value.value {
            serde_json::Value::String(text) => quote!(#text),
            other => values::number(other),
        };
        quote!(Self::#variant => ::mparticle_models::Scalar::from(#value))
    });
    Some(apart(&quote! {
        fn scalar(self) -> ::mparticle_models::Scalar {
            match self {
                #(#arms,)*
            }
        }
    }))
}

/// The error of reading a value from text.
pub(super) fn error() -> TokenStream {
    let attributes = super::attributes();
    let docs = docs(&["The error for a text that is not a value of an enum of the data plan."]);
    quote! {
        #docs
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #attributes
        pub struct UnknownValue {
            of: &'static str,
        }

        #[blank_line]
        #[rustfmt::skip]
        impl ::core::fmt::Display for UnknownValue {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::write!(f, "the text is not a value of `{}`", self.of)
            }
        }

        #[blank_line]
        #[rustfmt::skip]
        impl ::core::error::Error for UnknownValue {}
    }
}
