//! The READMEs contain the same program, which the documentation tests of this crate compile.

use std::fs;
use std::path::Path;

/// Returns the first Rust block of a README of this workspace.
fn program(path: &str) -> Option<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok()?;
    let (_, rest) = text.split_once("```rust,no_run\n")?;
    Some(rest.split_once("```")?.0.to_owned())
}

#[test]
fn the_programs_of_the_readmes_are_the_same() {
    let here = program("README.md");
    assert!(here.as_ref().is_some_and(|program| program.contains("upload_events")));
    assert_eq!(here, program("../README.md"));
}
