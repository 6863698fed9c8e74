//! Looks for known vulnerabilities of dependencies in the `RustSec` database, if it can be fetched.

use std::path::Path;

use super::{Ended, missing};
use crate::cargo::{cargo, succeed, succeeds};

pub(super) const WORDS: &str = "deny --all-features check advisories";

const FETCH: &str = "deny fetch db";

pub(super) fn check(root: &Path) -> Result<Ended, String> {
    if let Some(skipped) = missing(WORDS, "cargo-deny", root) {
        return Ok(skipped);
    }
    if !succeeds(&mut cargo(FETCH, root)) {
        return Ok(Ended::Skipped("the database of advisories cannot be fetched here".to_owned()));
    }
    succeed(&mut cargo(WORDS, root))?;
    Ok(Ended::Passed)
}
