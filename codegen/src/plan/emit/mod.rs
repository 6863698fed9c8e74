//! Emits the Rust code of a plan.
//!
//! Names of the standard library are written as absolute paths: an event may be called `Option` or `String`.

mod choices;
mod event;
mod setters;
mod values;
mod words;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt as _;
use syn::parse::Parser as _;

use super::embed;
use super::model::{Module, Plan, Point, Type};
use crate::emit::{blank_line, docs, inner_docs};

/// Where the file is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// As a module of its own.
    Module,
    /// By `include!`, which takes no inner documentation.
    Include,
}

/// Emits the file of a plan.
pub(crate) fn file(plan: &Plan, layout: Layout) -> TokenStream {
    let inner = match layout {
        Layout::Module => inner_docs(&[words::plan(plan)]),
        Layout::Include => TokenStream::new(),
    };
    let context = plan.context.as_ref().map(context);
    let linter = linter(plan);
    let error = plan.points.iter().any(has_enum).then(choices::error);
    let set = set();
    let modules = Module::ALL.into_iter().filter_map(|name| module(plan, name));
    quote! {
        #inner
        #context
        #(#modules)*
        #error
        #set
        #linter
    }
}

/// The attributes of every item of the file. A program need not use all of them, and rustfmt would undo `--check`.
fn attributes() -> TokenStream {
    quote! {
        #[allow(dead_code, unreachable_pub, reason = "a program may use a part of the data plan")]
        #[rustfmt::skip]
    }
}

/// The identifier and version, as the models take them.
fn context((plan_id, version): &(String, i64)) -> TokenStream {
    let version = values::tokens(&version.to_string());
    let attributes = attributes();
    let docs =
        docs(&["The identifier and the version of the data plan, for `Batch::with_data_plan`."]);
    quote! {
        #docs
        #attributes
        pub const CONTEXT: (&str, i64) = (#plan_id, #version);
    }
}

/// The version of the plan as the models read it, and its linter.
fn linter(plan: &Plan) -> TokenStream {
    let text = raw_string(&embed::json(plan));
    let linter_docs = docs(&[
        "Returns a linter that compares batches and events with the data plan, by the rules of the platform.",
    ]);
    let plan_docs = docs(&[
        "Returns the data plan: what its points match, and their definitions without descriptions.",
    ]);
    let attributes = attributes();
    let text_docs = docs(&["The data plan as JSON, with one line for each point."]);
    quote! {
        #linter_docs
        #[must_use]
        #attributes
        pub fn linter() -> &'static ::mparticle_models::data_plan::Linter {
            static LINTER: ::std::sync::LazyLock<::mparticle_models::data_plan::Linter> =
                ::std::sync::LazyLock::new(|| {
                    let rules = ::mparticle_models::data_plan::Rules::platform();
                    ::mparticle_models::data_plan::Linter::new(&data_plan(), rules)
                });
            &LINTER
        }

        #plan_docs
        #[must_use]
        #attributes
        pub fn data_plan() -> ::mparticle_models::DataPlanVersion {
            ::mparticle_models::DataPlanVersion::from_str(PLAN).unwrap_or_default()
        }

        #text_docs
        #attributes
        const PLAN: &str = #text;
    }
}

/// The function that all setters of attributes call. It keeps them small: there may be thousands.
fn set() -> TokenStream {
    let attributes = attributes();
    apart(&quote! {
        #attributes
        fn set<V>(
            values: &mut ::std::collections::BTreeMap<::std::string::String, V>,
            name: &str,
            value: V,
        ) {
            values.insert(name.to_owned(), value);
        }
    })
}

/// A literal without escapes, so that a changed point is a changed line.
fn raw_string(text: &str) -> TokenStream {
    let runs = text.split('"').skip(1).map(|rest| rest.chars().take_while(|&c| c == '#').count());
    let marks = "#".repeat(runs.max().unwrap_or_default() + 1);
    let literal = format!("r{marks}\"{text}\"{marks}").parse::<Literal>();
    literal.map_or_else(|_| quote!(#text), |literal| quote!(#literal))
}

/// The types of the points of one kind; nothing if there are none.
fn module(plan: &Plan, module: Module) -> Option<TokenStream> {
    let mut points = plan.points.iter().filter(|point| point.matches.module() == module).peekable();
    points.peek()?;
    let items = points.map(point);
    let docs = docs(&[words::module(module)]);
    let name = ident(module.name());
    let attributes = attributes();
    Some(quote! {
        #docs
        #[allow(clippy::all, clippy::pedantic, reason = "names and descriptions come from the plan")]
        #attributes
        pub mod #name {
            #(#items)*
        }
    })
}

/// The types of one point.
fn point(point: &Point) -> TokenStream {
    let mut items = TokenStream::new();
    for (position, record) in point.records.iter().enumerate() {
        let part = point.records.get(position + 1);
        items.extend(event::record(point, record, part));
        items.extend(record.fields.iter().filter_map(|field| choices::choices(record, field)));
    }
    items
}

fn has_enum(point: &Point) -> bool {
    let fields = point.records.iter().flat_map(|record| &record.fields);
    fields.into_iter().any(|field| match &field.ty {
        Type::Enum(_) => true,
        Type::List(element, _) => matches!(**element, Type::Enum(_)),
        _ => false,
    })
}

/// A name as a token. Names were made by `naming`, so that every one is a name in Rust.
fn ident(name: &str) -> Ident {
    Ident::parse_any.parse_str(name).unwrap_or_else(|_| Ident::new("unnamed", Span::call_site()))
}

/// An item behind a blank line.
fn apart(item: &TokenStream) -> TokenStream {
    let blank = blank_line();
    quote!(#blank #item)
}
