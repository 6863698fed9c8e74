//! A text that `Debug` must not show.

use std::fmt;

/// A text that may contain a secret. `Debug` does not show it.
#[derive(Clone)]
pub(crate) struct Sensitive(pub(crate) String);

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}
