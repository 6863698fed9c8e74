//! What a queue has counted.

use super::Outcome;
use crate::{Error, ErrorKind};
use http::StatusCode;
use std::time::{Duration, SystemTime};

/// What a queue has counted since it was built, and how it is doing.
///
/// All fields are of one moment. At every moment,
/// `accepted + recovered == delivered + discarded + rejected + expired + dropped + pending`. Batches count as they were
/// given, no matter how they were joined or split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// The batches that the queue accepted.
    pub accepted: u64,
    /// The batches of an earlier queue that were found in the spool.
    pub recovered: u64,
    /// The batches that mParticle accepted.
    pub delivered: u64,
    /// The batches that were discarded because the client is [disabled](crate::ClientBuilder::disabled).
    pub discarded: u64,
    /// The batches that mParticle refused.
    pub rejected: u64,
    /// The batches that were not delivered within 25 days.
    pub expired: u64,
    /// The batches that were not delivered when the queue ended, and that are not in a spool.
    pub dropped: u64,
    /// The batches that are waiting or being sent. After the queue has ended, the batches that it left in the spool.
    pub pending: u64,
    /// The memory of the pending batches in bytes, as it counts against
    /// [`max_pending`](super::QueueBuilder::max_pending).
    pub pending_bytes: u64,
    /// The time since the acceptance of the oldest pending batch, in whole seconds.
    pub oldest_age: Option<Duration>,
    /// Why the queue is paused; `None` if it is not.
    pub paused: Option<Pause>,
    /// When a request first failed since the last one that mParticle accepted; `None` while requests succeed.
    pub failing_since: Option<SystemTime>,
    /// The kind of the last error, also if requests have succeeded since.
    pub last_error: Option<ErrorKind>,
}

/// Why a queue is paused.
///
/// A queue pauses when a request fails for a reason that no batch is to blame for and that a retry does not change, such
/// as wrong credentials or a wrong base URL. It then keeps its batches and continues to accept others. Unless mParticle
/// refused the credentials, it tries again every five minutes. It continues when mParticle accepts a request, or with [`Queue::resume`](super::Queue::resume) or
/// [`Queue::set_credentials`](super::Queue::set_credentials).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pause {
    /// The kind of the error.
    pub kind: ErrorKind,
    /// The status that mParticle answered with, such as 401; `None` if there was no response.
    pub status: Option<StatusCode>,
}

impl Pause {
    pub(super) fn of(error: &Error) -> Self {
        Self { kind: error.kind(), status: error.status() }
    }
}

impl Stats {
    pub(super) fn entered(&mut self, bytes: usize) {
        self.pending += 1;
        self.pending_bytes += bytes as u64;
    }

    pub(super) fn settled(&mut self, outcome: &Outcome, bytes: usize) {
        let counter = match outcome {
            Outcome::Delivered(_) => &mut self.delivered,
            Outcome::Discarded => &mut self.discarded,
            // A queue retries what may succeed later until the batch is delivered, rejected or expired.
            Outcome::Rejected(_) | Outcome::Failed(_) => &mut self.rejected,
            Outcome::Expired => &mut self.expired,
            Outcome::Dropped => &mut self.dropped,
            // The batch stays pending.
            Outcome::LeftInSpool => return,
        };
        *counter += 1;
        self.pending = self.pending.saturating_sub(1);
        self.pending_bytes = self.pending_bytes.saturating_sub(bytes as u64);
    }
}
