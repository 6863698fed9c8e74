//! Runs the steps of `cargo xtask ci` and `cargo xtask release-checks`.

mod advisories;
mod minimal_versions;
mod msrv;
mod native_tools;
mod packages;
mod semver;

use std::fmt;
use std::path::Path;
use std::time::Instant;

use crate::arguments::{Request, Source, Task};
use crate::cargo::{cargo, succeed, succeeds};
use crate::{codegen, workspace};

/// A step that has to succeed.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) action: Action,
}

/// The command or check of a step.
pub(crate) enum Action {
    /// Runs Cargo with these arguments, which are separated by spaces.
    Cargo(&'static str),
    /// Runs Cargo with these arguments, and treats warnings of rustdoc as errors.
    CargoDoc(&'static str),
    /// Runs a subcommand of Cargo from this package. The step is skipped if the subcommand is not installed.
    Tool { words: &'static str, package: &'static str },
    /// Runs `cargo xtask codegen --check` in this process.
    CheckGenerated,
    /// Checks that no dependency of the client requires `CMake`, a C++ compiler or a system library.
    CheckNativeTools,
    /// Looks for known vulnerabilities of dependencies.
    Advisories,
    /// Builds the published crates from their packages.
    Packages,
    /// Compares the public API with that of the last release.
    SemverChecks,
    /// Checks the published crates with the oldest supported toolchain.
    OldestToolchain,
    /// Checks the published crates with the oldest versions of their dependencies.
    MinimalVersions,
}

/// The result of a step that did not fail.
#[derive(Debug, PartialEq)]
pub(crate) enum Ended {
    Passed,
    /// The step could not run, for this reason.
    Skipped(String),
}

impl Step {
    pub(crate) const fn cargo(name: &'static str, words: &'static str) -> Self {
        Self { name, action: Action::Cargo(words) }
    }

    pub(crate) const fn doc(name: &'static str, words: &'static str) -> Self {
        Self { name, action: Action::CargoDoc(words) }
    }
}

/// Formats the action as a shell command.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cargo(words) | Self::Tool { words, .. } => write!(f, "cargo {words}"),
            Self::CargoDoc(words) => write!(f, "RUSTDOCFLAGS='-D warnings' cargo {words}"),
            Self::CheckGenerated => write!(f, "cargo xtask codegen --check"),
            Self::CheckNativeTools => write!(f, "cargo {}", native_tools::TREE),
            Self::Advisories => write!(f, "cargo {}", advisories::WORDS),
            Self::Packages => write!(f, "cargo {}", packages::WORDS),
            Self::SemverChecks => write!(f, "cargo {}", semver::words("TAG")),
            Self::OldestToolchain => {
                write!(f, "{}", msrv::command_line("VERSION", "PACKAGE", "FEATURES"))
            }
            Self::MinimalVersions => write!(f, "{}", minimal_versions::command_line("PACKAGE")),
        }
    }
}

/// Runs the steps in order and stops at the first failure. The error is the message to print.
pub(crate) fn run(steps: &[Step]) -> Result<(), String> {
    let root = workspace::root()?;
    let start = Instant::now();
    let mut skipped = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        println!("==> [{}/{}] {}: {}", index + 1, steps.len(), step.name, step.action);
        let step_start = Instant::now();
        match perform(&step.action, &root).map_err(|error| failure(step, &error))? {
            Ended::Passed => {
                println!("    {} took {:.1} s", step.name, step_start.elapsed().as_secs_f64());
            }
            Ended::Skipped(reason) => {
                println!("    skipped: {reason}");
                skipped.push(step.name);
            }
        }
    }
    let passed = steps.len() - skipped.len();
    println!("==> {passed} steps passed in {:.0} s", start.elapsed().as_secs_f64());
    if !skipped.is_empty() {
        println!("==> {} skipped: {}", skipped.len(), skipped.join(", "));
    }
    Ok(())
}

fn failure(step: &Step, error: &str) -> String {
    format!("{error}\n==> failed: {}; to repeat this step, run: {}", step.name, step.action)
}

fn perform(action: &Action, root: &Path) -> Result<Ended, String> {
    match action {
        Action::Cargo(words) => succeed(&mut cargo(words, root))?,
        Action::CargoDoc(words) => {
            succeed(cargo(words, root).env("RUSTDOCFLAGS", "-D warnings"))?;
        }
        Action::Tool { words, package } => {
            if let Some(skipped) = missing(words, package, root) {
                return Ok(skipped);
            }
            succeed(&mut cargo(words, root))?;
        }
        Action::CheckGenerated => {
            codegen::run(&Request { task: Task::Check, source: Source::Workspace })?;
        }
        Action::CheckNativeTools => native_tools::check(root)?,
        Action::Advisories => return advisories::check(root),
        Action::Packages => packages::check(root)?,
        Action::SemverChecks => return semver::check(root),
        Action::OldestToolchain => return msrv::check(root),
        Action::MinimalVersions => minimal_versions::check(root)?,
    }
    Ok(Ended::Passed)
}

/// Returns the result of a step whose subcommand of Cargo is not installed, or `None` if it is.
fn missing(words: &str, package: &str, root: &Path) -> Option<Ended> {
    let subcommand = words.split_whitespace().next().unwrap_or_default();
    let is_installed = succeeds(cargo(subcommand, root).arg("--version"));
    let reason = || format!("cargo install --locked {package} installs it");
    (!is_installed).then(|| Ended::Skipped(reason()))
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_tool_that_is_missing_is_skipped_and_named() {
        let action =
            Action::Tool { words: "no-such-command-of-cargo check", package: "no-such-package" };
        let ended = perform(&action, &workspace::root().unwrap());
        let reason = "cargo install --locked no-such-package installs it";
        assert_eq!(ended, Ok(Ended::Skipped(reason.to_owned())));
    }
}
