//! Generates Rust types from an mParticle data plan.
//!
//! A data plan says which events exist, with which attributes, of which kinds. The generated file has a struct for each
//! data point, in the modules `custom`, `screen`, `commerce` and `user`. Required attributes are arguments of `new`,
//! others have setters, and a list of allowed values is an enum. The structs convert into the events of
//! `mparticle-models`, whose feature `data-plan` the file needs.
//!
//! # A file beside your sources
//!
//! ```console
//! mparticle-codegen plan plans/shop.json --out src/plan.rs
//! ```
//!
//! Declare it with `pub mod plan;`, commit it, and run the same command with `--check` in CI. A test does the same:
//!
//! ```no_run
//! use mparticle_codegen::plan::Builder;
//!
//! # fn main() -> Result<(), mparticle_codegen::plan::Error> {
//! let outcome = Builder::new("plans/shop.json").check("src/plan.rs")?;
//! assert!(outcome.difference.is_none(), "run `mparticle-codegen plan`");
//! # Ok(())
//! # }
//! ```
//!
//! # A build script
//!
//! [`Builder::generate`] writes the file below `OUT_DIR`:
//!
//! ```no_run
//! fn main() -> Result<(), mparticle_codegen::plan::Error> {
//!     mparticle_codegen::plan::Builder::new("plans/shop.json").generate()
//! }
//! ```
//!
//! Include it in a module of your crate:
//!
//! ```ignore
//! /// The types of our data plan.
//! pub mod plan {
//!     include!(concat!(env!("OUT_DIR"), "/plan.rs"));
//! }
//! ```
//!
//! # Types
//!
//! | definition in the plan | Rust |
//! |---|---|
//! | text | `String` |
//! | text or number with a list of values | an enum with `as_str`, `ALL` and `FromStr` |
//! | number, or text with the pattern of a number | `Number`, which keeps `i64`, `u64` and `f64` exactly |
//! | integer, boolean, or text with the pattern of a boolean | `i64`, `bool` |
//! | constant | no setter; the constant is written |
//! | a type and null | `Option<T>` if the attribute is required, else `T` |
//! | list, as an attribute of a user | `Vec<T>` |
//! | several types, or none | `Scalar`; `AttributeValue` for an attribute of a user |
//! | list or object, as an attribute of an event | an error, and a setting of the overrides that leaves it out |
//!
//! Types do not enforce formats, other patterns and bounds. The method `findings` of an event compares it with the plan.
//! Attributes that the plan does not list have a setter `with_extra`, if the plan allows them.
//!
//! # Names
//!
//! Names follow from the plan's names, and do not depend on the order of points. If two names would be equal, both
//! get longer names, and a warning says so. The file of the option `--overrides` changes names and leaves out
//! attributes without a Rust type. Points are named by their match keys, attributes by their names in JSON:
//!
//! ```toml
//! ["custom_event:other:Choose Item"]
//! name = "ItemChosen"
//! attributes."Campaign Id".name = "campaign"
//! attributes.history.skip = true
//! attributes.item.values = { "1" = "One" }
//! ```
//!
//! The other groups of attributes are `flags`, `fields`, `product_attributes` and `product_fields`.

mod assign;
mod builder;
mod characters;
mod command;
mod definition;
mod embed;
mod emit;
mod enums;
mod file;
mod idents;
mod input;
mod ladders;
mod level;
mod model;
mod naming;
mod overrides;
mod points;
mod record;
mod report;
mod rules;
mod standard;
mod types;

use std::path::Path;

use input::Choice;
use overrides::Overrides;
use report::Report;

pub use builder::{Builder, Error, Outcome};
pub use command::command;
use emit::Layout;

use crate::diagnostic::Diagnostic;

/// A generated file.
struct Generated {
    text: String,
    warnings: Vec<Diagnostic>,
}

/// Generates the file of a plan.
fn generate(
    input: &Path,
    overrides: Option<&Path>,
    choice: &Choice,
    layout: Layout,
) -> Result<Generated, Vec<Diagnostic>> {
    let single = |diagnostic| vec![diagnostic];
    let (name, value) = input::read(input).map_err(single)?;
    let chosen = input::choose(&name, &value, choice).map_err(single)?;
    let overrides = overrides.map_or_else(|| Ok(Overrides::default()), Overrides::load);
    generate_from(&name, &chosen, overrides.map_err(single)?, layout)
}

/// Generates the file of a version that has been chosen.
fn generate_from(
    name: &str,
    chosen: &input::Chosen,
    mut overrides: Overrides,
    layout: Layout,
) -> Result<Generated, Vec<Diagnostic>> {
    let mut report = Report::default();
    let mut plan = points::read(chosen, &mut overrides, &mut report);
    naming::name(&mut plan, &mut overrides, &mut report);
    report.errors.extend(overrides.unused());
    if !report.errors.is_empty() {
        return Err(crate::diagnostic::sorted(report.errors));
    }
    let text = file::print(name, emit::file(&plan, layout)).map_err(|error| vec![error])?;
    Ok(Generated { text, warnings: crate::diagnostic::sorted(report.warnings) })
}

#[cfg(test)]
#[allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]
mod tests;
