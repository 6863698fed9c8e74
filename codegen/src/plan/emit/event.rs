//! Emits the struct of a record, with its constructor and its conversions.

use proc_macro2::TokenStream;
use quote::quote;

use super::super::idents::field as field_ident;
use super::super::model::{Field, Items, Match, Point, Record, Role};
use super::{apart, ident, setters, values, words};
use crate::emit::docs;

/// The items of one record. `part` describes the parts of its list, if the plan does.
pub(super) fn record(point: &Point, record: &Record, part: Option<&Record>) -> TokenStream {
    let part = part.filter(|_| record.items == Items::Planned);
    let name = ident(&record.name);
    let docs = docs(&words::record(point, record));
    let content = content(record.role);
    let constructor = constructor(point, record, part);
    let optional = record.fields.iter().filter(|field| !field.is_required);
    let setters = optional.map(|field| setters::setter(field, record, part));
    let parts = setters::parts(record, part);
    let extra = setters::extra(record);
    let finish = finish(record.role);
    let conversions = conversions(record);
    let required = required(record, part);
    quote! {
        #docs
        #[derive(Clone, Debug, PartialEq)]
        #[must_use]
        pub struct #name {
            #content
        }

        #required

        #[blank_line]
        impl #name {
            #constructor
            #(#setters)*
            #parts
            #extra
            #finish
        }

        #conversions
    }
}

/// The fields of the struct.
fn content(role: Role) -> TokenStream {
    match role {
        Role::CustomEvent => quote!(event: ::mparticle_models::CustomEvent),
        Role::ScreenView => quote!(event: ::mparticle_models::ScreenViewEvent),
        Role::ProductAction => quote! {
            event: ::mparticle_models::CommerceEvent,
            action: ::mparticle_models::ProductAction,
        },
        Role::PromotionAction => quote! {
            event: ::mparticle_models::CommerceEvent,
            action: ::mparticle_models::PromotionAction,
        },
        Role::Impressions => quote!(event: ::mparticle_models::CommerceEvent),
        Role::UserAttributes => quote! {
            attributes: ::std::collections::BTreeMap<
                ::std::string::String,
                ::mparticle_models::AttributeValue,
            >
        },
        Role::Product => quote!(product: ::mparticle_models::Product),
        Role::Promotion => quote!(promotion: ::mparticle_models::Promotion),
        Role::Impression => quote!(impression: ::mparticle_models::ProductImpression),
    }
}

/// The value of the struct before anything is set.
fn empty(point: &Point, role: Role) -> TokenStream {
    let fields = match (role, &point.matches) {
        (Role::Product, _) => quote!(product: ::mparticle_models::Product::new()),
        (Role::Promotion, _) => quote!(promotion: ::mparticle_models::Promotion::new()),
        (Role::Impression, _) => quote! {
            impression: ::mparticle_models::ProductImpression::new("")
                .set_product_impression_list(::core::option::Option::<&str>::None)
        },
        (_, Match::CustomEvent { name, event_type }) => quote! {
            event: ::mparticle_models::CustomEvent::new(#name, #event_type)
        },
        (_, Match::ScreenView { name }) => {
            quote!(event: ::mparticle_models::ScreenViewEvent::new(#name))
        }
        (_, Match::ProductAction { action }) => quote! {
            event: ::mparticle_models::CommerceEvent::new(),
            action: ::mparticle_models::ProductAction::new(#action),
        },
        (_, Match::PromotionAction { action }) => quote! {
            event: ::mparticle_models::CommerceEvent::new(),
            action: ::mparticle_models::PromotionAction::new(#action),
        },
        (_, Match::ProductImpression) => quote!(event: ::mparticle_models::CommerceEvent::new()),
        (_, Match::UserAttributes) => quote!(attributes: ::std::collections::BTreeMap::new()),
    };
    quote!(Self { #fields })
}

/// The constructor, which takes the required attributes.
fn constructor(point: &Point, record: &Record, part: Option<&Record>) -> TokenStream {
    let this = ident("this");
    let empty = empty(point, record.role);
    let required: Vec<_> = record.required().collect();
    let parameter = match required.as_slice() {
        [] => None,
        [field] => {
            let (name, ty) = (argument(field), values::parameter(field, record, part));
            Some(quote!(#name: #ty))
        }
        _ => {
            let ty = ident(&record.required_name);
            Some(quote!(required: #ty))
        }
    };
    let is_alone = required.len() == 1;
    let fields = required.iter().map(|field| {
        let name = if is_alone { argument(field) } else { ident(&field_ident(&field.name)) };
        let value = if is_alone { quote!(#name) } else { quote!(required.#name) };
        let assignment = values::assignment(field, record, &this);
        quote!(let value = #value; #assignment)
    });
    let constants =
        record.constants.iter().map(|constant| values::constant(constant, record.role, &this));
    let body = if required.is_empty() && record.constants.is_empty() {
        empty
    } else {
        quote!(let mut this = #empty; #(#constants)* #(#fields)* this)
    };
    let docs = docs(&[words::constructor(record, required.len())]);
    quote! {
        #docs
        pub fn new(#parameter) -> Self {
            #body
        }
    }
}

/// The name of the only argument of `new`, whose body has a variable `this`.
fn argument(field: &Field) -> proc_macro2::Ident {
    let name = field_ident(&field.name);
    ident(if name == "this" { "value" } else { &name })
}

/// The struct of required attributes, if there are several.
fn required(record: &Record, part: Option<&Record>) -> Option<TokenStream> {
    if !record.has_required_struct() {
        return None;
    }
    let name = ident(&record.required_name);
    let fields = record.required().map(|field| {
        let docs = docs(&words::field(field));
        let (name, ty) = (ident(&field_ident(&field.name)), values::owned(field, record, part));
        quote!(#docs pub #name: #ty,)
    });
    let docs =
        docs(&[format!("The required attributes and fields of {}.", words::link(&record.name))]);
    Some(quote! {
        #docs
        #[derive(Clone, Debug)]
        pub struct #name {
            #(#fields)*
        }
    })
}

/// The methods that end a chain of setters.
fn finish(role: Role) -> Option<TokenStream> {
    let (ty, value) = match role {
        Role::CustomEvent => (quote!(::mparticle_models::CustomEvent), quote!(self.event)),
        Role::ScreenView => (quote!(::mparticle_models::ScreenViewEvent), quote!(self.event)),
        Role::ProductAction => (
            quote!(::mparticle_models::CommerceEvent),
            quote!(self.event.with_product_action(self.action)),
        ),
        Role::PromotionAction => (
            quote!(::mparticle_models::CommerceEvent),
            quote!(self.event.with_promotion_action(self.action)),
        ),
        Role::Impressions => (quote!(::mparticle_models::CommerceEvent), quote!(self.event)),
        Role::UserAttributes => return Some(user_findings()),
        Role::Product | Role::Promotion | Role::Impression => return None,
    };
    let event_docs = docs(&[
        "Returns the event, for setting fields that are not part of the data plan, such as its time.",
    ]);
    let findings_docs = docs(&["Returns the differences between the event and the data plan."]);
    Some(quote! {
        #event_docs
        #[must_use]
        pub fn into_event(self) -> #ty {
            #value
        }

        #findings_docs
        #[must_use]
        pub fn findings(&self) -> ::std::vec::Vec<::mparticle_models::data_plan::Finding> {
            super::linter().lint_event(&self.clone().into())
        }
    })
}

fn user_findings() -> TokenStream {
    let docs = docs(&["Returns the differences between the attributes and the data plan."]);
    quote! {
        #docs
        #[must_use]
        pub fn findings(&self) -> ::std::vec::Vec<::mparticle_models::data_plan::Finding> {
            let batch = ::mparticle_models::Batch::new(::mparticle_models::Environment::Development)
                .with_user_attributes(self.clone());
            let subject = ::mparticle_models::data_plan::Subject::UserAttributes;
            let findings = super::linter().lint(&batch);
            findings.into_iter().filter(|finding| finding.subject == subject).collect()
        }
    }
}

/// The conversion into the type of the models.
fn conversions(record: &Record) -> TokenStream {
    let name = ident(&record.name);
    let (ty, value) = match record.role {
        Role::UserAttributes => return attributes(record),
        Role::Product => (quote!(Product), quote!(self.product)),
        Role::Promotion => (quote!(Promotion), quote!(self.promotion)),
        Role::Impression => (quote!(ProductImpression), quote!(self.impression)),
        _ => (quote!(Event), quote!(self.into_event().into())),
    };
    // The compiler compares all implementations of `From` for one type with each other, and there may be a thousand.
    apart(&quote! {
        impl ::core::convert::Into<::mparticle_models::#ty> for #name {
            fn into(self) -> ::mparticle_models::#ty {
                #value
            }
        }
    })
}

/// The attributes of a user, for `Batch::with_planned_user_attributes` and `Batch::with_user_attributes`.
fn attributes(record: &Record) -> TokenStream {
    let name = ident(&record.name);
    apart(&quote! {
        impl ::core::iter::IntoIterator for #name {
            type Item = (::std::string::String, ::mparticle_models::AttributeValue);
            type IntoIter = ::std::collections::btree_map::IntoIter<
                ::std::string::String,
                ::mparticle_models::AttributeValue,
            >;

            fn into_iter(self) -> Self::IntoIter {
                self.attributes.into_iter()
            }
        }
    })
}
