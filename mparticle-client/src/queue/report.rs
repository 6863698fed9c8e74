//! What a flush or a shutdown came to.

use super::Stats;

/// What became of batches during [`Queue::flush`](super::Queue::flush) or [`Queue::shutdown`](super::Queue::shutdown).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[must_use]
pub struct Report {
    /// Batches that mParticle accepted meanwhile.
    pub delivered: u64,
    /// Batches that mParticle refused meanwhile.
    pub rejected: u64,
    /// Batches that became too old meanwhile.
    pub expired: u64,
    /// Batches that the shutdown gave up. Their outcomes hold the requests.
    pub dropped: u64,
    /// Batches that the shutdown left in the spool, for the next queue that is made with it.
    pub left_in_spool: u64,
    /// Batches that were accepted before the flush and are still pending.
    pub pending: u64,
}

impl Report {
    /// Whether everything that was asked for is done: nothing is pending, dropped or left.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.pending == 0 && self.dropped == 0 && self.left_in_spool == 0
    }

    /// What was counted from a moment to the end of the queue.
    pub(super) fn at_the_end(before: &Stats, after: &Stats) -> Self {
        Self { left_in_spool: after.pending, ..Self::between(before, after) }
    }

    /// What was counted between two moments.
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
