//! Emits `Validate`: checks of the limits, closed sets and advice of the schema.

use proc_macro2::{Ident, Literal, TokenStream};
use quote::{format_ident, quote};

use super::Context;
use super::bounds::{Side, outside};
use super::docs::{blank_line, docs};
use super::scope::{Scope, ident};
use super::shape::ObjectShape;
use crate::model::{Beyond, Field, Format, Kind, Limit, Limits, Presence, Records, Shape, Slot};
use crate::rust_type::RustType;

/// Emits the implementation for an object.
pub(crate) fn object_checks(shape: &ObjectShape<'_>, scope: &mut Scope<'_>) -> TokenStream {
    let mut checks = TokenStream::new();
    for (field, ty) in &shape.fields {
        checks.extend(field_checks(shape.context, field, ty, scope));
    }
    if let Some(base) = &shape.object.base {
        let field = ident(&base.ident);
        checks.extend(quote!(self.#field.check(place, report);));
        checks.extend(required_of_base(shape, &field));
    }
    for group in &shape.object.exactly_one_of {
        let members = shape.fields.iter().filter(|(field, _)| group.contains(&field.wire));
        let members = members.map(|(field, ty)| {
            let (wire, name) = (&field.wire, ident(&field.ident));
            let present = is_present(&quote!(self.#name), ty);
            quote!((#wire, #present))
        });
        checks.extend(quote!(report.exactly_one_of(place, &[#(#members),*]);));
    }
    checks.extend(shape.object.records.as_ref().map(|records| record_checks(shape, records)));
    if shape.has_extra {
        checks.extend(quote!(report.extra::<Self>(place, &self.extra);));
    }
    implementation(&ident(&shape.def.name), &checks, scope)
}

/// Emits the checks of the fields of the base that only this object requires.
fn required_of_base(shape: &ObjectShape<'_>, base: &Ident) -> TokenStream {
    let required = shape.base_fields().into_iter().filter(|(field, _)| {
        let only_here = field.presence == Presence::Optional;
        only_here && shape.object.required_of_base.contains(&field.wire)
    });
    let checks = required.map(|(field, ty)| {
        let (wire, name) = (&field.wire, ident(&field.ident));
        let is_absent = if ty.is_option() { quote!(is_none) } else { quote!(is_empty) };
        quote!(if self.#base.#name.#is_absent() { report.missing(place, #wire); })
    });
    checks.collect()
}

/// Returns the condition that an optional field is present.
fn is_present(field: &TokenStream, ty: &RustType) -> TokenStream {
    match ty {
        RustType::Option(_) => quote!(#field.is_some()),
        RustType::Vec(_) | RustType::Map(_) => quote!(!#field.is_empty()),
        _ => quote!(true),
    }
}

/// Emits the check that each record from which the object was read has a key and a value.
fn record_checks(shape: &ObjectShape<'_>, records: &Records) -> TokenStream {
    let holder = ident(&records.ident);
    let fields =
        shape.context.object(&records.type_name).into_iter().flat_map(|record| &record.fields);
    let is_present = fields
        .filter(|field| [&records.key, &records.value].contains(&&field.wire))
        .filter(|field| field.presence != Presence::Required)
        .map(|field| ident(&field.ident));
    let is_present: Vec<_> = is_present.collect();
    if is_present.is_empty() {
        return TokenStream::new();
    }
    quote! {
        for (index, record) in self.#holder.iter().enumerate() {
            report.record(&place.index(index), #(record.#is_present.is_some())&&*);
        }
    }
}

/// Emits the method `validate` of a type.
pub(crate) fn validate_method(scope: &mut Scope<'_>) -> TokenStream {
    scope.support(&["Violation", "validate"]);
    let docs = docs(&[
        "Returns every violation of mParticle's rules, limits and advice in this value. The list is empty if there is none.",
    ]);
    quote! {
        #docs
        #[inline]
        #[must_use]
        pub fn validate(&self) -> Vec<Violation> {
            validate::run(self)
        }
    }
}

/// Emits the implementation of `Validate` with its checks.
///
/// It is inline, and therefore compiled only where documents are validated.
pub(crate) fn implementation(
    name: &Ident,
    checks: &TokenStream,
    scope: &mut Scope<'_>,
) -> TokenStream {
    scope.support(&["Validate", "Place", "Report"]);
    let blank = blank_line();
    let [place, report] = ["place", "report"]
        .map(|name| if checks.is_empty() { format_ident!("_{name}") } else { ident(name) });
    quote! {
        #blank
        impl Validate for #name {
            #[inline]
            fn check(&self, #place: &Place<'_>, #report: &mut Report) {
                #checks
            }
        }
    }
}

/// The kind of check that a value requires.
enum Checks {
    /// None: every value that can be read is valid.
    None,
    /// The method `check` of the value. Options, lists and maps call it for their elements.
    Itself,
    /// Statements about the value.
    Statements(TokenStream),
}

fn field_checks(
    context: &Context<'_>,
    field: &Field,
    ty: &RustType,
    scope: &mut Scope<'_>,
) -> TokenStream {
    let (name, wire) = (ident(&field.ident), &field.wire);
    let place = quote!(place.field(#wire));
    let is_option = ty.is_option();
    // Names of the schema do not become names of variables, because a field may be called `report`.
    let value = if is_option {
        Value { receiver: quote!(value), reference: quote!(value), copied: quote!(*value) }
    } else {
        let place = quote!(self.#name);
        Value { receiver: place.clone(), reference: quote!(&#place), copied: place }
    };
    let checks = Checker { context, scope }.checks(&field.slot, &value, &place, "");
    if field.presence == Presence::RequiredToWrite {
        let checks = statements(checks, &value, &place);
        return quote! {
            match &self.#name {
                Some(value) => { #checks }
                None => report.missing(place, #wire),
            }
        };
    }
    match checks {
        Checks::None => TokenStream::new(),
        Checks::Itself => quote!(self.#name.check(&#place, report);),
        Checks::Statements(checks) if is_option => {
            quote!(if let Some(value) = &self.#name { #checks })
        }
        Checks::Statements(checks) => checks,
    }
}

fn statements(checks: Checks, value: &Value, place: &TokenStream) -> TokenStream {
    let receiver = &value.receiver;
    match checks {
        Checks::None => TokenStream::new(),
        Checks::Itself => quote!(#receiver.check(&#place, report);),
        Checks::Statements(checks) => checks,
    }
}

/// The expressions for a value: one to call its methods, and one to pass it by reference.
struct Value {
    receiver: TokenStream,
    reference: TokenStream,
    /// The value itself, for a type that is `Copy`.
    copied: TokenStream,
}

/// Emits the checks of a slot.
struct Checker<'a, 's, 'c> {
    context: &'a Context<'a>,
    scope: &'s mut Scope<'c>,
}

impl Checker<'_, '_, '_> {
    /// Emits the checks of a value at a place. `prefix` distinguishes the names in nested loops.
    fn checks(&mut self, slot: &Slot, value: &Value, place: &TokenStream, prefix: &str) -> Checks {
        let limits = &slot.limits;
        let Value { receiver, reference, .. } = value;
        match &slot.shape {
            Shape::Any | Shape::Boolean => Checks::None,
            Shape::Integer | Shape::Unsigned => some(self.bounds(slot, value, place)),
            Shape::Number => match self.bounds(slot, value, place) {
                bounds if bounds.is_empty() => Checks::Itself,
                bounds => Checks::Statements(quote!(#receiver.check(&#place, report); #bounds)),
            },
            Shape::Foreign(_) => Checks::Itself,
            Shape::Ref(name) => match self.context.find(name).map(|def| &def.kind) {
                Some(Kind::Enum(set)) if !set.closed => Checks::None,
                Some(Kind::Enum(_)) => {
                    Checks::Statements(quote!(report.known(&#place, #receiver.is_known());))
                }
                _ => Checks::Itself,
            },
            Shape::String(format) => {
                let length = self.limit("max_length", place, reference, limits.max_length);
                let format = format.map(|format| {
                    let check = ident(match format {
                        Format::Uuid => "uuid",
                        Format::Ip => "ip",
                    });
                    quote!(report.#check(&#place, #reference);)
                });
                some(quote!(#length #format))
            }
            Shape::Scalar | Shape::ScalarOrList if *limits == Limits::default() => Checks::Itself,
            Shape::Scalar => {
                let length = self.limit("scalar_length", place, reference, limits.max_length);
                Checks::Statements(quote!(#receiver.check(&#place, report); #length))
            }
            Shape::ScalarOrList => self.attribute_value(slot, value, place),
            Shape::Array(item) => {
                let names = Names::new(prefix, "items", "index", "item");
                let count = [("max_items", quote!(#receiver.len()), limits.max_items)];
                let pairs = quote!(#receiver.iter().enumerate());
                self.elements(item, &names, &pairs, &format_ident!("index"), place, &count)
            }
            Shape::Map(item) => {
                let names = Names::new(prefix, "entries", "name", "value");
                let count = [
                    ("max_properties", quote!(#receiver.len()), limits.max_properties),
                    ("name_length", quote!(#receiver.keys()), limits.name_max_length),
                ];
                self.elements(item, &names, reference, &format_ident!("key"), place, &count)
            }
        }
    }

    /// Emits the checks of a list or a map: the check of its size, and the checks of each element in a loop over
    /// `pairs`.
    fn elements(
        &mut self,
        item: &Slot,
        names: &Names,
        pairs: &TokenStream,
        step: &Ident,
        place: &TokenStream,
        sizes: &[(&str, TokenStream, Option<Limit>)],
    ) -> Checks {
        let Names { places, key, element, prefix } = names;
        let value = Value {
            receiver: quote!(#element),
            reference: quote!(#element),
            copied: quote!(*#element),
        };
        let element_place = quote!(#places.#step(#key));
        let inner = self.checks(item, &value, &element_place, prefix);
        let unlimited = sizes.iter().all(|(.., limit)| limit.is_none());
        if unlimited && !matches!(inner, Checks::Statements(_)) {
            return inner;
        }
        let sizes: TokenStream = sizes
            .iter()
            .filter_map(|(check, size, limit)| self.limit(check, &quote!(#places), size, *limit))
            .collect();
        let mut inner = statements(inner, &value, &element_place);
        if item.nullable
            && !inner.is_empty()
            && !matches!(item.shape, Shape::Scalar | Shape::ScalarOrList)
        {
            inner = quote!(if let Some(#element) = #element { #inner });
        }
        let each = (!inner.is_empty()).then(|| quote!(for (#key, #element) in #pairs { #inner }));
        Checks::Statements(quote!(let #places = #place; #sizes #each))
    }

    fn attribute_value(&mut self, slot: &Slot, value: &Value, place: &TokenStream) -> Checks {
        self.scope.support(&["AttributeLimits"]);
        let limits = [slot.limits.max_length, slot.limits.max_items, slot.limits.item_max_length];
        let [scalar, items, item] = limits.map(|limit| {
            let Some((maximum, beyond)) = limit.map(|limit| self.bound(limit)) else {
                return quote!(None);
            };
            quote!(Some((#maximum, #beyond)))
        });
        let Value { receiver, reference, .. } = value;
        Checks::Statements(quote! {
            #receiver.check(&#place, report);
            let limits = AttributeLimits { scalar: #scalar, items: #items, item: #item };
            report.attribute_value(&#place, #reference, limits);
        })
    }

    /// Emits a call of the check of a limit, if there is such a limit.
    fn limit(
        &mut self,
        check: &str,
        place: &TokenStream,
        value: &TokenStream,
        limit: Option<Limit>,
    ) -> Option<TokenStream> {
        let check = ident(check);
        let (maximum, beyond) = self.bound(limit?);
        Some(quote!(report.#check(&#place, #value, #maximum, #beyond);))
    }

    /// Emits the checks of the bounds of a number.
    fn bounds(&mut self, slot: &Slot, value: &Value, place: &TokenStream) -> TokenStream {
        let limits = &slot.limits;
        let sides = [
            (Side::Minimum, "minimum", &limits.minimum),
            (Side::Maximum, "maximum", &limits.maximum),
        ];
        let checks = sides.into_iter().filter_map(|(side, check, bound)| {
            let bound = bound.as_ref()?;
            let outside = outside(&slot.shape, side, &bound.value, &value.copied)?;
            let (check, beyond) = (ident(check), self.beyond(bound.beyond));
            Some(quote!(report.#check(&#place, #outside, #beyond);))
        });
        checks.collect()
    }

    fn bound(&mut self, limit: Limit) -> (Literal, TokenStream) {
        (Literal::u64_unsuffixed(limit.value), self.beyond(limit.beyond))
    }

    fn beyond(&mut self, beyond: Beyond) -> TokenStream {
        self.scope.support(&["Beyond"]);
        match beyond {
            Beyond::Refused => quote!(Beyond::Refused),
            Beyond::Cut => quote!(Beyond::Cut),
            Beyond::Undocumented => quote!(Beyond::Undocumented),
        }
    }
}

fn some(checks: TokenStream) -> Checks {
    if checks.is_empty() { Checks::None } else { Checks::Statements(checks) }
}

/// The names in a loop.
struct Names {
    places: Ident,
    key: Ident,
    element: Ident,
    /// Returns the prefix of the names in a loop inside this one.
    prefix: String,
}

impl Names {
    fn new(prefix: &str, places: &str, key: &str, element: &str) -> Self {
        let [places, key, element] =
            [places, key, element].map(|name| format_ident!("{prefix}{name}"));
        Self { places, key, element, prefix: format!("{prefix}inner_") }
    }
}
