//! Emits an adjacently tagged union: an enum of its known contents, and the implementations that read and write it.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::Context;
use super::docs::{blank_line, docs, type_docs};
use super::document::{document_methods, from_str};
use super::scope::{Scope, binding, ident};
use super::validate::{implementation, validate_method};
use super::variant_access::{VariantTypes, accessors, conversions};
use crate::model::{TypeDef, Union, Variant};
use crate::names::{field_ident, is_ident};

/// Emits all items of a union.
pub(crate) fn union(
    context: &Context<'_>,
    def: &TypeDef,
    union: &Union,
    scope: &mut Scope<'_>,
) -> TokenStream {
    let shape = UnionShape::new(context, def, union, scope);
    let item = shape.item(scope);
    let methods = shape.methods(scope);
    let conversions = conversions(&shape.name, &shape.types());
    let reading = shape.reading(scope);
    let writing = shape.writing(scope);
    let shaped = shape.shaped(scope);
    let validate = shape.validate(scope);
    quote!(#item #methods #conversions #writing #reading #shaped #validate)
}

/// The names of the methods of a union, and of the third field of its variant `Unknown`.
const METHODS: &[&str] = &["extra", "from_slice", "from_str", "to_vec", "validate"];

struct UnionShape<'a> {
    def: &'a TypeDef,
    union: &'a Union,
    name: Ident,
    tag: Ident,
    content: Ident,
    /// The names of the variants and the types of their contents, as tokens.
    variants: Vec<(&'a Variant, Ident, Ident)>,
    /// The base that all contents have in common: its field and its type.
    base: Option<(Ident, Ident)>,
}

impl<'a> UnionShape<'a> {
    fn new(
        context: &Context<'_>,
        def: &'a TypeDef,
        union: &'a Union,
        scope: &mut Scope<'_>,
    ) -> Self {
        let variants = union
            .variants
            .iter()
            .map(|variant| (variant, ident(&variant.ident), scope.generated(&variant.type_name)))
            .collect();
        let base = shared_base(context, union);
        let base_names = base.iter().flat_map(|(field, _)| [field.clone(), format!("{field}_mut")]);
        let methods = METHODS.iter().map(|&name| name.to_owned()).chain(base_names);
        let tag = part_ident(&union.tag, "tag", &methods.collect::<Vec<_>>());
        let beside = ["extra".to_owned(), tag.to_string()];
        let base = base.map(|(field, ty)| (ident(&field), scope.generated(&ty)));
        Self {
            def,
            union,
            name: ident(&def.name),
            content: part_ident(&union.content, "content", &beside),
            tag,
            variants,
            base,
        }
    }

    fn item(&self, scope: &mut Scope<'_>) -> TokenStream {
        scope.support(&["Extra"]);
        scope.serde_json("Value");
        let Self { name, tag, content, .. } = self;
        let type_docs = type_docs(self.def, &[]);
        let variants = self.variants.iter().map(|(variant, name, ty)| {
            let text =
                variant.description.clone().unwrap_or_else(|| format!("`{}`.", variant.wire));
            let docs = docs(&[text]);
            quote!(#docs #name(Box<#ty>))
        });
        let unknown_docs =
            docs(&["A value of a type that this version does not know, as it was read."]);
        let tag_docs = docs(&[format!("The `{}` in JSON.", self.union.tag)]);
        let content_docs =
            docs(&[format!("The `{}`, an object, or null if it is absent.", self.union.content)]);
        let extra_docs = docs(&["Other fields of the object."]);
        quote! {
            #type_docs
            #[derive(Clone, Debug, PartialEq)]
            #[non_exhaustive]
            pub enum #name {
                #(#variants,)*
                #unknown_docs
                Unknown {
                    #tag_docs
                    #tag: String,
                    #content_docs
                    #content: Value,
                    #extra_docs
                    extra: Extra,
                },
            }
        }
    }

    fn methods(&self, scope: &mut Scope<'_>) -> TokenStream {
        let Self { name, tag, .. } = self;
        let blank = blank_line();
        let tag_docs = docs(&[format!("Returns the `{}` in JSON.", self.union.tag)]);
        let tag_binding = binding(tag, "tag");
        let tags = self.variants.iter().map(|(variant, name, _)| {
            let wire = &variant.wire;
            quote!(Self::#name(_) => #wire)
        });
        let base = self.base.as_ref().map(|(field, ty)| self.base_methods(field, ty));
        let accessors = accessors(&self.types(), &self.method_names());
        let entry = self.union.entry.then(|| document_methods(scope));
        let from_str = self.union.entry.then(|| from_str(name, scope));
        let validate = validate_method(scope);
        quote! {
            #blank
            impl #name {
                #tag_docs
                #[must_use]
                pub fn #tag(&self) -> &str {
                    match self {
                        #(#tags,)*
                        Self::Unknown { #tag_binding, .. } => tag,
                    }
                }
                #base
                #accessors
                #entry
                #validate
            }
            #from_str
        }
    }

    fn base_methods(&self, field: &Ident, ty: &Ident) -> TokenStream {
        let names: Vec<_> = self.variants.iter().map(|(_, name, _)| name).collect();
        let field_mut = format_ident!("{field}_mut");
        let get_docs =
            docs(&["Returns the fields that all known types have, or `None` for an unknown type."]);
        let mut_docs = docs(&[
            "Returns a mutable reference to the fields that all known types have, or `None` for an unknown type.",
        ]);
        quote! {
            #get_docs
            #[must_use]
            pub fn #field(&self) -> Option<&#ty> {
                match self {
                    #(Self::#names(content) => Some(&content.#field),)*
                    Self::Unknown { .. } => None,
                }
            }

            #mut_docs
            pub fn #field_mut(&mut self) -> Option<&mut #ty> {
                match self {
                    #(Self::#names(content) => Some(&mut content.#field),)*
                    Self::Unknown { .. } => None,
                }
            }
        }
    }

    /// Emits the variants with the types of their contents.
    fn types(&self) -> Vec<VariantTypes<'_>> {
        self.variants.iter().map(|(_, variant, ty)| (variant, ty)).collect()
    }

    /// Returns the names of the methods that do not come from the variants.
    fn method_names(&self) -> Vec<&Ident> {
        let base = self.base.iter().map(|(field, _)| field);
        base.chain([&self.tag]).collect()
    }

    fn writing(&self, scope: &mut Scope<'_>) -> TokenStream {
        scope.serde(&["Serialize", "Serializer"]);
        scope.support(&["write"]);
        let Self { name, tag, content, .. } = self;
        let content_binding = binding(content, "content");
        let blank = blank_line();
        let names = self.variants.iter().map(|(_, name, _)| name);
        quote! {
            #blank
            impl Serialize for #name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    let tag = self.#tag();
                    match self {
                        #(Self::#names(content) => {
                            write::enveloped::<Self, _, _>(serializer, tag, &**content)
                        })*
                        Self::Unknown { #content_binding, extra, .. } => {
                            let content = Some(content).filter(|content| !content.is_null());
                            write::tagged(serializer, (Self::TAG, tag), (Self::CONTENT, content), extra)
                        }
                    }
                }
            }
        }
    }

    fn reading(&self, scope: &mut Scope<'_>) -> TokenStream {
        scope.serde(&["Deserialize", "Deserializer"]);
        scope.support(&["read", "Read", "Tagged"]);
        let name = &self.name;
        let (tag_name, content_name) = (&self.union.tag, &self.union.content);
        let [tag_binding, content_binding] =
            [binding(&self.tag, "tag"), binding(&self.content, "content")];
        let blank = blank_line();
        let indexed = || self.variants.iter().enumerate();
        let canonical = indexed().map(|(index, (variant, ..))| tag_entry(&variant.wire, index));
        let aliases = indexed().flat_map(|(index, (variant, ..))| {
            variant.aliases.iter().map(move |alias| tag_entry(alias, index))
        });
        let arms = indexed().map(|(index, (_, variant, _))| {
            let index = Literal::usize_unsuffixed(index);
            quote!(#index => Deserialize::deserialize(content).map(Self::#variant))
        });
        let names: Vec<_> = self.variants.iter().map(|(_, name, _)| name).collect();
        quote! {
            #blank
            impl<'de> Deserialize<'de> for #name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    read::required(deserializer)
                }
            }

            #blank
            impl Tagged for #name {
                const TAG: &'static str = #tag_name;
                const CONTENT: &'static str = #content_name;

                #blank
                fn known(tag: &str) -> Option<usize> {
                    read::position(&[#(#canonical,)* #(#aliases,)*], tag)
                }

                #blank
                fn read_content<'de, D: Deserializer<'de>>(variant: usize, content: D) -> Result<Self, D::Error> {
                    match variant {
                        #(#arms,)*
                        _ => Err(read::no_variant(variant)),
                    }
                }

                #blank
                #[inline]
                fn unknown(tag: String, content: Value, extra: Extra) -> Self {
                    Self::Unknown { #tag_binding, #content_binding, extra }
                }

                #blank
                #[inline]
                fn set_envelope(&mut self, envelope: Extra) {
                    match self {
                        #(Self::#names(content) => content.envelope = envelope,)*
                        Self::Unknown { extra, .. } => *extra = envelope,
                    }
                }
            }

            #blank
            impl Read for #name {
                fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                    read::tagged(deserializer)
                }
            }
        }
    }

    fn shaped(&self, scope: &mut Scope<'_>) -> TokenStream {
        scope.support(&["Shape", "Shaped", "TaggedShape"]);
        let name = &self.name;
        let blank = blank_line();
        let types = self.variants.iter().map(|(_, _, ty)| ty);
        quote! {
            #blank
            impl Shaped for #name {
                const SHAPE: Shape = Shape::Tagged(|| const {
                    &TaggedShape {
                        tag: Self::TAG,
                        content: Self::CONTENT,
                        known: Self::known,
                        variants: &[#(&<#types as Shaped>::SHAPE),*],
                    }
                });
            }
        }
    }

    fn validate(&self, scope: &mut Scope<'_>) -> TokenStream {
        let content_binding = binding(&self.content, "content");
        let (tag_name, content_name) = (&self.union.tag, &self.union.content);
        let names = self.variants.iter().map(|(_, name, _)| name);
        let closed =
            self.union.closed.then(|| quote!(report.known(&place.field(#tag_name), false);));
        let checks = quote! {
            match self {
                #(Self::#names(content) => {
                    content.check(&place.field(#content_name), report);
                    report.envelope(place, [Self::TAG, Self::CONTENT], &content.envelope);
                })*
                Self::Unknown { #content_binding, extra, .. } => {
                    report.object(&place.field(#content_name), content);
                    report.envelope(place, [Self::TAG, Self::CONTENT], extra);
                    #closed
                }
            }
        };
        implementation(&self.name, &checks, scope)
    }
}

fn tag_entry(wire: &str, index: usize) -> TokenStream {
    let index = Literal::usize_unsuffixed(index);
    quote!((#wire, #index))
}

/// Returns the Rust name of the tag or the content of a union, which differs from other names there.
fn part_ident(wire: &str, fallback: &str, taken: &[String]) -> Ident {
    let name = Some(field_ident(wire)).filter(|name| is_ident(name));
    let mut name = name.unwrap_or_else(|| fallback.to_owned());
    while taken.contains(&name) {
        name.push('_');
    }
    ident(&name)
}

/// Returns the base that the contents of all variants have in common.
fn shared_base(context: &Context<'_>, union: &Union) -> Option<(String, String)> {
    let mut bases = union.variants.iter().map(|variant| {
        let base = context.object(&variant.type_name)?.base.as_ref()?;
        Some((base.ident.clone(), base.type_name.clone()))
    });
    let first = bases.next()??;
    bases.all(|base| base.as_ref() == Some(&first)).then_some(first)
}
