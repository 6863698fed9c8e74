//! Emits an iterator over an object whose fields are texts, such as the identities of a user.

use proc_macro2::TokenStream;
use quote::quote;

use super::docs::docs;
use super::parameter::is_optional_text;
use super::scope::ident;
use super::shape::ObjectShape;

/// Emits `iter` for an object that may be read from records and therefore has one text for each name.
pub(crate) fn iter_method(shape: &ObjectShape<'_>) -> TokenStream {
    let is_text = shape.fields.iter().all(|(_, ty)| is_optional_text(ty));
    if shape.object.records.is_none() || !is_text || !shape.has_extra {
        return TokenStream::new();
    }
    let entries = shape.fields.iter().map(|(field, _)| {
        let (name, wire) = (ident(&field.ident), &field.wire);
        quote!((#wire, self.#name.as_deref()))
    });
    let docs = docs(&[
        "Iterates over the names and the values that are set, in the order of the schema. Unknown names come last.",
    ]);
    quote! {
        #docs
        #[inline]
        pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
            let known = [#(#entries),*].into_iter().filter_map(|(name, value)| Some((name, value?)));
            let unknown = self.extra.iter();
            known.chain(unknown.filter_map(|(name, value)| Some((name.as_str(), value.as_str()?))))
        }
    }
}
