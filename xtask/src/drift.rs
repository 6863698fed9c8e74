//! `cargo xtask drift`: compares another schema with ours and prints the differences.

use std::path::Path;

use mparticle_codegen::diagnostic;
use mparticle_codegen::drift::drift;

use crate::{codegen, workspace};

/// Compares the schema at `path` with `schema/`. The error is the text to print.
pub(crate) fn run(path: &Path) -> Result<(), String> {
    let schema = workspace::root()?.join("schema");
    let report = drift(path, &schema)
        .map_err(|diagnostics| diagnostic::render(&diagnostics, codegen::colored()))?;
    if report.is_clean() {
        print!("{}", report.render(false));
        return Ok(());
    }
    Err(report.render(codegen::colored()))
}
