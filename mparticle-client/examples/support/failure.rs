//! An error type for `main` that is printed in one line.

use std::error::Error;
use std::fmt;

/// The error type of `main`.
///
/// Rust prints the error of `main` with `Debug` and exits with status 1. `Debug` therefore writes the error and its
/// sources in a readable form.
pub(crate) struct Failure(String);

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        Self(text)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
