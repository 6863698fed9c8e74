//! The error of a producer.

use crate::models::Batch;
use crate::{Error, ErrorKind};
use std::fmt;

/// The error of a producer whose batch was not acknowledged by the stream. [`into_batch`](Self::into_batch) returns the
/// batch.
pub struct SendError {
    error: Error,
    batch: Box<Batch>,
    may_be_delivered: bool,
}

impl SendError {
    pub(super) fn new(error: Error, batch: Box<Batch>, may_be_delivered: bool) -> Self {
        Self { error, batch, may_be_delivered }
    }

    /// Returns the kind of the error.
    ///
    /// It is one of [`Full`](ErrorKind::Full), [`Storage`](ErrorKind::Storage), [`Invalid`](ErrorKind::Invalid),
    /// [`TooLarge`](ErrorKind::TooLarge) and [`Config`](ErrorKind::Config).
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.error.kind()
    }

    /// Returns the error with its details.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// Returns whether the batch, or a part of it, may be in the stream and may be delivered.
    #[must_use]
    pub fn may_be_delivered(&self) -> bool {
        self.may_be_delivered
    }

    /// Converts this into the batch. Its `source_request_id` and the timestamps of its events are set. If it is sent
    /// again, it has the same bytes, and mParticle counts it once.
    #[must_use]
    pub fn into_batch(self) -> Batch {
        *self.batch
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

/// Omits the batch, which contains personal data.
impl fmt::Debug for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError")
            .field("error", &self.error)
            .field("may_be_delivered", &self.may_be_delivered)
            .finish_non_exhaustive()
    }
}

impl std::error::Error for SendError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        error.error
    }
}
