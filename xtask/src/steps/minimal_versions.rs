//! Checks the published crates with the oldest versions of their dependencies that the manifests allow.
//!
//! Cargo can select these versions and keep a second lock file only as unstable features, which `RUSTC_BOOTSTRAP` enables.

use std::fs;
use std::path::Path;

use crate::cargo::{cargo, succeed};

const PACKAGES: [&str; 2] = ["mparticle-models", "mparticle-client"];

/// Where the lock file and the output are.
const FOLDER: &str = "target/minimal-versions";

/// What Cargo needs to use the second lock file.
const LOCK_FILE: &str =
    "-Z lockfile-path --config resolver.lockfile-path=\"target/minimal-versions/Cargo.lock\"";

pub(super) fn command_line(package: &str) -> String {
    format!("RUSTC_BOOTSTRAP=1 cargo {}", check_words(package))
}

fn check_words(package: &str) -> String {
    format!("check -p {package} --all-features --target-dir {FOLDER} {LOCK_FILE}")
}

pub(super) fn check(root: &Path) -> Result<(), String> {
    let folder = root.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| format!("error: {}: {error}", folder.display()))?;
    let lock = format!("generate-lockfile -Z direct-minimal-versions {LOCK_FILE}");
    for words in [lock].into_iter().chain(PACKAGES.map(check_words)) {
        println!("    cargo {words}");
        succeed(cargo(&words, root).env("RUSTC_BOOTSTRAP", "1"))?;
    }
    Ok(())
}
