//! Generates Rust types from mParticle data plans, and the types of `mparticle-models` from the JSON Schema of the
//! Events API.
//!
//! The module [`plan`] is for users of mParticle. It describes the command and the build script. The other modules are
//! for the maintainers of `mparticle-models`.
//!
//! The generator of `mparticle-models` is a pipeline of steps, one module each, in the order of `files`:
//!
//! | step | from | to |
//! |---|---|---|
//! | `load` | files | JSON, with repeated keys and syntax errors reported |
//! | `bundle` | many documents | one set of definitions, in which each schema contains its place |
//! | `descriptions` | definitions | a report of those without a description, if the overrides require them |
//! | `overrides` | TOML | settings for Rust that JSON Schema cannot express |
//! | `normalise` | any notation | the normal form, by an ordered list of passes |
//! | `verify` | the normal form | a `Model`, or a report of all parts that are not in normal form |
//! | `lower` | the model | the Rust type of every field, by typify |
//! | `emit` | model and types | items with docs, setters, readers and checks |
//! | `layout` | items | files, one module per schema file |
//! | `documents` | files | self-contained JSON Schema documents |
//! | `clashes` | tokens | the same tokens, or a report of each name that occurs twice |
//! | `print` | tokens | text that rustfmt does not change |
//! | `output` | text | a folder, written or checked |
//!
//! [`drift`] compares another schema with ours, after the same `load`, `bundle` and passes of `normalise`.
//!
//! The crate also supports schemas that it was not written for, such as mParticle's published file, and has to explain
//! the mistakes of maintainers. About half of its code recognises notations, and reports with a place and a hint any
//! part of the schema or the overrides that it does not recognise.

mod bundle;
mod clashes;
mod descriptions;
pub mod diagnostic;
mod documents;
pub mod drift;
mod emit;
mod layout;
mod load;
mod lower;
mod markdown;
mod model;
mod names;
mod node;
mod normalise;
mod output;
mod overrides;
pub mod plan;
mod print;
mod references;
mod rust_type;
mod verify;

use std::collections::BTreeMap;
use std::path::Path;

use diagnostic::{Code, Diagnostic, Origin};
use load::Sources;
use model::Model;
use normalise::Schema;
use output::Mode;
use overrides::{Overrides, Requirement};

pub use output::{Difference, DifferenceKind};

/// Reads a schema into its normal form: bundle, overrides, normalise, verify.
///
/// # Errors
/// Returns all mistakes in the schema or its overrides, in the order of the files.
fn model(sources: &Sources, overrides: &Overrides) -> Result<Model, Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let bundle = bundle::bundle(sources, overrides, &mut diagnostics);
    if overrides.require.contains(&Requirement::Descriptions) {
        descriptions::check(&bundle, &mut diagnostics);
    }
    if !diagnostics.is_empty() {
        // Mistakes in single keywords would only cause further reports in later steps.
        return Err(diagnostic::sorted(diagnostics));
    }
    let mut schema = Schema::new(bundle, overrides);
    schema.normalise();
    verify::verify(&schema).map_err(diagnostic::sorted)
}

/// The result of [`generate`] or [`check`].
#[derive(Debug)]
pub struct Outcome {
    /// The number of generated files.
    pub files: usize,
    /// The differences between the folder and the generated files, in the order of the paths.
    pub differences: Vec<Difference>,
}

/// Generates the Rust files of a schema into a folder.
///
/// Stale and missing files are written. Generated files that no longer belong to the schema are deleted.
///
/// # Errors
/// Returns all mistakes because of which the schema cannot be converted into Rust. Also returns an error if the folder
/// cannot be written or contains files that were not generated.
pub fn generate(
    schema: &Path,
    overrides: Option<&Path>,
    out: &Path,
) -> Result<Outcome, Vec<Diagnostic>> {
    sync(schema, overrides, out, Mode::Write)
}

/// Compares a folder with the Rust files of a schema.
///
/// # Errors
/// Returns all mistakes because of which the schema cannot be converted into Rust. Also returns an error if the folder
/// cannot be read.
pub fn check(
    schema: &Path,
    overrides: Option<&Path>,
    out: &Path,
) -> Result<Outcome, Vec<Diagnostic>> {
    sync(schema, overrides, out, Mode::Check)
}

fn sync(
    schema: &Path,
    overrides: Option<&Path>,
    out: &Path,
    mode: Mode,
) -> Result<Outcome, Vec<Diagnostic>> {
    let files = files(schema, overrides)?;
    let differences = output::sync(out, &files, mode).map_err(|error| {
        let origin = Origin { file: out.display().to_string(), ..Origin::default() };
        let help = "name a folder that is empty or was written by the generator";
        vec![Diagnostic::new(Code::UnusableOutput, origin, error.to_string()).with_help(help)]
    })?;
    Ok(Outcome { files: files.len(), differences })
}

/// Returns the Rust files of a schema: their text by path below the output folder.
fn files(
    schema: &Path,
    overrides: Option<&Path>,
) -> Result<BTreeMap<String, String>, Vec<Diagnostic>> {
    let sources = Sources::load(schema)?;
    let overrides = overrides.map_or_else(|| Ok(Overrides::default()), Overrides::load)?;
    files_of(&sources, &overrides)
}

fn files_of(
    sources: &Sources,
    overrides: &Overrides,
) -> Result<BTreeMap<String, String>, Vec<Diagnostic>> {
    let model = model(sources, overrides)?;
    let lowered = lower::lower(&model).map_err(|diagnostic| vec![diagnostic])?;
    let documents = documents::documents(sources, overrides)?;
    let mut files = print::print(&model, layout::layout(&model, &lowered, documents.module))?;
    files.extend(documents.files);
    Ok(files)
}

#[cfg(test)]
#[allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]
mod front_end_tests;
