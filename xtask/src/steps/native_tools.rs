//! Checks that no dependency of the client requires more than a C compiler.

use std::path::Path;

use crate::cargo::{cargo, output};

/// The arguments of Cargo that list the crates of the client, one per line.
pub(super) const TREE: &str =
    "tree -p mparticle-client --all-features -e normal,build --target all --prefix none -f {p}";

/// Crates that require more than a C compiler.
const NATIVE_TOOLS: [&str; 6] =
    ["aws-lc-sys", "bindgen", "cmake", "openssl-sys", "pkg-config", "vcpkg"];

pub(super) fn check(root: &Path) -> Result<(), String> {
    let found = native_tools(&output(&mut cargo(TREE, root))?);
    if found.is_empty() {
        return Ok(());
    }
    Err(format!("error: the client cannot be built with a C compiler alone: {}", found.join(", ")))
}

/// Returns the lines of a tree that name one of [`NATIVE_TOOLS`].
fn native_tools(tree: &str) -> Vec<String> {
    let is_one = |line: &&str| {
        line.split_whitespace().next().is_some_and(|name| NATIVE_TOOLS.contains(&name))
    };
    tree.lines().filter(is_one).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_that_need_more_than_a_c_compiler_are_found() {
        let tree = "mparticle-client v0.1.0\nring v0.17.0\ncmake v0.1.0 (*)\ncmaker v1.0.0\n";
        assert_eq!(native_tools(tree), ["cmake v0.1.0 (*)"]);
    }
}
