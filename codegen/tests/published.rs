//! The unchanged schema that mParticle publishes becomes Rust code that compiles with only `support`.
//!
//! The published files are not ours to keep here: they are read from the folder that the environment variable
//! `MPARTICLE_REFERENCE` names.

#![allow(clippy::unwrap_used, reason = "a helper of a test may panic, too")]

mod generated_crate;

use std::fs;
use std::path::{Path, PathBuf};

use mparticle_codegen::diagnostic::render;
use mparticle_codegen::generate;

use generated_crate::GeneratedCrate;

const SCHEMA: &str = "mparticle.inbound.eventsapi.schema.json";
const BULK_SCHEMA: &str = "mparticle.inbound.eventsapi.bulk.schema.json";

/// Returns the folder of the published files. Prints a line if it is not set.
fn reference() -> Option<PathBuf> {
    let folder = std::env::var_os("MPARTICLE_REFERENCE").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: MPARTICLE_REFERENCE is not set, so there is no published schema");
    }
    folder
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn the_published_schema_compiles_with_only_support() {
    let Some(reference) = reference() else { return };
    let overrides = workspace().join("schema/official.overrides.toml");
    let target = GeneratedCrate::new("published");
    generate(&reference.join(SCHEMA), Some(&overrides), &target.module("generated"))
        .unwrap_or_else(|diagnostics| panic!("{}", render(&diagnostics, false)));
    target.check().unwrap_or_else(|report| panic!("the output does not compile:\n{report}"));
}

#[test]
fn the_published_bulk_schema_generates_the_same_types() {
    let Some(reference) = reference() else { return };
    let overrides = workspace().join("schema/official.overrides.toml");
    let generated = |file: &str| {
        let out = tempfile::tempdir().unwrap();
        generate(&reference.join(file), Some(&overrides), out.path())
            .unwrap_or_else(|diagnostics| panic!("{}", render(&diagnostics, false)));
        fs::read_to_string(out.path().join("events_api.rs")).unwrap()
    };
    assert_eq!(generated(SCHEMA), generated(BULK_SCHEMA));
}
