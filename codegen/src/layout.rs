//! Arranges the emitted items in files: one module per schema file, and `mod.rs`.

use std::collections::BTreeMap;

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::emit::{Context, Emitted, Use, emit, inner_docs};
use crate::lower::Lowered;
use crate::model::{Model, Module};

/// A Rust file before it is printed.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// The path below the output folder.
    pub(crate) path: String,
    /// The schema file that the Rust file is generated from, or `None` if it is generated from all of them.
    pub(crate) schema: Option<String>,
    /// Its items.
    pub(crate) tokens: TokenStream,
}

/// The module with the bundled schemas.
pub(crate) const DOCUMENTS_MODULE: &str = "schema";

/// Returns the files of a model. Each file is emitted when the iterator reaches it, while the previous one is
/// formatted.
pub(crate) fn layout<'a>(
    model: &'a Model,
    lowered: &'a Lowered,
    documents: Option<TokenStream>,
) -> impl Iterator<Item = SourceFile> + 'a {
    let context = Context::new(model, lowered);
    let is_present = |module: &&Module| model.types.iter().any(|def| def.module == module.name);
    let names = model.modules.iter().filter(is_present).map(|module| &module.name);
    let root = root_file(names, documents.is_some());
    let documents = documents.map(|tokens| SourceFile {
        path: format!("{DOCUMENTS_MODULE}.rs"),
        schema: None,
        tokens,
    });
    let modules = model.modules.iter().filter_map(move |module| {
        emit(&context, model, &module.name).map(|emitted| module_file(module, &emitted))
    });
    modules.chain(documents).chain([root])
}

fn module_file(module: &Module, emitted: &Emitted) -> SourceFile {
    let docs = inner_docs(module.description.as_slice());
    let uses = use_lines(&emitted.uses);
    let items = &emitted.items;
    SourceFile {
        path: format!("{}.rs", module.name),
        schema: Some(module.file.clone()),
        tokens: quote!(#docs #uses #items),
    }
}

fn root_file<'a>(names: impl Iterator<Item = &'a String>, has_documents: bool) -> SourceFile {
    let names: Vec<_> = names.map(|name| format_ident!("{name}")).collect();
    let docs = inner_docs(&["The types of the schema, one module per schema file."]);
    let modules = names.iter().map(module_line);
    let documents = has_documents.then(|| {
        let name = format_ident!("{DOCUMENTS_MODULE}");
        quote!(#[cfg(feature = "schema")] pub mod #name;)
    });
    let tokens = quote! {
        #docs
        #[blank_line]
        #(#modules)*
        #documents
        #[blank_line]
        #(pub use self::#names::*;)*
    };
    SourceFile { path: "mod.rs".to_owned(), schema: None, tokens }
}

/// Returns the declaration of a module. Rust finds the file without a path only if the name is ASCII.
fn module_line(name: &Ident) -> TokenStream {
    let text = name.to_string();
    let path = (!text.is_ascii()).then(|| {
        let path = format!("{text}.rs");
        quote!(#[path = #path])
    });
    quote!(#path mod #name;)
}

/// Returns the `use` lines of a module in groups: std, other crates, this crate.
fn use_lines(uses: &[Use]) -> TokenStream {
    let mut groups = [Vec::new(), Vec::new(), Vec::new()];
    let [std, crates, own] = &mut groups;
    let mut serde = Vec::new();
    for used in uses {
        match used {
            Use::Std(module, name) => {
                let (module, name) = (format_ident!("{module}"), format_ident!("{name}"));
                std.push(quote!(use std::#module::#name;));
            }
            Use::Serde(name) => serde.push(format_ident!("{name}")),
            Use::SerdeJson(name) => {
                let name = format_ident!("{name}");
                crates.push(quote!(use serde_json::#name;));
            }
            Use::Support(_) | Use::Generated(..) => {}
        }
    }
    if !serde.is_empty() {
        crates.insert(0, quote!(use serde::{#(#serde),*};));
    }
    own.extend(support_line(uses));
    own.extend(generated_lines(uses));
    let groups = groups.iter().filter(|group| !group.is_empty());
    groups.map(|lines| quote!(#[blank_line] #(#lines)*)).collect()
}

/// Returns the line for the names of `crate::support`.
fn support_line(uses: &[Use]) -> Option<TokenStream> {
    let names = uses.iter().filter_map(|used| match used {
        Use::Support(name) => Some(format_ident!("{name}")),
        _ => None,
    });
    let names: Vec<_> = names.collect();
    (!names.is_empty()).then(|| quote!(use crate::support::{#(#names),*};))
}

fn generated_lines(uses: &[Use]) -> Vec<TokenStream> {
    let mut by_module = BTreeMap::<&str, Vec<_>>::new();
    for used in uses {
        if let Use::Generated(module, name) = used {
            by_module.entry(module).or_default().push(format_ident!("{name}"));
        }
    }
    let lines = by_module.into_iter().map(|(module, names)| {
        let module = format_ident!("{module}");
        quote!(use super::#module::{#(#names),*};)
    });
    lines.collect()
}
