//! Emits `Validate`: the schema's limits, closed sets and advice as straight-line checks.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::Context;
use super::docs::blank_line;
use super::object::ObjectShape;
use super::scope::{Scope, ident, outer};
use crate::model::{Beyond, Field, Format, Kind, Limit, Presence, Shape, Slot};

/// The implementation for an object.
pub(crate) fn object_checks(shape: &ObjectShape<'_>, scope: &mut Scope<'_>) -> TokenStream {
    let mut checks = TokenStream::new();
    for (field, ty) in &shape.fields {
        checks.extend(field_checks(shape.context, field, ty, scope));
    }
    if let Some(base) = &shape.object.base {
        let field = ident(&base.ident);
        checks.extend(quote!(self.#field.check(place, report);));
    }
    for group in &shape.object.exactly_one_of {
        let members = shape.fields.iter().filter(|(field, _)| group.contains(&field.wire)).map(
            |(field, ty)| {
                let (wire, name) = (&field.wire, ident(&field.ident));
                let present = if outer(ty).0 == "Option" {
                    quote!(self.#name.is_some())
                } else {
                    quote!(!self.#name.is_empty())
                };
                quote!((#wire, #present))
            },
        );
        checks.extend(quote!(report.exactly_one_of(place, &[#(#members),*]);));
    }
    implementation(&ident(&shape.def.name), &checks, scope)
}

/// The implementation of `Validate` around its checks.
pub(crate) fn implementation(
    name: &Ident,
    checks: &TokenStream,
    scope: &mut Scope<'_>,
) -> TokenStream {
    scope.support(&["Validate", "Place", "Report"]);
    let blank = blank_line();
    let (place, report) = if checks.is_empty() {
        (quote!(_place), quote!(_report))
    } else {
        (quote!(place), quote!(report))
    };
    quote! {
        #blank
        impl Validate for #name {
            fn check(&self, #place: &Place<'_>, #report: &mut Report) {
                #checks
            }
        }
    }
}

fn field_checks(
    context: &Context<'_>,
    field: &Field,
    ty: &syn::Type,
    scope: &mut Scope<'_>,
) -> TokenStream {
    let (name, wire) = (ident(&field.ident), &field.wire);
    let place = quote!(place.field(#wire));
    if outer(ty).0 != "Option" {
        return Checker { context, scope }.slot(&field.slot, &quote!(self.#name), &place, 0);
    }
    let is_delegated = Checker { context, scope }.only_checks_itself(&field.slot);
    if is_delegated && field.presence != Presence::RequiredToWrite {
        return quote!(self.#name.check(&#place, report););
    }
    let checks = Checker { context, scope }.slot(&field.slot, &quote!(#name), &place, 0);
    match (field.presence, checks.is_empty()) {
        (Presence::RequiredToWrite, true) => {
            quote!(if self.#name.is_none() { report.missing(place, #wire); })
        }
        (Presence::RequiredToWrite, false) => quote! {
            match &self.#name {
                Some(#name) => { #checks }
                None => report.missing(place, #wire),
            }
        },
        (_, true) => TokenStream::new(),
        (_, false) => quote!(if let Some(#name) = &self.#name { #checks }),
    }
}

/// Emits the checks of a slot.
struct Checker<'a, 's, 'c> {
    context: &'a Context<'a>,
    scope: &'s mut Scope<'c>,
}

impl Checker<'_, '_, '_> {
    /// The checks of a slot whose value is the expression `value` (a reference or a field) at `place`.
    fn slot(
        &mut self,
        slot: &Slot,
        value: &TokenStream,
        place: &TokenStream,
        depth: usize,
    ) -> TokenStream {
        if self.has_no_checks(slot) {
            return TokenStream::new();
        }
        if self.only_checks_itself(slot) {
            return quote!(#value.check(&#place, report););
        }
        let limits = &slot.limits;
        match &slot.shape {
            Shape::String(format) => {
                let length = self.limit("max_length", value, place, limits.max_length, true);
                let format = format.map(|format| {
                    let check = match format {
                        Format::Uuid => format_ident!("uuid"),
                        Format::Ip => format_ident!("ip"),
                    };
                    let value = reference(value);
                    quote!(report.#check(&#place, #value);)
                });
                quote!(#length #format)
            }
            Shape::Scalar => {
                let length = self.limit("scalar_length", value, place, limits.max_length, true);
                quote!(#value.check(&#place, report); #length)
            }
            Shape::ScalarOrList => self.attribute_value(slot, value, place),
            Shape::Ref(_) => quote!(report.known(&#place, #value.is_known());),
            Shape::Array(item) => {
                let count =
                    self.limit("max_items", &quote!(#value.len()), place, limits.max_items, false);
                let items = self.elements(item, value, place, depth, &Elements::List);
                quote!(#count #items)
            }
            Shape::Map(item) => {
                let count = self.limit(
                    "max_properties",
                    &quote!(#value.len()),
                    place,
                    limits.max_properties,
                    false,
                );
                let names = self.limit(
                    "name_length",
                    &quote!(#value.keys()),
                    place,
                    limits.name_max_length,
                    false,
                );
                let values = self.elements(item, value, place, depth, &Elements::Map);
                quote!(#count #names #values)
            }
            Shape::Any
            | Shape::Boolean
            | Shape::Integer
            | Shape::Unsigned
            | Shape::Number
            | Shape::Foreign(_) => TokenStream::new(),
        }
    }

    /// A loop over a list or a map.
    fn elements(
        &mut self,
        item: &Slot,
        value: &TokenStream,
        place: &TokenStream,
        depth: usize,
        kind: &Elements,
    ) -> TokenStream {
        if self.has_no_checks(item) {
            return TokenStream::new();
        }
        if self.only_checks_itself(item) {
            return quote!(#value.check(&#place, report););
        }
        let parent = format_ident!("place_{depth}");
        let (key, element) = (format_ident!("key_{depth}"), format_ident!("value_{depth}"));
        let (pattern, iterator, inner_place) = match kind {
            Elements::List => (
                quote!((#key, #element)),
                quote!(#value.iter().enumerate()),
                quote!(#parent.index(#key)),
            ),
            Elements::Map => {
                (quote!((#key, #element)), reference(value), quote!(#parent.key(#key)))
            }
        };
        let mut checks = self.slot(item, &quote!(#element), &inner_place, depth + 1);
        if item.nullable && !matches!(item.shape, Shape::Scalar | Shape::ScalarOrList) {
            checks = quote!(if let Some(#element) = #element { #checks });
        }
        quote! {
            let #parent = #place;
            for #pattern in #iterator {
                #checks
            }
        }
    }

    fn attribute_value(
        &mut self,
        slot: &Slot,
        value: &TokenStream,
        place: &TokenStream,
    ) -> TokenStream {
        self.scope.support(&["AttributeLimits"]);
        let [scalar, items, item] =
            [slot.limits.max_length, slot.limits.max_items, slot.limits.item_max_length].map(
                |limit| {
                    limit.map_or_else(
                        || quote!(None),
                        |limit| {
                            let (value, beyond) = (number(limit.value), self.beyond(limit.beyond));
                            quote!(Some((#value, #beyond)))
                        },
                    )
                },
            );
        let by_reference = reference(value);
        quote! {
            #value.check(&#place, report);
            let limits = AttributeLimits { scalar: #scalar, items: #items, item: #item };
            report.attribute_value(&#place, #by_reference, limits);
        }
    }

    /// One call of a limit's check, when there is such a limit.
    fn limit(
        &mut self,
        check: &str,
        value: &TokenStream,
        place: &TokenStream,
        limit: Option<Limit>,
        by_reference: bool,
    ) -> TokenStream {
        let Some(limit) = limit else {
            return TokenStream::new();
        };
        let check = format_ident!("{check}");
        let (maximum, beyond) = (number(limit.value), self.beyond(limit.beyond));
        let value = if by_reference { reference(value) } else { value.clone() };
        quote!(report.#check(&#place, #value, #maximum, #beyond);)
    }

    fn beyond(&mut self, beyond: Beyond) -> TokenStream {
        self.scope.support(&["Beyond"]);
        match beyond {
            Beyond::Refused => quote!(Beyond::Refused),
            Beyond::Cut => quote!(Beyond::Cut),
            Beyond::Undocumented => quote!(Beyond::Undocumented),
        }
    }

    /// Whether nothing can be wrong with a value that could be read.
    fn has_no_checks(&self, slot: &Slot) -> bool {
        let limits = &slot.limits;
        match &slot.shape {
            Shape::Any | Shape::Boolean | Shape::Integer | Shape::Unsigned => true,
            Shape::String(format) => format.is_none() && limits.max_length.is_none(),
            Shape::Ref(name) => self.is_open_enum(name),
            Shape::Array(item) => limits.max_items.is_none() && self.has_no_checks(item),
            Shape::Map(item) => {
                limits.max_properties.is_none()
                    && limits.name_max_length.is_none()
                    && self.has_no_checks(item)
            }
            Shape::Number | Shape::Scalar | Shape::ScalarOrList | Shape::Foreign(_) => false,
        }
    }

    /// Whether the value's own `check` does it all, also behind `Option`, `Vec` and maps.
    fn only_checks_itself(&self, slot: &Slot) -> bool {
        let limits = &slot.limits;
        match &slot.shape {
            Shape::Number | Shape::Foreign(_) => true,
            Shape::Scalar => limits.max_length.is_none(),
            Shape::ScalarOrList => {
                limits.max_length.is_none()
                    && limits.max_items.is_none()
                    && limits.item_max_length.is_none()
            }
            Shape::Ref(name) => !self.is_enum(name),
            Shape::Array(item) => limits.max_items.is_none() && self.only_checks_itself(item),
            Shape::Map(item) => {
                limits.max_properties.is_none()
                    && limits.name_max_length.is_none()
                    && self.only_checks_itself(item)
            }
            Shape::Any | Shape::Boolean | Shape::Integer | Shape::Unsigned | Shape::String(_) => {
                false
            }
        }
    }

    fn is_enum(&self, name: &str) -> bool {
        self.context.find(name).is_some_and(|def| matches!(def.kind, Kind::Enum(_)))
    }

    fn is_open_enum(&self, name: &str) -> bool {
        self.context
            .find(name)
            .is_some_and(|def| matches!(&def.kind, Kind::Enum(set) if !set.closed))
    }
}

/// What is looped over.
enum Elements {
    List,
    Map,
}

/// `self.x` needs a `&` where a reference is asked for; a bound name is one already.
fn reference(value: &TokenStream) -> TokenStream {
    let is_field = value.to_string().starts_with("self");
    if is_field { quote!(&#value) } else { value.clone() }
}

fn number(value: u64) -> proc_macro2::Literal {
    proc_macro2::Literal::u64_unsuffixed(value)
}
