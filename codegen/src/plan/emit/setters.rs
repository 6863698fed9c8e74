//! Emits the setters of a record.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::super::model::{Field, Holder, Items, Record, Role, Target, Type};
use super::super::standard::Standard;
use super::{ident, values, words};
use crate::emit::docs;

/// The setter of an optional field.
pub(super) fn setter(field: &Field, record: &Record, part: Option<&Record>) -> TokenStream {
    let docs = docs(&words::setter(field));
    let name = method(&field.name);
    let assignment = values::assignment(field, record, &ident("self"));
    let parameter = (!matches!(field.ty, Type::Tag)).then(|| {
        let ty = values::parameter(field, record, part);
        quote!(value: #ty)
    });
    quote! {
        #docs
        pub fn #name(mut self, #parameter) -> Self {
            #assignment
            self
        }
    }
}

/// The name of the method that sets a field.
pub(super) fn method(name: &str) -> Ident {
    ident(&format!("with_{name}"))
}

/// The setter of attributes that the plan does not list.
pub(super) fn extra(record: &Record) -> Option<TokenStream> {
    if !record.is_open {
        return None;
    }
    let map = map(record.role, Target::Attribute, &ident("self"));
    let (ty, value) = match record.role {
        Role::UserAttributes => (quote!(::mparticle_models::AttributeValue), quote!(value.into())),
        Role::Product => (
            quote!(::mparticle_models::TextValue),
            quote!(::core::convert::Into::<::mparticle_models::TextValue>::into(value).into()),
        ),
        _ => (quote!(::mparticle_models::Scalar), quote!(value.into())),
    };
    let docs = docs(&["Sets an attribute that the data plan allows but does not list."]);
    Some(quote! {
        #docs
        pub fn with_extra(
            mut self,
            name: impl ::core::convert::Into<::std::string::String>,
            value: impl ::core::convert::Into<#ty>,
        ) -> Self {
            #map.insert(name.into(), #value);
            self
        }
    })
}

/// The setters of the list of parts.
pub(super) fn parts(record: &Record, part: Option<&Record>) -> Option<TokenStream> {
    let part = part.filter(|_| record.items == Items::Planned);
    let noun = record.role.items()?.noun();
    let one = values::part(record.role, part);
    let list = list(record.role, &ident("self"));
    let (with_one, with_several) = (method(noun), method(&format!("{noun}s")));
    let one_docs = docs(&[format!("Adds one {noun}.")]);
    let several_docs = docs(&[format!("Adds {noun}s.")]);
    Some(quote! {
        #one_docs
        pub fn #with_one(mut self, value: #one) -> Self {
            #list.push(value.into());
            self
        }

        #several_docs
        pub fn #with_several(
            mut self,
            value: impl ::core::iter::IntoIterator<Item = #one>,
        ) -> Self {
            #list.extend(value.into_iter().map(::core::convert::Into::into));
            self
        }
    })
}

/// The list of parts.
pub(super) fn list(role: Role, receiver: &Ident) -> TokenStream {
    match role {
        Role::ProductAction => quote!(#receiver.action.products),
        Role::PromotionAction => quote!(#receiver.action.promotions),
        Role::Impressions => quote!(#receiver.event.product_impressions),
        _ => quote!(#receiver.impression.products),
    }
}

/// The map of attributes, flags or unknown fields.
pub(super) fn map(role: Role, target: Target, receiver: &Ident) -> TokenStream {
    let noun = ident(role.noun());
    match (target, role) {
        (Target::Attribute, Role::UserAttributes) => quote!(#receiver.attributes),
        (Target::Attribute, Role::Product) => quote!(#receiver.product.custom_attributes),
        (Target::Attribute, _) => quote!(#receiver.event.common.custom_attributes),
        (Target::Flag, _) => quote!(#receiver.event.common.custom_flags),
        (Target::Unknown(Holder::Common), _) => quote!(#receiver.event.common.extra),
        (Target::Unknown(Holder::Event), _) => quote!(#receiver.event.extra),
        (Target::Unknown(Holder::Action), _) => quote!(#receiver.action.extra),
        (Target::Unknown(Holder::Item) | Target::Standard(_), _) => quote!(#receiver.#noun.extra),
    }
}

/// A field of the models.
pub(super) fn standard(role: Role, standard: &Standard, receiver: &Ident) -> TokenStream {
    let (noun, field) = (ident(role.noun()), ident(standard.wire));
    match standard.holder {
        Holder::Common => quote!(#receiver.event.common.#field),
        Holder::Event => quote!(#receiver.event.#field),
        Holder::Action => quote!(#receiver.action.#field),
        Holder::Item => quote!(#receiver.#noun.#field),
    }
}
