//! Builds the published crates from their packages.

use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::cargo::{cargo, succeed};

pub(super) const WORDS: &str = "package -p mparticle-models -p mparticle-client \
                                -p mparticle-codegen --allow-dirty --all-features";

pub(super) fn check(root: &Path) -> Result<(), String> {
    remove_unpacked();
    succeed(&mut cargo(WORDS, root))
}

/// Removes what Cargo has unpacked for an earlier run. Cargo would use it again as long as the version is the same.
fn remove_unpacked() {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
    let Some(sources) = home.map(|home| home.join("registry/src")) else { return };
    for registry in fs::read_dir(sources).into_iter().flatten().flatten() {
        for package in fs::read_dir(registry.path()).into_iter().flatten().flatten() {
            if package.file_name().to_string_lossy().starts_with("mparticle-") {
                let _ = fs::remove_dir_all(package.path());
            }
        }
    }
}
