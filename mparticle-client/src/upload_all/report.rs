//! What became of the batches.

use crate::Error;
use crate::encoding::split::parts_of;
use crate::models::Batch;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

/// What became of the batches of an upload.
///
/// Every batch that was given was delivered, or is in [`failed`](Self::failed).
#[derive(Debug, Default)]
#[must_use]
pub struct UploadReport {
    pub(super) given: usize,
    pub(super) delivered: usize,
    pub(super) discarded: usize,
    pub(super) requests: usize,
    pub(super) failed: Vec<FailedBatch>,
    pub(super) failed_count: usize,
    pub(super) stopped: Option<Stopped>,
    pub(super) error: Option<Error>,
    pub(super) elapsed: Duration,
}

impl UploadReport {
    /// Returns how many batches were pulled from the source.
    #[must_use]
    pub fn given(&self) -> usize {
        self.given
    }

    /// Returns how many batches mParticle accepted.
    #[must_use]
    pub fn delivered(&self) -> usize {
        self.delivered
    }

    /// Returns how many batches were discarded, because the client is [disabled](crate::ClientBuilder::disabled).
    #[must_use]
    pub fn discarded(&self) -> usize {
        self.discarded
    }

    /// Returns how many requests were made. A request that was repeated counts once; one that was halved counts with its
    /// halves.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.requests
    }

    /// Returns the batches that were not delivered, in the order of the source.
    #[must_use]
    pub fn failed(&self) -> &[FailedBatch] {
        &self.failed
    }

    /// Returns how many batches were not delivered, including those that were passed to an
    /// [observer](super::UploadAll::observer).
    #[must_use]
    pub fn failed_count(&self) -> usize {
        self.failed_count
    }

    /// Converts this into the batches that were not delivered, to be uploaded again or stored.
    #[must_use]
    pub fn into_failed(self) -> Vec<FailedBatch> {
        self.failed
    }

    /// Returns why the upload stopped early. `None` if all batches of the source were given.
    #[must_use]
    pub fn stopped(&self) -> Option<Stopped> {
        self.stopped
    }

    /// Returns the error that stopped the upload early, if there was one.
    #[must_use]
    pub fn stop_error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// Returns how long the upload took.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Whether all batches of the source were given, and none of them failed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed_count == 0 && self.stopped.is_none()
    }
}

/// Why an upload stopped early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stopped {
    /// mParticle refused the credentials.
    Unauthorized,
    /// A request was refused in a way that no batch is to blame for, such as 404 or a redirect, or 100 batches in a row
    /// were refused one by one. [`UploadReport::stop_error`] tells more.
    Refused,
    /// Nothing was accepted for [`max_wait`](super::UploadAll::max_wait). [`UploadReport::stop_error`] is the last failure.
    NothingAccepted,
    /// As many batches failed as [`stop_after_failures`](super::UploadAll::stop_after_failures) allows.
    TooManyFailures,
    /// The client cannot send: there is no Tokio runtime, it has no timers, or it was shut down.
    Closed,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unauthorized => "mParticle did not accept the credentials",
            Self::Refused => "requests are refused for a reason that is not in the batches",
            Self::NothingAccepted => "nothing was accepted for too long",
            Self::TooManyFailures => "too many batches failed",
            Self::Closed => "the client cannot send from here",
        })
    }
}

/// A batch that was not delivered, or not all of it.
///
/// `Debug` shows its id and error alone.
pub struct FailedBatch {
    pub(super) position: usize,
    pub(super) source_request_id: String,
    pub(super) error: Error,
    pub(super) given_back: bool,
    pub(super) left: Left,
}

/// The part of a batch that was not delivered.
pub(super) enum Left {
    Whole(Box<Batch>),
    /// The ids and events of the parts that were not delivered.
    Parts(Box<Batch>, Vec<(String, Range<usize>)>),
}

impl FailedBatch {
    /// Returns the position of the batch in the source. The first batch is at 0.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// Returns the `source_request_id` of the batch: its own, or the one that was made for it.
    #[must_use]
    pub fn source_request_id(&self) -> &str {
        &self.source_request_id
    }

    /// Returns why the batch was not delivered.
    ///
    /// If several batches of one request failed, they share one error. If a batch was divided, it is the error of the
    /// part that failed first.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// Whether the batch has no result because the upload stopped before.
    ///
    /// Nothing is known to be wrong with such a batch. Upload it again.
    #[must_use]
    pub fn was_given_back(&self) -> bool {
        self.given_back
    }

    /// Converts this into what is left to send: the batch, or those of its parts that were not delivered.
    ///
    /// If it is uploaded again, it has the same bytes and ids, so that mParticle does not count twice what it may have
    /// accepted.
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
