//! Compares the public API of the published crates with that of the last release.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Ended, cargo, is_installed, succeed};

const MISSING: &str = "cargo install --locked cargo-semver-checks installs it";

pub(super) fn words(baseline: &str) -> String {
    format!(
        "semver-checks -p mparticle-models -p mparticle-client --all-features --baseline-rev {baseline}"
    )
}

pub(super) fn check(root: &Path) -> Result<Ended, String> {
    let Some(tag) = last_release(root) else {
        return Ok(Ended::Skipped("there is no release yet: no tag begins with v".to_owned()));
    };
    if !is_installed("semver-checks", root) {
        return Ok(Ended::Skipped(MISSING.to_owned()));
    }
    succeed(&mut cargo(&words(&tag), root))?;
    Ok(Ended::Passed)
}

/// Returns the tag of the last release before the current commit.
fn last_release(root: &Path) -> Option<String> {
    let mut git = Command::new("git");
    git.args(["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"]).current_dir(root);
    let output =
        git.stderr(Stdio::null()).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
