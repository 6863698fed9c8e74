//! The error of a queue that did not accept a batch.

use crate::models::Batch;
use crate::{Error, ErrorKind};
use std::fmt;

/// Why a queue did not accept a batch. [`into_batch`](Self::into_batch) returns the batch.
pub struct SendError {
    error: Error,
    batch: Box<Batch>,
    source_request_id: Option<String>,
}

impl SendError {
    pub(super) fn new(error: Error, batch: Box<Batch>) -> Self {
        Self { error, batch, source_request_id: None }
    }

    /// The batch may be on disk, and may be delivered under an id.
    pub(super) fn in_doubt(mut self, source_request_id: String) -> Self {
        self.source_request_id = Some(source_request_id);
        self
    }

    /// Returns the kind of the error: [`Full`](ErrorKind::Full), [`Closed`](ErrorKind::Closed),
    /// [`TooLarge`](ErrorKind::TooLarge), [`Invalid`](ErrorKind::Invalid) or [`Storage`](ErrorKind::Storage).
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.error.kind()
    }

    /// Returns the reason in detail.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// Returns the `source_request_id` under which the batch may be delivered nevertheless, because it may have been
    /// written to the spool.
    ///
    /// To send the batch another way, set this id on it. mParticle then counts it once.
    #[must_use]
    pub fn may_be_delivered_as(&self) -> Option<&str> {
        self.source_request_id.as_deref()
    }

    /// Returns the batch as it was given.
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

/// Omits the batch, which is personal data.
impl fmt::Debug for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendError").field("error", &self.error).finish_non_exhaustive()
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
