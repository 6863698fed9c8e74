//! The parameter types of constructors and setters, and the conversions of arguments.

use proc_macro2::TokenStream;
use quote::quote;

use super::scope::Scope;
use crate::rust_type::{Primitive, RustType};

/// Returns the type of a parameter for a value of a type.
///
/// Integers are not converted: with `impl Into<i64>`, a literal would be an `i32` and might not fit.
pub(crate) fn parameter(ty: &RustType, scope: &mut Scope<'_>) -> TokenStream {
    match ty {
        RustType::Vec(item) => {
            let item = parameter(item, scope);
            quote!(impl IntoIterator<Item = #item>)
        }
        RustType::Map(item) => {
            let item = parameter(item, scope);
            quote!(impl IntoIterator<Item = (impl Into<String>, #item)>)
        }
        RustType::Primitive(Primitive::F64) => {
            scope.support(&["Number"]);
            quote!(impl Into<Number>)
        }
        _ if is_optional_text(ty) => {
            scope.support(&["TextValue"]);
            quote!(impl Into<TextValue>)
        }
        _ if is_exact(ty) => scope.ty(ty),
        _ => {
            let ty = scope.ty(ty);
            quote!(impl Into<#ty>)
        }
    }
}

/// Returns the conversion of an argument into a value of the type.
pub(crate) fn conversion(ty: &RustType, argument: &TokenStream) -> TokenStream {
    match ty {
        RustType::Vec(item) if is_exact(item) => quote!(#argument.into_iter().collect()),
        RustType::Vec(item) if is_converted_by_into(item) => {
            quote!(#argument.into_iter().map(Into::into).collect())
        }
        RustType::Vec(item) => {
            let item = conversion(item, &quote!(item));
            quote!(#argument.into_iter().map(|item| #item).collect())
        }
        RustType::Map(item) => {
            let item = conversion(item, &quote!(value));
            quote!(#argument.into_iter().map(|(name, value)| (name.into(), #item)).collect())
        }
        RustType::Primitive(Primitive::F64) => quote!(#argument.into().as_f64()),
        _ if is_optional_text(ty) => quote!(Into::<TextValue>::into(#argument).into()),
        _ if is_exact(ty) => quote!(#argument),
        _ => quote!(#argument.into()),
    }
}

/// Whether a call of `into` converts an argument into the type.
pub(crate) fn is_converted_by_into(ty: &RustType) -> bool {
    let is_collection = matches!(ty, RustType::Vec(_) | RustType::Map(_));
    let is_number = matches!(ty, RustType::Primitive(Primitive::F64));
    !is_collection && !is_number && !is_exact(ty) && !is_optional_text(ty)
}

/// Whether the type of an element of a list or a map is text or null.
pub(crate) fn is_optional_text(ty: &RustType) -> bool {
    matches!(ty.without_option(), RustType::Primitive(Primitive::String)) && ty.is_option()
}

/// Whether an argument must have the type itself.
pub(crate) fn is_exact(ty: &RustType) -> bool {
    matches!(ty, RustType::Primitive(Primitive::Bool | Primitive::I64 | Primitive::U64))
}
