//! The committed models are up to date with the schema.

use std::path::Path;

use mparticle_codegen::diagnostic::render;

#[test]
fn the_committed_models_are_fresh() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let schema = workspace.join("schema");
    let overrides = schema.join("overrides.toml");
    let generated = workspace.join("mparticle-models/src/generated");
    let outcome = mparticle_codegen::check(&schema, Some(&overrides), &generated)
        .unwrap_or_else(|diagnostics| panic!("{}", render(&diagnostics, false)));
    let listed: String = outcome.differences.iter().map(ToString::to_string).collect();
    assert!(outcome.differences.is_empty(), "{listed}\nrun `cargo xtask codegen`");
}
