//! The result of a flush or a shutdown.

use super::Stats;

/// The result of [`Queue::flush`](super::Queue::flush) or [`Queue::shutdown`](super::Queue::shutdown).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Report {
    /// The number of batches that mParticle accepted during the call.
    pub delivered: u64,
    /// The number of batches that mParticle refused during the call.
    pub rejected: u64,
    /// The number of batches that expired during the call.
    pub expired: u64,
    /// The number of batches that the shutdown dropped. Their outcomes contain the requests.
    pub dropped: u64,
    /// The number of batches that the shutdown left in the spool, for the next queue with the same folder.
    pub left_in_spool: u64,
    /// The number of batches that were accepted before the flush and are still pending.
    pub pending: u64,
}

impl Report {
    /// Returns whether no batch is pending, dropped, or left in the spool.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.pending == 0 && self.dropped == 0 && self.left_in_spool == 0
    }

    /// Returns the difference between two counts, the second at the end of the queue.
    pub(super) fn at_the_end(before: &Stats, after: &Stats) -> Self {
        Self { left_in_spool: after.pending, ..Self::between(before, after) }
    }

    /// Returns the difference between two counts.
    pub(super) fn between(before: &Stats, after: &Stats) -> Self {
        Self {
            delivered: after.delivered.saturating_sub(before.delivered),
            rejected: after.rejected.saturating_sub(before.rejected),
            expired: after.expired.saturating_sub(before.expired),
            dropped: after.dropped.saturating_sub(before.dropped),
            left_in_spool: 0,
            pending: 0,
        }
    }
}
