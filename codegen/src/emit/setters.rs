//! Emits an object's constructor and its setters.

use heck::ToSnakeCase as _;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::docs::docs;
use super::scope::{Scope, ident};
use super::shape::ObjectShape;
use crate::model::{Field, Object};
use crate::names::in_method;
use crate::rust_type::{Primitive, RustType};

/// `new`, with what is required to write as its arguments.
pub(crate) fn constructor(shape: &ObjectShape<'_>, scope: &mut Scope<'_>) -> TokenStream {
    let what = in_words(&shape.def.name);
    if shape.has_default() {
        let docs = docs(&[format!("{what} with nothing in it yet.")]);
        return quote!(#docs #[must_use] pub fn new() -> Self { Self::default() });
    }
    let base_fields = shape.base_fields();
    let base_arguments = arguments(shape.base_object(), &base_fields);
    let own_arguments = arguments(Some(shape.object), &shape.fields);
    let parameters = base_arguments.iter().chain(&own_arguments).map(|(field, ty)| {
        let name = ident(&field.ident);
        let parameter = parameter(ty.without_option(), scope);
        quote!(#name: #parameter)
    });
    let parameters = parameters.collect::<Vec<_>>();
    let values = shape.fields.iter().map(|(field, ty)| {
        let name = ident(&field.ident);
        let is_argument = shape.object.constructor.contains(&field.wire);
        let value = match (is_argument, ty) {
            (true, RustType::Option(inner)) => {
                let value = conversion(inner, &quote!(#name));
                quote!(Some(#value))
            }
            (true, _) => conversion(ty, &quote!(#name)),
            (false, RustType::Option(_)) => quote!(None),
            (false, RustType::Vec(_)) => quote!(Vec::new()),
            (false, RustType::Map(_)) => quote!(BTreeMap::new()),
            (false, _) => quote!(Default::default()),
        };
        let is_named_so = name == value.to_string();
        if is_named_so { quote!(#name) } else { quote!(#name: #value) }
    });
    let base = shape.object.base.as_ref().map(|base| {
        let (field, ty) = (ident(&base.ident), scope.generated(&base.type_name));
        let passed_on = base_arguments.iter().map(|(field, _)| ident(&field.ident));
        quote!(#field: #ty::new(#(#passed_on),*),)
    });
    let records = shape.object.records.as_ref().map(|records| {
        let field = ident(&records.ident);
        quote!(#field: Vec::new(),)
    });
    let envelope = shape.is_union_content.then(|| quote!(envelope: Extra::default(),));
    let extra = shape.has_extra.then(|| quote!(extra: Extra::default()));
    let docs = docs(&[format!("{what} with its required fields.")]);
    quote! {
        #docs
        #[must_use]
        pub fn new(#(#parameters),*) -> Self {
            Self { #(#values,)* #base #records #envelope #extra }
        }
    }
}

/// The fields that an object's constructor takes, in its order.
fn arguments<'f>(
    object: Option<&Object>,
    fields: &[(&'f Field, &'f RustType)],
) -> Vec<(&'f Field, &'f RustType)> {
    let wanted = object.into_iter().flat_map(|object| &object.constructor);
    let named = |wire: &String| fields.iter().find(|(field, _)| field.wire == *wire).copied();
    wanted.filter_map(named).collect()
}

/// A type's name in words, with its article: "A custom event".
fn in_words(name: &str) -> String {
    let words = name.to_snake_case().replace('_', " ");
    let article = if words.starts_with(['a', 'e', 'i', 'o']) { "An" } else { "A" };
    format!("{article} {words}")
}

/// The setters of the own fields and of the base's.
pub(crate) fn setters(shape: &ObjectShape<'_>, scope: &mut Scope<'_>) -> TokenStream {
    let mut setters = TokenStream::new();
    for (field, ty) in &shape.fields {
        setters.extend(field_setters(
            &Target { path: quote!(self), owner: "Self" },
            field,
            ty,
            scope,
        ));
    }
    if let Some(base) = &shape.object.base {
        let holder = ident(&base.ident);
        let target = Target { path: quote!(self.#holder), owner: &base.type_name };
        for (field, ty) in shape.base_fields() {
            setters.extend(field_setters(&target, field, ty, scope));
        }
    }
    setters
}

/// Where a setter writes: the expression that holds the field, and the type its docs link to.
struct Target<'a> {
    path: TokenStream,
    owner: &'a str,
}

fn field_setters(
    target: &Target<'_>,
    field: &Field,
    ty: &RustType,
    scope: &mut Scope<'_>,
) -> TokenStream {
    if field.read_only {
        return TokenStream::new();
    }
    let whole = whole_setter(target, field, ty, scope);
    let one = field.singular.as_ref().map(|singular| adder(target, field, singular, ty, scope));
    quote!(#whole #one)
}

/// `with_products(products)`: sets the field.
fn whole_setter(
    target: &Target<'_>,
    field: &Field,
    ty: &RustType,
    scope: &mut Scope<'_>,
) -> TokenStream {
    let (path, owner) = (&target.path, target.owner);
    let name = ident(&field.ident);
    let setter = format_ident!("with_{}", in_method(&field.ident));
    let docs = docs(&[format!("Sets [`{0}`]({owner}::{0}).", field.ident)]);
    let inner = ty.without_option();
    let parameter = parameter(inner, scope);
    let value = conversion(inner, &quote!(#name));
    let value = if ty.is_option() { quote!(Some(#value)) } else { value };
    quote! {
        #docs
        #[must_use]
        pub fn #setter(mut self, #name: #parameter) -> Self {
            #path.#name = #value;
            self
        }
    }
}

/// `with_product(product)` or `with_custom_attribute(name, value)`: adds one to a list or a map.
fn adder(
    target: &Target<'_>,
    field: &Field,
    singular: &str,
    ty: &RustType,
    scope: &mut Scope<'_>,
) -> TokenStream {
    let (path, owner) = (&target.path, target.owner);
    let name = ident(&field.ident);
    let setter = format_ident!("with_{}", in_method(singular));
    let collection = if ty.is_option() {
        quote!(#path.#name.get_or_insert_default())
    } else {
        quote!(#path.#name)
    };
    match ty.without_option() {
        RustType::Vec(item) => {
            let docs = docs(&[format!("Adds one to [`{0}`]({owner}::{0}).", field.ident)]);
            let argument = format_ident!("{singular}");
            let parameter = parameter(item, scope);
            let value = conversion(item, &quote!(#argument));
            quote! {
                #docs
                #[must_use]
                pub fn #setter(mut self, #argument: #parameter) -> Self {
                    #collection.push(#value);
                    self
                }
            }
        }
        RustType::Map(item) => {
            let docs = docs(&[format!(
                "Adds one to [`{0}`]({owner}::{0}), in place of one of the same name.",
                field.ident
            )]);
            let parameter = parameter(item, scope);
            let value = conversion(item, &quote!(value));
            quote! {
                #docs
                #[must_use]
                pub fn #setter(mut self, name: impl Into<String>, value: #parameter) -> Self {
                    #collection.insert(name.into(), #value);
                    self
                }
            }
        }
        _ => TokenStream::new(),
    }
}

/// The type of a parameter from which a value of the type can be made.
///
/// Integers are taken as they are: with `impl Into<i64>`, a literal would be an `i32` and might not fit.
fn parameter(ty: &RustType, scope: &mut Scope<'_>) -> TokenStream {
    match ty {
        RustType::Vec(item) => {
            let item = parameter(item, scope);
            quote!(impl IntoIterator<Item = #item>)
        }
        RustType::Map(item) => {
            let item = parameter(item, scope);
            quote!(impl IntoIterator<Item = (impl Into<String>, #item)>)
        }
        _ if is_exact(ty) => scope.ty(ty),
        RustType::Primitive(Primitive::F64) => {
            scope.support(&["Number"]);
            quote!(impl Into<Number>)
        }
        _ if is_optional_text(ty) => {
            scope.support(&["TextValue"]);
            quote!(impl Into<TextValue>)
        }
        _ => {
            let ty = scope.ty(ty);
            quote!(impl Into<#ty>)
        }
    }
}

/// The value of the type, made from an argument.
fn conversion(ty: &RustType, argument: &TokenStream) -> TokenStream {
    match ty {
        RustType::Vec(item) => match item.as_ref() {
            RustType::Vec(_)
            | RustType::Map(_)
            | RustType::Option(_)
            | RustType::Primitive(Primitive::F64) => {
                let item = conversion(item, &quote!(item));
                quote!(#argument.into_iter().map(|item| #item).collect())
            }
            item if is_exact(item) => quote!(#argument.into_iter().collect()),
            _ => quote!(#argument.into_iter().map(Into::into).collect()),
        },
        RustType::Map(item) => {
            let item = conversion(item, &quote!(value));
            quote!(#argument.into_iter().map(|(name, value)| (name.into(), #item)).collect())
        }
        _ if is_exact(ty) => quote!(#argument),
        RustType::Primitive(Primitive::F64) => quote!(#argument.into().as_f64()),
        _ if is_optional_text(ty) => quote!(Into::<TextValue>::into(#argument).into()),
        _ => quote!(#argument.into()),
    }
}

/// Whether an element of a list or a map is text or null.
fn is_optional_text(ty: &RustType) -> bool {
    *ty.without_option() == RustType::Primitive(Primitive::String) && ty.is_option()
}

/// Whether an argument has to have the type itself.
fn is_exact(ty: &RustType) -> bool {
    matches!(ty, RustType::Primitive(Primitive::Bool | Primitive::I64 | Primitive::U64))
}
