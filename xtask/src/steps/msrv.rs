//! Checks the published crates with the oldest supported toolchain of each feature.

use std::path::Path;
use std::process::Command;

use super::Ended;
use crate::cargo::{succeed, succeeds};

/// The `rust-version` of the published crates.
const TOOLCHAIN: &str = "1.85";

/// The oldest toolchain, a package, and the features that it supports. Each package is checked without features, too.
const FEATURES: [(&str, &str, &[&str]); 4] = [
    (TOOLCHAIN, "mparticle-models", &["data-plan", "schema", "time", "chrono", "jiff"]),
    (TOOLCHAIN, "mparticle-client", &["blocking", "data-plan", "queue", "spool", "testing"]),
    ("1.87", "mparticle-client", &["cli"]),
    ("1.89", "mparticle-client", &["jetstream"]),
];

pub(super) fn command_line(toolchain: &str, package: &str, features: &str) -> String {
    format!(
        "cargo +{toolchain} check --target-dir target/msrv -p {package} --no-default-features --features={features}"
    )
}

pub(super) fn check(root: &Path) -> Result<Ended, String> {
    let mut missing = Vec::new();
    for (toolchain, package, features) in FEATURES {
        if !is_installed(toolchain) && !install(toolchain) {
            missing.push(toolchain);
            continue;
        }
        let none = (toolchain == TOOLCHAIN).then(String::new);
        for features in none.into_iter().chain([features.join(",")]) {
            let line = command_line(toolchain, package, &features);
            println!("    {line}");
            let words = line.split_whitespace().skip(2);
            let mut command = Command::new("rustup");
            succeed(command.args(["run", toolchain, "cargo"]).args(words).current_dir(root))?;
        }
    }
    if missing.is_empty() {
        return Ok(Ended::Passed);
    }
    missing.dedup();
    Ok(Ended::Skipped(format!("rustup cannot install Rust {} here", missing.join(", "))))
}

fn is_installed(toolchain: &str) -> bool {
    rustup(&["run", toolchain, "cargo", "--version"])
}

fn install(toolchain: &str) -> bool {
    rustup(&["toolchain", "install", toolchain, "--profile", "minimal"])
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

    #[test]
    fn every_feature_of_the_published_crates_is_checked() {
        for package in ["mparticle-models", "mparticle-client"] {
            let path = workspace::root().unwrap().join(package).join("Cargo.toml");
            let manifest = fs::read_to_string(path).unwrap();
            let (_, features) = manifest.split_once("\n[features]\n").unwrap();
            let features = features.split("\n[").next().unwrap();
            let names = features.lines().filter_map(|line| line.split_once(" = "));
            for name in names.map(|(name, _)| name).filter(|name| *name != "default") {
                let is_checked = FEATURES
                    .iter()
                    .any(|(_, checked, features)| *checked == package && features.contains(&name));
                assert!(is_checked, "{package}: {name}");
            }
        }
    }
}
