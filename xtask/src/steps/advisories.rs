//! Looks for known vulnerabilities of dependencies in the `RustSec` database, if it can be fetched.

use std::path::Path;
use std::process::Stdio;

use super::{Ended, cargo, is_installed, succeed};

pub(super) const WORDS: &str = "deny --all-features check advisories";

const FETCH: &str = "deny fetch db";

pub(super) fn check(root: &Path) -> Result<Ended, String> {
    if !is_installed(WORDS, root) {
        return Ok(Ended::Skipped("cargo install --locked cargo-deny installs it".to_owned()));
    }
    let mut fetch = cargo(FETCH, root);
    fetch.stdout(Stdio::null()).stderr(Stdio::null());
    if !fetch.status().is_ok_and(|status| status.success()) {
        return Ok(Ended::Skipped("the database of advisories cannot be fetched here".to_owned()));
    }
    succeed(&mut cargo(WORDS, root))?;
    Ok(Ended::Passed)
}
