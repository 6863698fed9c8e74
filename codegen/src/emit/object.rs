//! Emits an object: its struct, and the implementations for reading, locating and validating it.

use proc_macro2::TokenStream;
use quote::quote;

use super::Context;
use super::docs::{blank_line, docs, field_paragraphs, type_docs};
use super::document::{document_methods, from_str};
use super::names::iter_method;
use super::scope::{Scope, binding, ident};
use super::setters::{constructor, setters};
use super::shape::ObjectShape;
use super::validate::{object_checks, validate_method};
use crate::model::{Field, Object, Presence, Shape, TypeDef};
use crate::rust_type::RustType;

/// Emits all items of an object.
pub(crate) fn object(
    context: &Context<'_>,
    def: &TypeDef,
    object: &Object,
    scope: &mut Scope<'_>,
) -> TokenStream {
    let shape = ObjectShape::new(context, def, object);
    let item = shape.item(scope);
    let methods = shape.methods(scope);
    let read = shape.read(scope);
    let shaped = shape.shaped(scope);
    let validate = object_checks(&shape, scope);
    let enveloped = shape.enveloped(scope);
    quote!(#item #methods #read #shaped #validate #enveloped)
}

impl ObjectShape<'_> {
    fn item(&self, scope: &mut Scope<'_>) -> TokenStream {
        scope.serde(&["Serialize", "Deserialize"]);
        let name = ident(&self.def.name);
        let type_docs = type_docs(self.def, &[]);
        let default = self.has_default().then(|| quote!(Default,));
        let fields = self
            .fields
            .iter()
            .map(|(field, ty)| struct_field(field, ty, scope))
            .collect::<Vec<_>>();
        let base = self.object.base.as_ref().map(|base| {
            let (field, ty) = (ident(&base.ident), scope.generated(&base.type_name));
            let docs = docs(&[format!(
                "The fields of [`{}`], which are read and written beside the other fields.",
                base.type_name
            )]);
            quote!(#docs #[serde(flatten)] pub #field: #ty,)
        });
        let records = self.object.records.as_ref().map(|records| {
            let (field, ty) = (ident(&records.ident), scope.generated(&records.type_name));
            let docs = docs(&["The records of the exported list from which this value was read. They are never written."]);
            quote!(#docs #[serde(skip)] pub #field: Vec<#ty>,)
        });
        let envelope = self.is_union_content.then(|| {
            let docs =
                docs(&["Unknown fields beside the tag and this content. They are written back."]);
            quote!(#docs #[serde(skip)] pub envelope: Extra,)
        });
        let extra = self.has_extra.then(|| {
            let docs = docs(&[
                "Fields that this version does not know. They are written back as they were read.",
            ]);
            let writer = format!("write::extra::<{}, _>", self.def.name);
            scope.support(&["write"]);
            quote!(#docs #[serde(flatten, serialize_with = #writer)] pub extra: Extra,)
        });
        if self.has_extra || self.is_union_content {
            scope.support(&["Extra"]);
        }
        quote! {
            #type_docs
            #[derive(Clone, Debug, #default PartialEq, Serialize, Deserialize)]
            #[non_exhaustive]
            pub struct #name {
                #(#fields)*
                #base
                #records
                #envelope
                #extra
            }
        }
    }

    fn methods(&self, scope: &mut Scope<'_>) -> TokenStream {
        let name = ident(&self.def.name);
        let blank = blank_line();
        let new = constructor(self, scope);
        let entry = self.object.entry.then(|| document_methods(scope));
        let from_str = self.object.entry.then(|| from_str(&name, scope));
        let setters = setters(self, scope);
        let names = iter_method(self);
        let validate = validate_method(scope);
        quote! {
            #blank
            impl #name {
                #new
                #setters
                #names
                #entry
                #validate
            }
            #from_str
        }
    }

    fn read(&self, scope: &mut Scope<'_>) -> TokenStream {
        scope.support(&["read", "Read"]);
        scope.serde(&["Deserializer"]);
        let name = ident(&self.def.name);
        let blank = blank_line();
        let body = if let Some(records) = &self.object.records {
            let field = binding(&ident(&records.ident), "records");
            let (key, value) = (&records.key, &records.value);
            quote! {
                let keyed = read::keyed::<D, Self, _>(deserializer, #key, #value)?;
                Ok(keyed.map(|(fields, records)| Self { #field, ..fields }))
            }
        } else {
            quote!(read::object(deserializer))
        };
        quote! {
            #blank
            impl Read for #name {
                fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                    #body
                }
            }
        }
    }

    /// Emits the table that is used to find the place of an error.
    fn shaped(&self, scope: &mut Scope<'_>) -> TokenStream {
        scope.support(&["Shape", "Shaped"]);
        if !self.fields.is_empty() || self.object.base.is_some() {
            scope.support(&["Field"]);
        }
        let name = ident(&self.def.name);
        let blank = blank_line();
        let fields = self.fields.iter().map(|(field, ty)| {
            let ty = scope.ty(ty.without_option());
            let wire = &field.wire;
            let aliases = &field.aliases;
            let kind = if field.presence == Presence::Required {
                quote!(required)
            } else {
                quote!(optional)
            };
            quote!(Field::#kind::<#ty>(&[#wire, #(#aliases),*]))
        });
        let fields = fields.collect::<Vec<_>>();
        let base = self.object.base.as_ref().map(|base| {
            let ty = scope.generated(&base.type_name);
            quote!(Field::flattened::<#ty>(),)
        });
        let fields = quote!(&[#(#fields,)* #base]);
        let shape = if let Some(records) = &self.object.records {
            scope.support(&["KeyedShape"]);
            let ty = scope.generated(&records.type_name);
            let (key, value) = (&records.key, &records.value);
            let record = quote!(&<#ty as Shaped>::SHAPE);
            quote! {
                Shape::Keyed(|| const {
                    &KeyedShape { fields: #fields, record: #record, key: #key, value: #value }
                })
            }
        } else {
            quote!(Shape::Object(|| const { #fields }))
        };
        quote! {
            #blank
            impl Shaped for #name {
                const SHAPE: Shape = #shape;
            }
        }
    }

    fn enveloped(&self, scope: &mut Scope<'_>) -> TokenStream {
        if !self.is_union_content {
            return TokenStream::new();
        }
        scope.support(&["Enveloped"]);
        let name = ident(&self.def.name);
        let blank = blank_line();
        quote! {
            #blank
            impl Enveloped for #name {
                fn envelope(&self) -> &Extra {
                    &self.envelope
                }

                #blank
                fn envelope_mut(&mut self) -> &mut Extra {
                    &mut self.envelope
                }
            }
        }
    }
}

fn struct_field(field: &Field, ty: &RustType, scope: &mut Scope<'_>) -> TokenStream {
    let docs = docs(&field_paragraphs(field));
    let name = ident(&field.ident);
    let attributes = serde_attributes(field, ty, scope);
    let ty = scope.ty(ty);
    quote!(#docs #[serde(#(#attributes),*)] pub #name: #ty,)
}

fn serde_attributes(field: &Field, ty: &RustType, scope: &mut Scope<'_>) -> Vec<TokenStream> {
    let mut attributes = Vec::new();
    let wire = &field.wire;
    if field.wire != field.ident {
        attributes.push(quote!(rename = #wire));
    }
    attributes.extend(field.aliases.iter().map(|alias| quote!(alias = #alias)));
    if field.presence != Presence::Required {
        attributes.push(quote!(default));
    }
    if matches!(field.presence, Presence::Optional | Presence::RequiredToWrite) {
        let is_empty = match ty {
            RustType::Vec(_) => "Vec::is_empty",
            RustType::Map(_) => "BTreeMap::is_empty",
            _ => "Option::is_none",
        };
        attributes.push(quote!(skip_serializing_if = #is_empty));
    }
    let reader = reader(field, ty);
    attributes.push(quote!(deserialize_with = #reader));
    if holds_number(&field.slot.shape) {
        scope.support(&["write"]);
        attributes.push(quote!(serialize_with = "write::number"));
    }
    attributes
}

fn reader(field: &Field, ty: &RustType) -> &'static str {
    match (field.presence, &field.slot.shape, ty) {
        (Presence::Required, ..) => "read::required",
        (_, Shape::String(Some(_)), _) => "read::identifier",
        (_, _, RustType::Vec(_) | RustType::Map(_)) => "read::collection",
        _ => "read::optional",
    }
}

/// Whether a slot contains numbers that must be finite.
fn holds_number(shape: &Shape) -> bool {
    match shape {
        Shape::Number => true,
        Shape::Array(inner) | Shape::Map(inner) => holds_number(&inner.shape),
        _ => false,
    }
}
