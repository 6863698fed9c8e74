//! Emits the constructor and the setters of an object.

use heck::ToSnakeCase as _;
use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::docs::{docs, first_sentence};
use super::optional_setters::{fallible_setter, optional_setter};
use super::parameter::{conversion, is_exact, parameter};
use super::scope::{Scope, ident};
use super::shape::ObjectShape;
use crate::model::{Field, Object};
use crate::names::in_method;
use crate::rust_type::RustType;

/// Emits `new`, whose arguments are the fields that are required for writing.
pub(crate) fn constructor(shape: &ObjectShape<'_>, scope: &mut Scope<'_>) -> TokenStream {
    let what = in_words(&shape.def.name);
    if shape.has_default() {
        let docs = docs(&[format!("Creates an empty {what}.")]);
        return quote!(#docs #[inline] #[must_use] pub fn new() -> Self { Self::default() });
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
    let article = if what.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    let docs = docs(&[format!("Creates {article} {what} with its required fields.")]);
    quote! {
        #docs
        #[must_use]
        pub fn new(#(#parameters),*) -> Self {
            Self { #(#values,)* #base #records #envelope #extra }
        }
    }
}

/// Returns the fields that the constructor of an object takes, in order.
fn arguments<'f>(
    object: Option<&Object>,
    fields: &[(&'f Field, &'f RustType)],
) -> Vec<(&'f Field, &'f RustType)> {
    let wanted = object.into_iter().flat_map(|object| &object.constructor);
    let named = |wire: &String| fields.iter().find(|(field, _)| field.wire == *wire).copied();
    wanted.filter_map(named).collect()
}

/// Returns the name of a type in words, such as "custom event".
fn in_words(name: &str) -> String {
    name.to_snake_case().replace('_', " ")
}

/// Emits the setters of the own fields and of the fields of the base. The setters for values that may be absent come
/// last.
pub(crate) fn setters(shape: &ObjectShape<'_>, scope: &mut Scope<'_>) -> TokenStream {
    let own = Target { path: quote!(self), holder: None };
    let base = shape.object.base.as_ref().map(|base| {
        let holder = ident(&base.ident);
        Target { path: quote!(self.#holder), holder: Some(&base.ident) }
    });
    let base_fields = shape.base_fields();
    let of_base = base.iter().flat_map(|base| base_fields.iter().map(move |field| (base, field)));
    let fields = shape.fields.iter().map(|field| (&own, field)).chain(of_base);
    let (mut plain, mut optional) = (TokenStream::new(), TokenStream::new());
    for (target, (field, ty)) in fields.filter(|(_, (field, _))| !field.read_only) {
        plain.extend(whole_setter(target, field, ty, scope));
        if let Some(singular) = &field.singular {
            plain.extend(adder(target, field, singular, ty, scope));
        }
        optional.extend(optional_setter(target, field, ty, scope));
        optional.extend(fallible_setter(target, field, ty, scope));
    }
    quote!(#plain #optional)
}

/// The target of a setter.
pub(crate) struct Target<'a> {
    /// The expression for the owner of the field.
    pub(crate) path: TokenStream,
    /// The name of the field with the base, for a field of the base.
    pub(crate) holder: Option<&'a str>,
}

impl Target<'_> {
    /// Returns a link to a field, or to the base for a field of the base. Returns text without a link if the link would
    /// not fit into a line.
    pub(crate) fn link(&self, field: &Field) -> String {
        const WIDTH: usize = 75;
        let name = &field.ident;
        let link = format!("[`{name}`](Self::{})", self.holder.unwrap_or(name));
        if link.len() > WIDTH { format!("`{name}`") } else { link }
    }
}

/// Emits `with_products(products)`, which sets the field.
fn whole_setter(
    target: &Target<'_>,
    field: &Field,
    ty: &RustType,
    scope: &mut Scope<'_>,
) -> TokenStream {
    let (path, link) = (&target.path, target.link(field));
    let name = ident(&field.ident);
    let setter = format_ident!("with_{}", in_method(&field.ident));
    let mut paragraphs = vec![format!("Sets {link}.")];
    paragraphs.extend(field.description.as_deref().and_then(first_sentence));
    let docs = docs(&paragraphs);
    let inner = ty.without_option();
    let parameter = parameter(inner, scope);
    let value = conversion(inner, &quote!(#name));
    let value = if ty.is_option() { quote!(Some(#value)) } else { value };
    let inline = is_exact(inner).then(|| quote!(#[inline]));
    quote! {
        #docs
        #inline
        #[must_use]
        pub fn #setter(mut self, #name: #parameter) -> Self {
            #path.#name = #value;
            self
        }
    }
}

/// Emits `with_product(product)` or `with_custom_attribute(name, value)`, which adds an entry to a list or a map.
fn adder(
    target: &Target<'_>,
    field: &Field,
    singular: &str,
    ty: &RustType,
    scope: &mut Scope<'_>,
) -> TokenStream {
    let (path, link) = (&target.path, target.link(field));
    let name = ident(&field.ident);
    let setter = format_ident!("with_{}", in_method(singular));
    let collection = if ty.is_option() {
        quote!(#path.#name.get_or_insert_default())
    } else {
        quote!(#path.#name)
    };
    match ty.without_option() {
        RustType::Vec(item) => {
            let docs = docs(&[format!("Adds one entry to {link}.")]);
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
            let docs =
                docs(&[format!("Adds one entry to {link}. Replaces an entry of the same name.")]);
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
