//! What a queue has counted.

use super::Outcome;

/// What a queue has counted since it was made.
///
/// All fields are of one moment, and `accepted + recovered == delivered + discarded + rejected + expired + dropped + pending` at
/// every moment. Batches count as they were given, however they were joined or divided to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Batches that were taken by `send` and `try_send`.
    pub accepted: u64,
    /// Batches of an earlier queue that were found in the spool.
    pub recovered: u64,
    /// Batches that mParticle accepted.
    pub delivered: u64,
    /// Batches that were discarded, because the client is [disabled](crate::ClientBuilder::disabled).
    pub discarded: u64,
    /// Batches that mParticle refused.
    pub rejected: u64,
    /// Batches that were not delivered within 25 days.
    pub expired: u64,
    /// Batches that were not delivered when the queue ended, and that no spool holds.
    pub dropped: u64,
    /// Batches that wait or are being sent. When the queue has ended: those that it left in the spool.
    pub pending: u64,
    /// The bytes of JSON in these.
    pub pending_bytes: u64,
    /// Whether the queue sends nothing because mParticle refused the credentials.
    pub paused: bool,
}

impl Stats {
    pub(super) fn entered(&mut self, bytes: usize) {
        self.pending += 1;
        self.pending_bytes += wide(bytes);
    }

    pub(super) fn settled(&mut self, outcome: &Outcome, bytes: usize) {
        let counter = match outcome {
            Outcome::Delivered(_) => &mut self.delivered,
            Outcome::Discarded => &mut self.discarded,
            // A queue repeats what fails for another reason until it is delivered, rejected or expired.
            Outcome::Rejected(_) | Outcome::Failed(_) => &mut self.rejected,
            Outcome::Expired => &mut self.expired,
            Outcome::Dropped => &mut self.dropped,
            // It stays where it is.
            Outcome::LeftInSpool => return,
        };
        *counter += 1;
        self.pending = self.pending.saturating_sub(1);
        self.pending_bytes = self.pending_bytes.saturating_sub(wide(bytes));
    }
}

fn wide(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
