//! An error for `main`: one line that says what went wrong and why.

use std::error::Error;
use std::fmt;

/// What `main` returns when something goes wrong.
///
/// Rust prints it with `Debug` and exits with status 1, so here `Debug` is what a person wants to read: the error and
/// what caused it.
pub(crate) struct Failure(String);

impl<E: Error> From<E> for Failure {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        Self(text)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
