//! `cargo xtask ci`: the one list of what CI runs. `.ci/run` and the workflow both end up here.

use std::path::Path;
use std::process::Command;
use std::time::Instant;
use std::{env, fmt};

use crate::arguments::{Request, Source, Task};
use crate::{codegen, workspace};

/// One thing that has to succeed.
struct Step {
    name: &'static str,
    action: Action,
}

enum Action {
    /// Runs Cargo with these words, split at spaces.
    Cargo(&'static str),
    /// The same with all warnings of rustdoc being errors.
    CargoDoc(&'static str),
    /// `cargo xtask codegen --check`, in this process.
    CheckGenerated,
}

const STEPS: &[Step] = &[
    Step::cargo("formatting", "fmt --all -- --check"),
    Step { name: "generated code is fresh", action: Action::CheckGenerated },
    Step::cargo("lints", "clippy --workspace --all-targets --all-features -- -D warnings"),
    Step::cargo(
        "models without features",
        "clippy -p mparticle-models --no-default-features -- -D warnings",
    ),
    Step::cargo(
        "models with chrono",
        "clippy -p mparticle-models --features chrono -- -D warnings",
    ),
    Step::cargo("models with jiff", "clippy -p mparticle-models --features jiff -- -D warnings"),
    Step::cargo(
        "models with schema",
        "clippy -p mparticle-models --features schema -- -D warnings",
    ),
    Step::cargo("models with time", "clippy -p mparticle-models --features time -- -D warnings"),
    Step::cargo(
        "models with every feature",
        "clippy -p mparticle-models --all-features -- -D warnings",
    ),
    Step::cargo("tests", "test --workspace --all-features"),
    Step::cargo(
        "models beside other features of serde_json",
        "test -p mparticle-models --features schema,serde_json/arbitrary_precision,serde_json/preserve_order",
    ),
    Step {
        name: "documentation",
        action: Action::CargoDoc("doc --workspace --no-deps --all-features"),
    },
];

impl Step {
    const fn cargo(name: &'static str, words: &'static str) -> Self {
        Self { name, action: Action::Cargo(words) }
    }
}

/// The action as a line for a shell.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cargo(words) => write!(f, "cargo {words}"),
            Self::CargoDoc(words) => write!(f, "RUSTDOCFLAGS='-D warnings' cargo {words}"),
            Self::CheckGenerated => write!(f, "cargo xtask codegen --check"),
        }
    }
}

/// Runs every step in order; the error is what to print.
pub(crate) fn run() -> Result<(), String> {
    let root = workspace::root()?;
    let start = Instant::now();
    for (index, step) in STEPS.iter().enumerate() {
        println!("==> [{}/{}] {}: {}", index + 1, STEPS.len(), step.name, step.action);
        let begun = Instant::now();
        perform(&step.action, &root).map_err(|error| failure(step, &error))?;
        println!("    {} took {:.1} s", step.name, begun.elapsed().as_secs_f64());
    }
    println!("==> all {} steps passed in {:.0} s", STEPS.len(), start.elapsed().as_secs_f64());
    Ok(())
}

fn failure(step: &Step, error: &str) -> String {
    format!("{error}\n==> failed: {}; to repeat this step, run: {}", step.name, step.action)
}

fn perform(action: &Action, root: &Path) -> Result<(), String> {
    match action {
        Action::Cargo(words) => cargo(words, root, &[]),
        Action::CargoDoc(words) => cargo(words, root, &[("RUSTDOCFLAGS", "-D warnings")]),
        Action::CheckGenerated => {
            codegen::run(&Request { task: Task::Check, source: Source::Workspace })
        }
    }
}

fn cargo(words: &str, root: &Path, variables: &[(&str, &str)]) -> Result<(), String> {
    // The Cargo that runs this command, which may be another one than the first in PATH.
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(words.split_whitespace())
        .envs(variables.iter().copied())
        .current_dir(root)
        .status()
        .map_err(|error| format!("error: cargo cannot be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("error: cargo ended with {status}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_failing_step_is_an_error_that_names_its_command() {
        let step = Step::cargo("nonsense", "no-such-command-of-cargo");
        let error = perform(&step.action, &workspace::root().unwrap()).unwrap_err();
        let message = failure(&step, &error);
        assert!(
            message.ends_with("to repeat this step, run: cargo no-such-command-of-cargo"),
            "{message}"
        );
    }
}
