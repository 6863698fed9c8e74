//! The committed models are what the generator makes of the schema now.

use std::path::Path;

use mparticle_codegen::diagnostic::render;
use mparticle_codegen::output::{Mode, sync};

#[test]
fn the_committed_models_are_fresh() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let schema = workspace.join("schema");
    let files = mparticle_codegen::generate(&schema, Some(&schema.join("overrides.toml")))
        .unwrap_or_else(|diagnostics| panic!("{}", render(&diagnostics, false)));
    let generated = workspace.join("mparticle-models/src/generated");
    let differences = sync(&generated, &files, Mode::Check).unwrap();
    let listed: String = differences.iter().map(ToString::to_string).collect();
    assert!(differences.is_empty(), "{listed}\nrun `cargo xtask codegen`");
}
