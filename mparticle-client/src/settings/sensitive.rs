//! A text that must not be shown.

use std::fmt;

/// A text that may hold a secret; `Debug` does not show it.
#[derive(Clone)]
pub(crate) struct Sensitive(pub(crate) String);

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}
