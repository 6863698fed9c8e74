//! The Rust types of fields, and the expressions that convert their values into those of the models.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use serde_json::Value;

use super::super::model::{Constant, Field, Form, Nulls, Record, Role, Target, Type, text_of};
use super::super::standard::Kind;
use super::{ident, setters};

/// The type that a struct of required attributes holds.
pub(super) fn owned(field: &Field, record: &Record, part: Option<&Record>) -> TokenStream {
    let ty = owned_type(&field.ty, record, part);
    if field.is_nullable { quote!(::core::option::Option<#ty>) } else { ty }
}

fn owned_type(ty: &Type, record: &Record, part: Option<&Record>) -> TokenStream {
    match ty {
        Type::Text => quote!(::std::string::String),
        Type::Number(_) => quote!(::mparticle_models::Number),
        Type::Integer(_) => quote!(i64),
        Type::Boolean(_) | Type::Tag => quote!(bool),
        Type::Float => quote!(f64),
        Type::Any if record.role == Role::UserAttributes => {
            quote!(::mparticle_models::AttributeValue)
        }
        Type::Any => quote!(::mparticle_models::Scalar),
        Type::Enum(set) => {
            let name = ident(&set.name);
            quote!(#name)
        }
        Type::List(element, nulls) => {
            let element = element_type(element, *nulls);
            quote!(::std::vec::Vec<#element>)
        }
        Type::Items => {
            let part = part_type(record.role, part);
            quote!(::std::vec::Vec<#part>)
        }
    }
}

/// The type of a list's elements, which are scalars.
fn element_type(element: &Type, nulls: Nulls) -> TokenStream {
    let ty = match element {
        Type::Text => quote!(::std::string::String),
        Type::Number(_) => quote!(::mparticle_models::Number),
        Type::Integer(_) => quote!(i64),
        Type::Boolean(_) => quote!(bool),
        Type::Enum(set) => {
            let name = ident(&set.name);
            quote!(#name)
        }
        _ => quote!(::mparticle_models::Scalar),
    };
    match nulls {
        Nulls::Allowed => quote!(::core::option::Option<#ty>),
        Nulls::Refused => ty,
    }
}

/// What a setter takes for one part of a record's list.
pub(super) fn part(role: Role, part: Option<&Record>) -> TokenStream {
    let ty = part_type(role, part);
    if part.is_some() { ty } else { quote!(impl ::core::convert::Into<#ty>) }
}

/// The type of the parts of a record's list.
fn part_type(role: Role, part: Option<&Record>) -> TokenStream {
    if let Some(part) = part {
        let name = ident(&part.name);
        return quote!(#name);
    }
    match role.items() {
        Some(Role::Promotion) => quote!(::mparticle_models::Promotion),
        Some(Role::Impression) => quote!(::mparticle_models::ProductImpression),
        _ => quote!(::mparticle_models::Product),
    }
}

/// The type of a setter's parameter.
pub(super) fn parameter(field: &Field, record: &Record, part: Option<&Record>) -> TokenStream {
    if field.is_nullable && field.is_required {
        return owned(field, record, part);
    }
    match &field.ty {
        Type::Text | Type::Number(_) | Type::Float | Type::Any => {
            let ty = owned_type(&field.ty, record, part);
            quote!(impl ::core::convert::Into<#ty>)
        }
        Type::List(element, nulls) => {
            let element = element_type(element, *nulls);
            quote!(impl ::core::iter::IntoIterator<Item = impl ::core::convert::Into<#element>>)
        }
        Type::Items => {
            let part = self::part(record.role, part);
            quote!(impl ::core::iter::IntoIterator<Item = #part>)
        }
        ty => owned_type(ty, record, part),
    }
}

/// The statement that writes a `value` into a record.
pub(super) fn assignment(field: &Field, record: &Record, receiver: &Ident) -> TokenStream {
    if matches!(field.ty, Type::Items) {
        let list = setters::list(record.role, receiver);
        return quote!(#list.extend(value.into_iter().map(::core::convert::Into::into)););
    }
    let is_option = field.is_nullable && field.is_required;
    let value = match field.target {
        Target::Standard(_) => {
            let native = native(&field.ty);
            if is_option {
                quote!(value.map(|value| #native))
            } else {
                quote!(::core::option::Option::Some(#native))
            }
        }
        _ => stored(field, record),
    };
    store(field.target, &field.wire, record.role, receiver, &value)
}

/// The statement that writes a constant into a record.
pub(super) fn constant(constant: &Constant, role: Role, receiver: &Ident) -> TokenStream {
    let value = match constant.target {
        Target::Standard(standard) => {
            let value = standard_constant(&constant.value, standard.kind);
            quote!(::core::option::Option::Some(#value))
        }
        target => held_constant(&constant.value, role, target),
    };
    store(constant.target, &constant.wire, role, receiver, &value)
}

fn store(
    target: Target,
    wire: &str,
    role: Role,
    receiver: &Ident,
    value: &TokenStream,
) -> TokenStream {
    match target {
        Target::Standard(standard) => {
            let place = setters::standard(role, standard, receiver);
            quote!(#place = #value;)
        }
        target => {
            let map = setters::map(role, target, receiver);
            quote!(super::set(&mut #map, #wire, #value);)
        }
    }
}

/// The value of a field of the models.
fn native(ty: &Type) -> TokenStream {
    match ty {
        Type::Enum(_) => quote!(value.as_str().to_owned()),
        Type::Text | Type::Float | Type::Any => quote!(value.into()),
        _ => quote!(value),
    }
}

/// The value of an attribute, as the models hold it.
fn stored(field: &Field, record: &Record) -> TokenStream {
    let scalar = match &field.ty {
        Type::List(element, nulls) => return list(element, *nulls, field),
        Type::Any if record.role == Role::UserAttributes => return quote!(value.into()),
        ty => scalar(ty),
    };
    let scalar = if field.is_nullable && field.is_required {
        quote!(value.map_or(::mparticle_models::Scalar::Null, |value| #scalar))
    } else {
        scalar
    };
    held(record.role, field.target, &scalar)
}

/// A scalar as the map of a target holds it.
fn held(role: Role, target: Target, scalar: &TokenStream) -> TokenStream {
    match (target, role) {
        (Target::Attribute, Role::UserAttributes) => {
            quote!(::mparticle_models::AttributeValue::Scalar(#scalar))
        }
        (Target::Attribute, Role::Product) => {
            quote!(::mparticle_models::TextValue::from(#scalar).into())
        }
        (Target::Attribute, _) => scalar.clone(),
        _ => quote!(#scalar.into()),
    }
}

/// The scalar for a `value` that converts into the field's type.
fn scalar(ty: &Type) -> TokenStream {
    match ty {
        Type::Text => quote!(::mparticle_models::Scalar::String(value.into())),
        Type::Number(Form::Plain) => quote!(::mparticle_models::Scalar::Number(value.into())),
        Type::Number(Form::Text) => quote! {
            ::mparticle_models::Scalar::String(
                ::core::convert::Into::<::mparticle_models::Number>::into(value).to_string()
            )
        },
        Type::Integer(Form::Text) | Type::Boolean(Form::Text) => {
            quote!(::mparticle_models::Scalar::String(value.to_string()))
        }
        Type::Tag => quote!(::mparticle_models::Scalar::Null),
        Type::Enum(set) if set.is_text() => {
            quote!(::mparticle_models::Scalar::String(value.as_str().to_owned()))
        }
        Type::Enum(_) => quote!(value.scalar()),
        Type::Any => quote!(value.into()),
        _ => quote!(::mparticle_models::Scalar::from(value)),
    }
}

/// The list for a `value` whose elements convert into the element's type.
fn list(element: &Type, nulls: Nulls, field: &Field) -> TokenStream {
    let ty = element_type(element, nulls);
    let scalar = scalar(element);
    let element = match nulls {
        Nulls::Allowed => {
            quote!(value.map_or(::mparticle_models::Scalar::Null, |value| #scalar))
        }
        Nulls::Refused => scalar,
    };
    let list = quote! {
        ::mparticle_models::AttributeValue::List(
            value
                .into_iter()
                .map(|value| {
                    let value: #ty = value.into();
                    #element
                })
                .collect()
        )
    };
    if field.is_nullable && field.is_required {
        quote!(value.map_or_else(::mparticle_models::AttributeValue::default, |value| #list))
    } else {
        list
    }
}

/// A constant, as a field of the models holds it.
fn standard_constant(value: &Value, kind: Kind) -> TokenStream {
    match kind {
        Kind::Any => literal(value),
        Kind::Text => {
            let text = text_of(value);
            quote!(#text.to_owned())
        }
        Kind::Float => tokens(&format!("{:?}f64", value.as_f64().unwrap_or_default())),
        Kind::Integer | Kind::Boolean => number(value),
    }
}

/// A constant, as the map of a target holds it.
fn held_constant(value: &Value, role: Role, target: Target) -> TokenStream {
    if let Value::Array(items) = value {
        let items = items.iter().map(literal);
        return quote!(::mparticle_models::AttributeValue::List(::std::vec::Vec::from([#(#items),*])));
    }
    held(role, target, &literal(value))
}

/// A scalar.
fn literal(value: &Value) -> TokenStream {
    match value {
        Value::Null => quote!(::mparticle_models::Scalar::Null),
        Value::String(text) => quote!(::mparticle_models::Scalar::String(#text.to_owned())),
        other => {
            let number = number(other);
            quote!(::mparticle_models::Scalar::from(#number))
        }
    }
}

/// A number or a boolean.
pub(super) fn number(value: &Value) -> TokenStream {
    match (value.as_bool(), value.as_i64(), value.as_u64()) {
        (Some(boolean), ..) => quote!(#boolean),
        (_, Some(integer), _) => tokens(&format!("{integer}i64")),
        (_, _, Some(integer)) => tokens(&format!("{integer}u64")),
        _ => tokens(&format!("{:?}f64", value.as_f64().unwrap_or_default())),
    }
}

/// A number, whose sign is a token of its own.
pub(super) fn tokens(number: &str) -> TokenStream {
    number.parse().unwrap_or_default()
}
