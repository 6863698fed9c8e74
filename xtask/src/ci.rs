//! The steps of `cargo xtask ci`, which every change has to pass. `.ci/run` and the workflow call the command.

use crate::steps::{Action, Step};

pub(crate) const STEPS: &[Step] = &[
    Step::cargo("formatting", "fmt --all -- --check"),
    Step { name: "generated code is fresh", action: Action::CheckGenerated },
    Step::cargo("lints", "clippy --workspace --all-targets --all-features -- -D warnings"),
    // Only the libraries are checked, with one feature at a time, because tests and examples enable further features.
    Step::cargo(
        "models without features",
        "clippy -p mparticle-models --no-default-features -- -D warnings",
    ),
    Step::cargo(
        "models with chrono",
        "clippy -p mparticle-models --features chrono -- -D warnings",
    ),
    Step::cargo(
        "models with data-plan",
        "clippy -p mparticle-models --features data-plan -- -D warnings",
    ),
    Step::cargo("models with jiff", "clippy -p mparticle-models --features jiff -- -D warnings"),
    Step::cargo(
        "models with schema",
        "clippy -p mparticle-models --features schema -- -D warnings",
    ),
    Step::cargo("models with time", "clippy -p mparticle-models --features time -- -D warnings"),
    Step::cargo(
        "client without features",
        "clippy -p mparticle-client --no-default-features -- -D warnings",
    ),
    Step::cargo(
        "client with blocking",
        "clippy -p mparticle-client --features blocking -- -D warnings",
    ),
    Step::cargo(
        "client with data-plan",
        "clippy -p mparticle-client --features data-plan -- -D warnings",
    ),
    Step::cargo(
        "client with jetstream",
        "clippy -p mparticle-client --features jetstream -- -D warnings",
    ),
    Step::cargo("client with queue", "clippy -p mparticle-client --features queue -- -D warnings"),
    Step::cargo("client with spool", "clippy -p mparticle-client --features spool -- -D warnings"),
    Step::cargo(
        "client with testing",
        "clippy -p mparticle-client --features testing -- -D warnings",
    ),
    Step::cargo("client with cli", "clippy -p mparticle-client --features cli -- -D warnings"),
    Step { name: "no native build tools", action: Action::CheckNativeTools },
    Step::cargo("tests", "test --workspace --all-features"),
    Step::cargo(
        "models beside other features of serde_json",
        "test -p mparticle-models --features schema,serde_json/arbitrary_precision,serde_json/preserve_order",
    ),
    Step::doc("documentation", "doc --workspace --no-deps --all-features"),
    Step::doc("documentation of the models without features", "doc -p mparticle-models --no-deps"),
    Step::doc("documentation of the client without features", "doc -p mparticle-client --no-deps"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;

    #[test]
    fn each_step_prints_the_command_that_repeats_it() {
        let lines: Vec<String> = STEPS.iter().map(|step| step.action.to_string()).collect();
        for wanted in [
            "cargo fmt --all -- --check",
            "cargo xtask codegen --check",
            "cargo clippy --workspace --all-targets --all-features -- -D warnings",
            "cargo test --workspace --all-features",
            "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --all-features",
        ] {
            assert!(lines.iter().any(|line| line == wanted), "no step runs {wanted}");
        }
    }

    #[test]
    fn the_test_step_is_the_command_of_the_readme() {
        let readme = std::fs::read_to_string(workspace::root().unwrap().join("README.md")).unwrap();
        assert!(readme.contains("\ncargo test --workspace --all-features\n"));
    }
}
