//! The error of a queue that did not accept a batch.

use crate::models::Batch;
use crate::{Error, ErrorKind};
use std::fmt;

/// The error of a queue that did not accept a batch. [`into_batch`](Self::into_batch) returns the batch.
///
/// # Examples
/// ```
/// use mparticle_client::models::Batch;
/// use mparticle_client::queue::Queue;
///
/// /// Sends a batch. Returns the batch if the queue is full or closed.
/// fn send(queue: &Queue, batch: Batch) -> Option<Batch> {
///     let error = queue.try_send(batch).err()?;
///     eprintln!("not accepted: {error}");
///     Some(error.into_batch())
/// }
/// ```
pub struct SendError {
    error: Error,
    batch: Box<Batch>,
    source_request_id: Option<String>,
}

impl SendError {
    pub(super) fn new(error: Error, batch: Box<Batch>) -> Self {
        Self { error, batch, source_request_id: None }
    }

    /// Marks the batch as possibly written to disk. It may then be delivered with this id.
    pub(super) fn in_doubt(mut self, source_request_id: String) -> Self {
        self.source_request_id = Some(source_request_id);
        self
    }

    /// Returns the kind of the error.
    ///
    /// It is one of [`Full`](ErrorKind::Full), [`Closed`](ErrorKind::Closed), [`TooLarge`](ErrorKind::TooLarge),
    /// [`Invalid`](ErrorKind::Invalid) and [`Storage`](ErrorKind::Storage).
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.error.kind()
    }

    /// Returns the error with its details.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// Returns the `source_request_id` with which the queue may still deliver the batch, because the batch may have
    /// been written to the spool.
    ///
    /// If you send the batch in another way, set this id first. mParticle then counts the batch once.
    #[must_use]
    pub fn may_be_delivered_as(&self) -> Option<&str> {
        self.source_request_id.as_deref()
    }

    /// Converts this into the batch that was passed to the queue. The batch is unchanged.
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
