//! Emits the struct of a record, with its constructor and its conversions.

use proc_macro2::TokenStream;
use quote::quote;

use super::super::idents::field as field_ident;
use super::super::model::{Items, Match, Point, Record, Role};
use super::{apart, ident, setters, values, words};
use crate::emit::docs;

/// The items of one record. `part` describes the parts of its list, if the plan does.
pub(super) fn record(point: &Point, record: &Record, part: Option<&Record>) -> TokenStream {
    let part = part.filter(|_| record.items == Items::Planned);
    let name = ident(&record.name);
    let docs = docs(&words::record(point, record));
    let content = content(record.role);
    let constructor = constructor(point, record, part);
    let setters = record.fields.iter().filter_map(|field| setters::setter(field, record, part));
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

/// `new`, which takes what is required.
fn constructor(point: &Point, record: &Record, part: Option<&Record>) -> TokenStream {
    let empty = empty(point, record.role);
    let (start, constants) = if record.constants.is_empty() {
        (empty, None)
    } else {
        (quote!(#empty.with_constants()), Some(constants(record)))
    };
    let required: Vec<_> = record.required().collect();
    let what = record.role.noun();
    let (parameter, text) = match required.as_slice() {
        [] => (None, format!("Creates the {what}.")),
        [field] => {
            let (name, ty) = (ident(&field_ident(&field.name)), values::parameter(field, record, part));
            (Some(quote!(#name: #ty)), format!("Creates the {what} with its required attribute."))
        }
        _ => {
            let ty = ident(&record.required_name);
            (Some(quote!(required: #ty)), format!("Creates the {what} with its required attributes."))
        }
    };
    let text = if record.role == Role::UserAttributes {
        text.replace("the attributes", "attributes").replace("with its", "with the")
    } else {
        text
    };
    let is_alone = required.len() == 1;
    let calls = required.iter().map(|field| {
        let (method, name) = (setters::method(&field.name), ident(&field_ident(&field.name)));
        if is_alone { quote!(.#method(#name)) } else { quote!(.#method(required.#name)) }
    });
    let docs = docs(&[text]);
    quote! {
        #docs
        pub fn new(#parameter) -> Self {
            #start #(#calls)*
        }
        #constants
    }
}

/// Writes what is the same in every event.
fn constants(record: &Record) -> TokenStream {
    use super::super::model::Target;
    let statements = record.constants.iter().map(|constant| {
        let value = values::constant(&constant.value, record.role, constant.target);
        match constant.target {
            Target::Standard(standard) => {
                let place = setters::standard(record.role, standard);
                quote!(#place = ::core::option::Option::Some(#value);)
            }
            target => {
                let (map, wire) = (setters::map(record.role, target), &constant.wire);
                quote!(#map.insert(#wire.to_owned(), #value);)
            }
        }
    });
    apart(&quote! {
        fn with_constants(mut self) -> Self {
            #(#statements)*
            self
        }
    })
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
    let docs = docs(&[format!("The required attributes of [`{}`].", record.name)]);
    Some(quote! {
        #docs
        #[derive(Clone, Debug, PartialEq)]
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
        "Returns the event, to set what is not part of the data plan, such as its time.",
    ]);
    let findings_docs = docs(&["Returns what the data plan does not allow in the event."]);
    Some(quote! {
        #event_docs
        #[must_use]
        pub fn into_event(self) -> #ty {
            #value
        }

        #findings_docs
        #[must_use]
        pub fn findings(&self) -> ::std::vec::Vec<::mparticle_models::data_plan::Finding> {
            super::linter().lint_event(&::mparticle_models::Event::from(self.clone()))
        }
    })
}

fn user_findings() -> TokenStream {
    let docs = docs(&["Returns what the data plan does not allow in the attributes."]);
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

/// The conversion into what the models have for it.
fn conversions(record: &Record) -> TokenStream {
    let name = ident(&record.name);
    let (ty, value) = match record.role {
        Role::UserAttributes => return attributes(record),
        Role::Product => (quote!(Product), quote!(value.product)),
        Role::Promotion => (quote!(Promotion), quote!(value.promotion)),
        Role::Impression => (quote!(ProductImpression), quote!(value.impression)),
        _ => (quote!(Event), quote!(value.into_event().into())),
    };
    apart(&quote! {
        impl ::core::convert::From<#name> for ::mparticle_models::#ty {
            fn from(value: #name) -> Self {
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
