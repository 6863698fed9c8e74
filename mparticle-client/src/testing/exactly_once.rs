//! Whether what was sent arrived, once and unchanged.

use super::received::Received;
use std::collections::BTreeSet;
use std::fmt;

/// How the batches that the emulator accepted differ from those that a test expected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mismatch {
    /// Ids that were expected and not accepted.
    pub missing: Vec<String>,
    /// Ids that arrived again with other bytes, so that what came later is lost.
    pub altered: Vec<String>,
    /// Ids that were accepted and not expected.
    pub unexpected: Vec<String>,
    /// How many batches were accepted that have no id, so that none can say whether they were sent once.
    pub without_id: usize,
}

impl Mismatch {
    /// The difference, if there is one.
    pub(super) fn find(expected: &BTreeSet<String>, received: &Received) -> Option<Self> {
        let accepted: BTreeSet<_> =
            received.accepted.iter().filter_map(|batch| batch.id.clone()).collect();
        let altered: BTreeSet<_> = received
            .duplicates
            .iter()
            .filter_map(|again| again.id.as_ref().map(|id| (id, again)))
            .filter(|(id, again)| {
                received.accepted_as(id).is_some_and(|first| first.raw != again.raw)
            })
            .map(|(id, _)| id.clone())
            .collect();
        let mismatch = Self {
            missing: expected.difference(&accepted).cloned().collect(),
            altered: altered.into_iter().collect(),
            unexpected: accepted.difference(expected).cloned().collect(),
            without_id: received.accepted.iter().filter(|batch| batch.id.is_none()).count(),
        };
        (mismatch != Self::default()).then_some(mismatch)
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the emulator did not accept each expected batch exactly once")?;
        let lists = [
            ("missing", &self.missing),
            ("sent again with other bytes", &self.altered),
            ("not expected", &self.unexpected),
        ];
        for (what, ids) in lists {
            if !ids.is_empty() {
                write!(f, "\n  {what} ({}): {}", ids.len(), ids.join(", "))?;
            }
        }
        if self.without_id > 0 {
            write!(f, "\n  without an id: {}", self.without_id)?;
        }
        Ok(())
    }
}

impl std::error::Error for Mismatch {}
