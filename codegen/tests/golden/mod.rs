//! Golden cases: a schema, its overrides, and the output that is committed beside them.

use std::path::Path;

use mparticle_codegen::diagnostic::render;
use mparticle_codegen::output::{Mode, sync};

/// Set to write the outputs instead of comparing them.
const UPDATE: &str = "UPDATE_EXPECT";

/// Compares a case's committed output with what the generator makes of its schema now.
pub fn assert_fresh(case: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(case);
    let overrides = folder.join("overrides.toml");
    let files = mparticle_codegen::generate(&folder.join("schema"), Some(&overrides))
        .unwrap_or_else(|diagnostics| panic!("{}", render(&diagnostics, false)));
    let mode = if std::env::var_os(UPDATE).is_some() {
        Mode::Write
    } else {
        Mode::Check
    };
    let differences = sync(&folder.join("generated"), &files, mode).unwrap();
    if mode == Mode::Check {
        let listed: String = differences.iter().map(ToString::to_string).collect();
        assert!(
            differences.is_empty(),
            "{listed}\nrun with {UPDATE}=1 to take the new output"
        );
    }
}
