//! What a queue found in its spool.

use std::path::PathBuf;

/// What a queue found in its spool when it was made (feature `spool`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// Batches that an earlier queue had accepted and not delivered. They are sent first.
    pub recovered: u64,
    /// Records that were there and could not be read, because the files were damaged. Each held one batch, or several
    /// that were sent as one.
    pub unreadable: u64,
    /// Where damaged files were moved to.
    pub set_aside: Vec<PathBuf>,
    /// What was wrong with them.
    pub damage: Option<String>,
}

impl Recovery {
    /// Whether nothing was damaged.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.damage.is_none() && self.unreadable == 0
    }
}
