//! Checks that each expected batch was accepted once and unchanged.

use super::records::Records;
use std::collections::BTreeSet;
use std::fmt;

/// The difference between the batches that an emulator accepted and the expected ones.
///
/// [`Emulator::check_exactly_once`](super::Emulator::check_exactly_once) returns it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mismatch {
    /// The ids that were expected, but not accepted.
    pub missing: Vec<String>,
    /// The ids of accepted batches that were sent again with different bytes. The later bytes are lost.
    pub altered: Vec<String>,
    /// The ids that were accepted, but not expected.
    pub unexpected: Vec<String>,
    /// The number of accepted batches without an id, for which duplicates cannot be detected.
    pub without_id: usize,
}

impl Mismatch {
    /// Returns the difference, or `None` if there is none.
    pub(super) fn find(expected: &BTreeSet<String>, records: &Records) -> Option<Self> {
        let accepted: BTreeSet<_> =
            records.accepted.iter().filter_map(|batch| batch.id.clone()).collect();
        let altered: BTreeSet<_> = records
            .duplicates
            .iter()
            .filter_map(|duplicate| duplicate.id.as_ref().map(|id| (id, duplicate)))
            .filter(|(id, duplicate)| {
                records.accepted_with_id(id).is_some_and(|first| *first != duplicate.raw)
            })
            .map(|(id, _)| id.clone())
            .collect();
        let mismatch = Self {
            missing: expected.difference(&accepted).cloned().collect(),
            altered: altered.into_iter().collect(),
            unexpected: accepted.difference(expected).cloned().collect(),
            without_id: records.accepted.iter().filter(|batch| batch.id.is_none()).count(),
        };
        (mismatch != Self::default()).then_some(mismatch)
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the emulator did not accept each expected batch exactly once")?;
        let lists = [
            ("missing", &self.missing),
            ("sent again with different bytes", &self.altered),
            ("not expected", &self.unexpected),
        ];
        for (problem, ids) in lists {
            if !ids.is_empty() {
                write!(f, "\n  {problem} ({}): {}", ids.len(), ids.join(", "))?;
            }
        }
        if self.without_id > 0 {
            write!(f, "\n  without an id: {}", self.without_id)?;
        }
        Ok(())
    }
}

impl std::error::Error for Mismatch {}
