//! Emits the conversions between a union and the types of its contents.

use std::collections::BTreeMap;

use heck::ToSnakeCase as _;
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::docs::{blank_line, docs};

/// A variant and the type of its content.
pub(crate) type VariantTypes<'a> = (&'a Ident, &'a Ident);

/// Emits methods such as `as_session_start(&self)` for each variant whose method name is unique.
pub(crate) fn accessors(variants: &[VariantTypes<'_>], taken: &[&Ident]) -> TokenStream {
    let name = |variant: &Ident| format_ident!("as_{}", variant.to_string().to_snake_case());
    let mut uses = BTreeMap::<_, usize>::new();
    for (variant, _) in variants {
        *uses.entry(name(variant)).or_default() += 1;
    }
    let methods = variants.iter().filter_map(|(variant, ty)| {
        let name = name(variant);
        if uses.get(&name) != Some(&1) || taken.contains(&&name) {
            return None;
        }
        let docs = docs(&[format!("Returns the [`{ty}`], or `None` for any other variant.")]);
        Some(quote! {
            #docs
            #[inline]
            #[must_use]
            pub fn #name(&self) -> Option<&#ty> {
                match self {
                    Self::#variant(content) => Some(content),
                    _ => None,
                }
            }
        })
    });
    methods.collect()
}

/// Emits `From` and `TryFrom` for each type that is the content of a single variant.
pub(crate) fn conversions(union: &Ident, variants: &[VariantTypes<'_>]) -> TokenStream {
    let mut uses = BTreeMap::<_, usize>::new();
    for (_, ty) in variants {
        *uses.entry(ty).or_default() += 1;
    }
    let single = variants.iter().filter(|(_, ty)| uses.get(ty) == Some(&1));
    single.map(|(variant, ty)| conversion(union, variant, ty)).collect()
}

fn conversion(union: &Ident, variant: &Ident, ty: &Ident) -> TokenStream {
    let blank = blank_line();
    let docs = docs(&["Returns the unchanged value as the error if it is another variant."]);
    quote! {
        #blank
        impl From<#ty> for #union {
            #[inline]
            fn from(content: #ty) -> Self {
                Self::#variant(Box::new(content))
            }
        }

        #docs
        impl TryFrom<#union> for #ty {
            type Error = #union;

            #blank
            #[inline]
            fn try_from(value: #union) -> Result<Self, #union> {
                match value {
                    #union::#variant(content) => Ok(*content),
                    other => Err(other),
                }
            }
        }
    }
}
