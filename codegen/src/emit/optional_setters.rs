//! Emits the setters for values that may be absent, and for attributes whose types are known only at run time.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::docs::docs;
use super::parameter::{conversion, is_converted_by_into, is_exact, is_optional_text, parameter};
use super::scope::{Scope, ident};
use super::setters::Target;
use crate::model::Field;
use crate::names::in_method;
use crate::rust_type::RustType;

/// Emits `set_price(Option)`, which sets the field or clears it.
pub(crate) fn optional_setter(
    target: &Target<'_>,
    field: &Field,
    ty: &RustType,
    scope: &mut Scope<'_>,
) -> TokenStream {
    let RustType::Option(inner) = ty else { return TokenStream::new() };
    let (path, link, name) = (&target.path, target.link(field), ident(&field.ident));
    let setter = format_ident!("set_{}", in_method(&field.ident));
    let text = format!("Sets {link}, or clears it if the argument is `None`.");
    let docs = docs(&[text]);
    let parameter = parameter(inner, scope);
    let value = if is_exact(inner) {
        quote!(#name)
    } else if is_converted_by_into(inner) {
        quote!(#name.map(Into::into))
    } else {
        let value = conversion(inner, &quote!(value));
        quote!(#name.map(|value| #value))
    };
    let inline = is_exact(inner).then(|| quote!(#[inline]));
    quote! {
        #docs
        #inline
        #[must_use]
        pub fn #setter(mut self, #name: Option<#parameter>) -> Self {
            #path.#name = #value;
            self
        }
    }
}

/// Emits `try_with_custom_attributes(json)`, which sets a map of attributes from JSON.
pub(crate) fn fallible_setter(
    target: &Target<'_>,
    field: &Field,
    ty: &RustType,
    scope: &mut Scope<'_>,
) -> TokenStream {
    let RustType::Map(item) = ty else { return TokenStream::new() };
    let Some(value) = attribute(item) else { return TokenStream::new() };
    scope.support(&["AttributeError", "try_attributes", value]);
    scope.serde_json("Value");
    let (path, link) = (&target.path, target.link(field));
    let (name, value) = (ident(&field.ident), ident(value));
    let setter = format_ident!("try_with_{}", in_method(&field.ident));
    let docs = docs(&[
        format!("Sets {link} from JSON values."),
        "# Errors".to_owned(),
        "Returns an error if a value cannot be the value of an attribute. The error contains the name of the attribute.".to_owned(),
    ]);
    quote! {
        #docs
        pub fn #setter(
            mut self,
            #name: impl IntoIterator<Item = (impl Into<String>, Value)>,
        ) -> Result<Self, AttributeError> {
            #path.#name = try_attributes::<#value, _>(#name)?;
            Ok(self)
        }
    }
}

/// The type of `crate::support` into which the JSON of an attribute is converted.
fn attribute(ty: &RustType) -> Option<&'static str> {
    match ty {
        RustType::Scalar => Some("Scalar"),
        RustType::AttributeValue => Some("AttributeValue"),
        _ => is_optional_text(ty).then_some("TextValue"),
    }
}
