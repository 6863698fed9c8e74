//! The root folder of the workspace.

use std::env;
use std::path::{Path, PathBuf};

/// Returns the root folder of the workspace, independent of the current folder.
///
/// Cargo provides the path of the package `xtask`. Without Cargo, the parents of the current folder are searched.
pub(crate) fn root() -> Result<PathBuf, String> {
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let here = env::current_dir().unwrap_or_default();
    let candidates = package.iter().flat_map(|dir| dir.ancestors()).chain(here.ancestors());
    find(candidates)
        .map(Path::to_path_buf)
        .ok_or_else(|| format!("error: {} is not inside the workspace", here.display()))
}

fn find<'a>(mut candidates: impl Iterator<Item = &'a Path>) -> Option<&'a Path> {
    candidates.find(|dir| dir.join("xtask/Cargo.toml").is_file() && dir.join("schema").is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_is_found_from_a_folder_deep_inside() {
        let root = root().unwrap();
        assert_eq!(find(root.join("schema/any/where").ancestors()), Some(root.as_path()));
        assert_eq!(find(Path::new("/").ancestors()), None);
    }
}
