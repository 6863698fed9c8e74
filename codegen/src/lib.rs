//! Turns the mParticle JSON Schema into the Rust types of `mparticle-models`.
//!
//! A pipeline of named steps, one module each, in the order of [`generate`]:
//!
//! | step | from | to |
//! |---|---|---|
//! | [`load`] | files | JSON, with repeated keys and syntax errors reported |
//! | `bundle` | many documents | one set of definitions, each schema stamped with its place |
//! | [`overrides`] | TOML | what JSON Schema cannot say about Rust |
//! | `normalise` | any notation | the normal form, by an ordered list of passes |
//! | `verify` | the normal form | a [`model::Model`], or a report of all that is not in it |
//! | [`lower`] | the model | the Rust type of every field, by typify |
//! | [`emit`] | model and types | items with docs, setters, readers and checks |
//! | [`layout`] | items | files, one module per schema file |
//! | [`documents`] | files | self-contained JSON Schema documents |
//! | [`print`](mod@print) | tokens | text that rustfmt leaves alone |
//! | [`output`] | text | a folder, written or checked |
//!
//! The crate is larger than its 64 types suggest, because it takes schemas that it was not written for:
//! mParticle's published file as it is, and any mistake a maintainer makes. About half of it recognises notations
//! and explains, with place and way out, what it does not recognise, in the schema and in the overrides.

mod bundle;
pub mod diagnostic;
mod documents;
mod emit;
mod layout;
pub mod load;
mod lower;
pub mod model;
mod names;
mod node;
mod normalise;
pub mod output;
pub mod overrides;
mod print;
mod rust_type;
mod verify;

use std::collections::BTreeMap;
use std::path::Path;

use diagnostic::Diagnostic;
use load::Sources;
use model::Model;
use normalise::Schema;
use overrides::Overrides;

/// Reads a schema into its normal form: bundle, overrides, normalise, verify.
///
/// # Errors
/// Everything that is wrong with the schema or its overrides, in the order of the files.
pub fn model(sources: &Sources, overrides: &Overrides) -> Result<Model, Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let bundle = bundle::bundle(sources, overrides, &mut diagnostics);
    if !diagnostics.is_empty() {
        // What is wrong with single keywords would only be repeated by everything that follows from them.
        return Err(diagnostic::sorted(diagnostics));
    }
    let mut schema = Schema::new(bundle, overrides);
    schema.normalise();
    verify::verify(&schema).map_err(diagnostic::sorted)
}

/// Generates the Rust files of a schema: text by path below the output folder.
///
/// # Errors
/// Everything that keeps the schema from becoming Rust.
pub fn generate(
    schema: &Path,
    overrides: Option<&Path>,
) -> Result<BTreeMap<String, String>, Vec<Diagnostic>> {
    let sources = Sources::load(schema)?;
    let overrides = overrides.map_or_else(|| Ok(Overrides::default()), Overrides::load)?;
    let model = model(&sources, &overrides)?;
    let lowered = lower::lower(&model).map_err(|diagnostic| vec![diagnostic])?;
    let emitted = emit::emit(&model, &lowered);
    let documents = documents::documents(&sources, &overrides)?;
    let mut files = print::print(layout::layout(&model, emitted, documents.module))?;
    files.extend(documents.files);
    Ok(files)
}
