//! The counts and the state of a queue.

use super::Outcome;
use crate::{Error, ErrorKind};
use http::StatusCode;
use std::time::{Duration, SystemTime};

/// The counts of a queue since it was built, and its state.
///
/// All fields describe the same instant. At all times, `accepted + recovered == delivered + discarded + rejected +
/// expired + dropped + pending`. Each batch that was passed to the queue counts as one, even if it was joined with
/// others or split.
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
    /// The batches that were not delivered when the queue ended and are not in a spool.
    pub dropped: u64,
    /// The batches that are waiting or being sent. After the queue has ended, the batches that it left in the spool.
    pub pending: u64,
    /// The memory that the pending batches take in bytes, which [`max_pending`](super::QueueBuilder::max_pending)
    /// limits.
    pub pending_bytes: u64,
    /// The time since the acceptance of the oldest pending batch, in whole seconds. `None` if no batch is pending.
    pub oldest_age: Option<Duration>,
    /// The reason for the pause, or `None` if the queue is not paused.
    pub paused: Option<Pause>,
    /// The time of the first failed request since the last one that mParticle accepted. `None` while requests succeed.
    pub failing_since: Option<SystemTime>,
    /// The kind of the last error, even if requests have succeeded since then.
    pub last_error: Option<ErrorKind>,
}

/// The reason why a queue is paused.
///
/// A queue pauses if a request fails permanently for a reason outside its batches, such as wrong credentials or a wrong
/// base URL. It keeps its batches and continues to accept others. Unless mParticle refused the credentials, the queue
/// tries to send every five minutes, and resumes when mParticle accepts a request. Call
/// [`Queue::resume`](super::Queue::resume) or [`Queue::set_credentials`](super::Queue::set_credentials) to resume it at
/// once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pause {
    /// The kind of the error.
    pub kind: ErrorKind,
    /// The status of the response, such as 401, or `None` if no response arrived.
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
            // A queue repeats temporary failures until the batch is delivered, rejected or expired.
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
