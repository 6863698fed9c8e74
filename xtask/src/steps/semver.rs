//! Compares the public API of the published crates with that of the last release.

use std::path::Path;
use std::process::Command;

use super::{Ended, missing};
use crate::cargo::{cargo, output, succeed};

pub(super) fn words(baseline: &str) -> String {
    format!(
        "semver-checks -p mparticle-models -p mparticle-client --all-features --baseline-rev {baseline}"
    )
}

pub(super) fn check(root: &Path) -> Result<Ended, String> {
    let Some(tag) = last_release(root) else {
        return Ok(Ended::Skipped("there is no release yet: no tag begins with v".to_owned()));
    };
    let words = words(&tag);
    if let Some(skipped) = missing(&words, "cargo-semver-checks", root) {
        return Ok(skipped);
    }
    succeed(&mut cargo(&words, root))?;
    Ok(Ended::Passed)
}

/// Returns the tag of the last release before the current commit.
fn last_release(root: &Path) -> Option<String> {
    let mut git = Command::new("git");
    git.args(["describe", "--tags", "--abbrev=0", "--match", "v[0-9]*"]).current_dir(root);
    output(&mut git).ok().map(|tag| tag.trim().to_owned())
}
