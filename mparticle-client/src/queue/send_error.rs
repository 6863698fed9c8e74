//! A batch that a queue did not take.

use crate::models::Batch;
use crate::{Error, ErrorKind};
use std::fmt;

/// Why a queue did not take a batch; [`into_batch`](Self::into_batch) gives it back.
pub struct SendError {
    pub(super) error: Error,
    pub(super) batch: Box<Batch>,
}

impl SendError {
    /// What kind of failure it is: [`Full`](ErrorKind::Full), [`Closed`](ErrorKind::Closed),
    /// [`TooLarge`](ErrorKind::TooLarge), [`Invalid`](ErrorKind::Invalid) or [`Storage`](ErrorKind::Storage).
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.error.kind()
    }

    /// Why, in detail.
    #[must_use]
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// The batch, as it was given.
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

/// Without the batch, which is personal data.
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
