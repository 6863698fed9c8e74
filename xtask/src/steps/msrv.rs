//! Checks the published crates with the oldest supported toolchain, with each feature alone.

use std::path::Path;
use std::process::Command;

use super::Ended;
use crate::cargo::{succeed, succeeds};

/// The `rust-version` of the published crates.
pub(super) const TOOLCHAIN: &str = "1.85";

/// Each package with the features that support [`TOOLCHAIN`].
const FEATURES: [(&str, &[&str]); 2] = [
    ("mparticle-models", &["data-plan", "schema", "time", "chrono", "jiff"]),
    ("mparticle-client", &["blocking", "data-plan", "queue", "spool", "testing"]),
];

pub(super) fn command_line(package: &str, features: &str) -> String {
    format!("cargo +{TOOLCHAIN} check --target-dir target/msrv -p {package} {features}")
}

pub(super) fn check(root: &Path) -> Result<Ended, String> {
    if !is_installed() && !install() {
        let reason = format!("rustup cannot install the toolchain {TOOLCHAIN} here");
        return Ok(Ended::Skipped(reason));
    }
    for (package, features) in FEATURES {
        let each_alone = features.iter().map(|feature| format!("--features {feature}"));
        for features in ["--no-default-features".to_owned()].into_iter().chain(each_alone) {
            let line = command_line(package, &features);
            println!("    {line}");
            let words = line.split_whitespace().skip(2);
            let mut command = Command::new("rustup");
            succeed(command.args(["run", TOOLCHAIN, "cargo"]).args(words).current_dir(root))?;
        }
    }
    Ok(Ended::Passed)
}

fn is_installed() -> bool {
    rustup(&["run", TOOLCHAIN, "cargo", "--version"])
}

fn install() -> bool {
    rustup(&["toolchain", "install", TOOLCHAIN, "--profile", "minimal"])
}

fn rustup(words: &[&str]) -> bool {
    succeeds(Command::new("rustup").args(words))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace;
    use std::fs;

    #[test]
    fn the_toolchain_is_that_of_the_manifest() {
        let manifest = fs::read_to_string(workspace::root().unwrap().join("Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("\nrust-version = \"{TOOLCHAIN}\"\n")));
    }
}
