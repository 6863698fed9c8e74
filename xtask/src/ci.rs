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
    /// Looks for crates that would need `CMake`, a C++ compiler or a system library below the client.
    CheckNativeTools,
}

/// Lists what is compiled for the client, one crate a line.
const CLIENT_TREE: &str =
    "tree -p mparticle-client --all-features -e normal,build --target all --prefix none -f {p}";

/// Crates that need more than a C compiler.
const NATIVE_TOOLS: [&str; 6] =
    ["aws-lc-sys", "bindgen", "cmake", "openssl-sys", "pkg-config", "vcpkg"];

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
    // The library alone: tests and examples of the client switch `testing` on.
    Step::cargo(
        "client without features",
        "clippy -p mparticle-client --no-default-features -- -D warnings",
    ),
    Step::cargo(
        "client with blocking",
        "clippy -p mparticle-client --features blocking -- -D warnings",
    ),
    Step::cargo("client with queue", "clippy -p mparticle-client --features queue -- -D warnings"),
    Step::cargo("client with spool", "clippy -p mparticle-client --features spool -- -D warnings"),
    Step::cargo(
        "client with testing",
        "clippy -p mparticle-client --features testing -- -D warnings",
    ),
    Step::cargo("client with cli", "clippy -p mparticle-client --features cli -- -D warnings"),
    Step::cargo(
        "client with every feature",
        "clippy -p mparticle-client --all-features -- -D warnings",
    ),
    Step { name: "no native build tools", action: Action::CheckNativeTools },
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
            Self::CheckNativeTools => write!(f, "cargo {CLIENT_TREE}"),
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
        Action::CheckNativeTools => check_native_tools(root),
    }
}

fn cargo(words: &str, root: &Path, variables: &[(&str, &str)]) -> Result<(), String> {
    let mut command = command(words, root);
    let status =
        command.envs(variables.iter().copied()).status().map_err(|error| not_started(&error))?;
    if status.success() { Ok(()) } else { Err(format!("error: cargo ended with {status}")) }
}

fn check_native_tools(root: &Path) -> Result<(), String> {
    let output = command(CLIENT_TREE, root).output().map_err(|error| not_started(&error))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr);
        return Err(format!("error: cargo ended with {}: {message}", output.status));
    }
    let found = native_tools(&String::from_utf8_lossy(&output.stdout));
    if found.is_empty() {
        return Ok(());
    }
    Err(format!("error: the client cannot be built with a C compiler alone: {}", found.join(", ")))
}

/// The lines of a tree that name one of [`NATIVE_TOOLS`].
fn native_tools(tree: &str) -> Vec<String> {
    let is_one = |line: &&str| {
        line.split_whitespace().next().is_some_and(|name| NATIVE_TOOLS.contains(&name))
    };
    tree.lines().filter(is_one).map(str::to_owned).collect()
}

fn command(words: &str, root: &Path) -> Command {
    // The Cargo that runs this command, which may be another one than the first in PATH.
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(words.split_whitespace()).current_dir(root);
    command
}

fn not_started(error: &std::io::Error) -> String {
    format!("error: cargo cannot be started: {error}")
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
    fn crates_that_need_more_than_a_c_compiler_are_found() {
        let tree = "mparticle-client v0.1.0\nring v0.17.0\ncmake v0.1.0 (*)\ncmaker v1.0.0\n";
        assert_eq!(native_tools(tree), ["cmake v0.1.0 (*)"]);
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
