//! Golden cases: a schema, its overrides, and the output that is committed beside them.
//!
//! The outputs are compiled and used by the tests called after them, such as `golden_shop`.

use std::path::Path;

use mparticle_codegen::diagnostic::render;
use mparticle_codegen::output::{Mode, sync};

/// Set to write the outputs instead of comparing them.
const UPDATE: &str = "UPDATE_EXPECT";

#[test]
fn the_committed_outputs_are_what_the_generator_makes() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mode = if std::env::var_os(UPDATE).is_some() { Mode::Write } else { Mode::Check };
    for case in ["quirks", "shop"] {
        let case = folder.join(case);
        let overrides = case.join("overrides.toml");
        let files = mparticle_codegen::generate(&case.join("schema"), Some(&overrides))
            .unwrap_or_else(|diagnostics| panic!("{}", render(&diagnostics, false)));
        let differences = sync(&case.join("generated"), &files, mode).unwrap();
        let listed: String = differences.iter().map(ToString::to_string).collect();
        assert!(
            mode == Mode::Write || differences.is_empty(),
            "{listed}\nrun with {UPDATE}=1 to take the new output"
        );
    }
}
