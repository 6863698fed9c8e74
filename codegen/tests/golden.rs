//! Golden cases: a schema, its overrides, and the committed output.
//!
//! The tests with the names of the cases, such as `golden_shop`, compile and use the outputs.

use std::path::Path;

use mparticle_codegen::diagnostic::render;
use mparticle_codegen::{check, generate};

/// The variable that is set to write the outputs instead of comparing them.
const UPDATE: &str = "UPDATE_EXPECT";

#[test]
fn the_committed_outputs_are_fresh() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let update = std::env::var_os(UPDATE).is_some();
    for case in ["awkward", "example", "quirks", "shop"] {
        let case = folder.join(case);
        let (schema, overrides) = (case.join("schema"), case.join("overrides.toml"));
        let act = if update { generate } else { check };
        let outcome = act(&schema, Some(&overrides), &case.join("generated"))
            .unwrap_or_else(|diagnostics| panic!("{}", render(&diagnostics, false)));
        let listed: String = outcome.differences.iter().map(ToString::to_string).collect();
        assert!(
            update || outcome.differences.is_empty(),
            "{listed}\nrun with {UPDATE}=1 to take the new output"
        );
    }
}
