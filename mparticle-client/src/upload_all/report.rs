//! What became of the batches.

use crate::encoding::split::parts_of;
use crate::models::Batch;
use crate::{Error, Receipt};
use std::fmt;
use std::ops::Range;
use std::time::Duration;

/// What became of the batches that were given: all of them were delivered but those in [`failed`](Self::failed).
#[derive(Debug, Default)]
#[must_use]
pub struct UploadReport {
    pub(super) given: usize,
    pub(super) delivered: usize,
    pub(super) requests: usize,
    pub(super) failed: Vec<FailedBatch>,
    pub(super) stopped: Option<Stopped>,
    pub(super) elapsed: Duration,
}

impl UploadReport {
    /// How many batches were pulled from the source.
    #[must_use]
    pub fn given(&self) -> usize {
        self.given
    }

    /// How many of them mParticle accepted.
    #[must_use]
    pub fn delivered(&self) -> usize {
        self.delivered
    }

    /// How many requests it took. One that was sent again counts once, one that was halved counts with its halves.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.requests
    }

    /// The batches that were not delivered, in the order in which that became known.
    #[must_use]
    pub fn failed(&self) -> &[FailedBatch] {
        &self.failed
    }

    /// The batches that were not delivered, to be sent again or stored.
    #[must_use]
    pub fn into_failed(self) -> Vec<FailedBatch> {
        self.failed
    }

    /// Why it pulled no more batches, if it did not pull all. The source may hold batches that were never given.
    #[must_use]
    pub fn stopped(&self) -> Option<Stopped> {
        self.stopped
    }

    /// How long it took.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Whether all batches of the source were given, and all of them delivered.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.stopped.is_none()
    }
}

/// Why an upload pulled no more batches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stopped {
    /// mParticle refused the credentials, so no request would succeed. What had been pulled and was not in flight
    /// failed without being sent.
    Unauthorized,
    /// As many batches failed as [`stop_after_failures`](super::UploadAll::stop_after_failures) allows.
    TooManyFailures,
    /// The client cannot send: there is no Tokio runtime where the upload was awaited, or the process was forked. What had
    /// been pulled failed without being sent.
    Closed,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unauthorized => "mParticle did not accept the credentials",
            Self::TooManyFailures => "too many batches failed",
            Self::Closed => "the client cannot send from here",
        })
    }
}

/// A batch that was not delivered, or not all of it.
///
/// `Debug` shows its id and error alone.
pub struct FailedBatch {
    pub(super) source_request_id: String,
    pub(super) error: Error,
    pub(super) left: Left,
}

/// What is left of a batch.
pub(super) enum Left {
    Whole(Box<Batch>),
    /// Ids and events of the parts that did not arrive.
    Parts(Box<Batch>, Vec<(String, Range<usize>)>),
}

impl FailedBatch {
    /// The batch's own `source_request_id`, or the one that it got.
    #[must_use]
    pub fn source_request_id(&self) -> &str {
        &self.source_request_id
    }

    /// Why it was not delivered. The batches of one request share one error; of a batch that was divided it is the
    /// error of the part that failed first.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// What is left to send: uploaded again it makes the same bytes under the same ids, so it does not count twice what
    /// mParticle may have taken. It is the batch, or, if it was divided, those of its parts that did not arrive.
    #[must_use]
    pub fn into_batches(self) -> Vec<Batch> {
        match self.left {
            Left::Whole(batch) => vec![batch.with_source_request_id(self.source_request_id)],
            Left::Parts(batch, parts) => parts_of(*batch, parts),
        }
    }
}

impl fmt::Debug for FailedBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailedBatch")
            .field("source_request_id", &self.source_request_id)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

/// What became of one batch, as [`on_outcome`](super::UploadAll::on_outcome) is told.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// mParticle accepted it.
    Delivered {
        /// The batch's own `source_request_id`, or the one that it got.
        source_request_id: &'a str,
        /// The answer to its request; if it was divided, to the request of the last part.
        receipt: &'a Receipt,
    },
    /// It was not delivered; it will stand in [`UploadReport::failed`].
    Failed(&'a FailedBatch),
}
