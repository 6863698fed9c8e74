//! The report of an upload.

use crate::Error;
use crate::encoding::split::parts_of;
use crate::models::Batch;
use std::fmt;
use std::ops::Range;
use std::time::Duration;

/// The result of [`Client::upload_all`](crate::Client::upload_all).
///
/// Every batch that was pulled from the source was delivered or discarded, or is in [`failed`](Self::failed).
#[derive(Debug, Default)]
#[must_use]
pub struct UploadReport {
    pub(super) given: usize,
    pub(super) delivered: usize,
    pub(super) discarded: usize,
    pub(super) requests: usize,
    pub(super) failed: Vec<FailedBatch>,
    pub(super) stopped: Option<Stopped>,
    pub(super) error: Option<Error>,
    pub(super) elapsed: Duration,
}

impl UploadReport {
    /// Returns the number of batches that were pulled from the source.
    #[must_use]
    pub fn given(&self) -> usize {
        self.given
    }

    /// Returns the number of batches that mParticle accepted.
    #[must_use]
    pub fn delivered(&self) -> usize {
        self.delivered
    }

    /// Returns the number of batches that were discarded because the client is
    /// [disabled](crate::ClientBuilder::disabled).
    #[must_use]
    pub fn discarded(&self) -> usize {
        self.discarded
    }

    /// Returns the number of requests. A repeated request counts once. A halved request and its halves count
    /// separately.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.requests
    }

    /// Returns the batches that were not delivered, in the order of the source.
    #[must_use]
    pub fn failed(&self) -> &[FailedBatch] {
        &self.failed
    }

    /// Converts this into the batches that were not delivered, in the order of the source. They can be stored or
    /// uploaded again.
    #[must_use]
    pub fn into_failed(self) -> Vec<FailedBatch> {
        self.failed
    }

    /// Returns the reason why the upload stopped early, or `None` if all batches of the source were pulled.
    #[must_use]
    pub fn stopped(&self) -> Option<Stopped> {
        self.stopped
    }

    /// Returns the error that stopped the upload early, if there was one.
    ///
    /// The kind is one of those that [`FailedBatch::error`] lists for an upload that stopped.
    #[must_use]
    pub fn stop_error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// Returns how long the upload took.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Returns whether all batches of the source were pulled, and none of them failed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.stopped.is_none()
    }
}

/// The reason why an upload stopped early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stopped {
    /// mParticle refused the credentials.
    Unauthorized,
    /// A request failed for a reason outside its batches, such as status 404, a redirect or a rejected certificate, or
    /// 100 batches in a row were refused one by one. [`UploadReport::stop_error`] returns the error.
    Refused,
    /// Nothing was accepted for [`max_wait`](super::UploadAll::max_wait). [`UploadReport::stop_error`] returns the
    /// error of the last request.
    NothingAccepted,
    /// The number of failed batches has reached [`stop_after_failures`](super::UploadAll::stop_after_failures).
    TooManyFailures,
    /// The client cannot send: there is no Tokio runtime, it has no timers or I/O, or it was shut down.
    Closed,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unauthorized => "mParticle did not accept the credentials",
            Self::Refused => "requests fail for a reason outside their batches",
            Self::NothingAccepted => "nothing was accepted for too long",
            Self::TooManyFailures => "too many batches failed",
            Self::Closed => "the client cannot send",
        })
    }
}

/// A batch that was not delivered, or not completely.
///
/// `Debug` shows only its id and its error.
pub struct FailedBatch {
    pub(super) position: usize,
    pub(super) source_request_id: String,
    pub(super) error: Error,
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

    /// Returns the `source_request_id` of the batch. It was generated if the batch had none.
    #[must_use]
    pub fn source_request_id(&self) -> &str {
        &self.source_request_id
    }

    /// Returns the reason why the batch was not delivered.
    ///
    /// The batches of one request share the error of the request. If a batch was split, this is the error of the part
    /// that failed first. The kind is one of:
    ///
    /// - [`Invalid`](crate::ErrorKind::Invalid): the batch cannot be encoded, or it violates a rule and the client uses
    ///   [`Validation::Strict`](crate::Validation::Strict) or the upload is [historical](super::UploadAll::historical).
    ///   Nothing was sent.
    /// - [`TooLarge`](crate::ErrorKind::TooLarge): the batch cannot be split into parts of up to 128,000 bytes. Nothing
    ///   was sent.
    /// - [`Rejected`](crate::ErrorKind::Rejected): mParticle refused the batch with status 400 or 413.
    /// - [`RetriesExhausted`](crate::ErrorKind::RetriesExhausted): the request failed in as many attempts as the
    ///   [`RetryPolicy`](crate::RetryPolicy) allows, while mParticle accepted other requests.
    ///
    /// If the upload [stopped](UploadReport::stopped) before mParticle answered, the error has the kind of the error
    /// that stopped it:
    ///
    /// - [`Unauthorized`](crate::ErrorKind::Unauthorized): mParticle answered with status 401 or 403.
    /// - [`Rejected`](crate::ErrorKind::Rejected): mParticle answered with another status that is not retried.
    /// - [`Server`](crate::ErrorKind::Server), [`Transport`](crate::ErrorKind::Transport),
    ///   [`Timeout`](crate::ErrorKind::Timeout) and [`RateLimited`](crate::ErrorKind::RateLimited): the last request
    ///   failed, and nothing was accepted for [`max_wait`](super::UploadAll::max_wait), or the error is permanent.
    /// - [`Config`](crate::ErrorKind::Config) and [`Closed`](crate::ErrorKind::Closed): there is no Tokio runtime, it
    ///   has no timers or I/O, or it was shut down.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// Converts this into the batches that are left to send: the batch, or those of its parts that were not delivered.
    ///
    /// If they are uploaded again, they have the same bytes and ids. mParticle then does not count data twice that it
    /// may have accepted.
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
