//! Which records the store has, in memory, with the ledger that follows from them.
//!
//! It tells whether a put replaces and a delete hits, so that the ledger is kept without reading.

use super::ledger::Ledger;
use std::collections::HashMap;

#[derive(Debug, Default)]
pub(super) struct Index {
    checksums: HashMap<u64, u32>,
    ledger: Ledger,
}

impl Index {
    /// An index without records, after so many commits.
    pub(super) fn after(commits: u64) -> Self {
        Self { checksums: HashMap::new(), ledger: Ledger::after(commits) }
    }

    pub(super) fn ledger(&self) -> Ledger {
        self.ledger
    }

    /// Counts a transaction, before it is made.
    pub(super) fn begin(&mut self) {
        self.ledger.commits = self.ledger.commits.saturating_add(1);
    }

    /// Says what a number has now, and returns what it had.
    pub(super) fn set(&mut self, seq: u64, checksum: Option<u32>) -> (u64, Option<u32>) {
        let before = match checksum {
            Some(checksum) => self.checksums.insert(seq, checksum),
            None => self.checksums.remove(&seq),
        };
        if let Some(before) = before {
            self.ledger.remove(seq, before);
        }
        if let Some(checksum) = checksum {
            self.ledger.add(seq, checksum);
        }
        (seq, before)
    }

    /// Takes a transaction back.
    pub(super) fn undo(&mut self, changes: Vec<(u64, Option<u32>)>) {
        for (seq, before) in changes.into_iter().rev() {
            self.set(seq, before);
        }
        self.ledger.commits = self.ledger.commits.saturating_sub(1);
    }
}
