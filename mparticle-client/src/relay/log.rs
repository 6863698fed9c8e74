//! The log from which a relay reads.

use crate::{BatchResult, Error, ErrorKind, RateLimiter};
use bytes::Bytes;
use std::future::Future;

/// The error of a log. It can be any error. The relay reports it as an error of kind
/// [`Storage`](ErrorKind::Storage), unless it is an [`Error`] of this crate.
pub type LogError = Box<dyn std::error::Error + Send + Sync>;

/// A log of encoded batches, from which a [relay](super) delivers.
pub trait BatchLog: Send + Sync + 'static {
    /// Reads the log.
    type Reader: LogReader;

    /// Opens a reader at the first record that is not settled. If the records belong to one process at a time, waits
    /// until they belong to this one.
    ///
    /// `limiter` is the rate limiter of the relay. A log that is shared by processes can pass its
    /// [snapshot](RateLimiter::snapshot) to the next process. Other logs ignore it.
    ///
    /// # Errors
    /// The relay reports the error in its statistics, and calls this method again after a backoff.
    fn open(
        &self,
        limiter: &RateLimiter,
    ) -> impl Future<Output = Result<Self::Reader, LogError>> + Send;
}

/// A reader of a [`BatchLog`].
///
/// If a method returns an error, the relay forgets the batches that are not settled, closes the reader and opens another
/// one. A reader that can no longer return the records in order, for example because another process took over, has to
/// return an error. A reader that is dropped without a call of [`close`](Self::close) is treated as if its process was
/// killed.
pub trait LogReader: Send {
    /// Identifies a record, for example its offset.
    type Position: Send;

    /// Returns the next record: its position, and the [stored form](crate::EncodedBatch::to_bytes) of a batch. Waits
    /// until there is one.
    ///
    /// The future must not lose a record if it is dropped before it completes.
    ///
    /// # Errors
    /// The relay opens another reader.
    fn read(&mut self) -> impl Future<Output = Result<(Self::Position, Bytes), LogError>> + Send;

    /// Records that batches have an outcome and must not be read again. A log with partitions or a single offset has to
    /// keep the offset of the first record without an outcome.
    ///
    /// A batch that was not delivered should be stored elsewhere first, because the relay does not keep it.
    ///
    /// # Errors
    /// The relay opens another reader. Records that are read again are sent again with the same ids.
    fn settle(
        &mut self,
        settled: Vec<Settled<Self::Position>>,
    ) -> impl Future<Output = Result<(), LogError>> + Send;

    /// Returns an error if the reader must not be used any longer. Called every second, also during an outage, when
    /// nothing is read. The default implementation returns `Ok`.
    ///
    /// # Errors
    /// The relay opens another reader.
    fn check(&mut self) -> Result<(), LogError> {
        Ok(())
    }

    /// Closes the reader, to let another process read the log. The default implementation does nothing.
    fn close(self) -> impl Future<Output = ()> + Send
    where
        Self: Sized,
    {
        async {}
    }
}

/// A record whose batch has an outcome.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settled<P> {
    /// The position of the record.
    pub position: P,
    /// The outcome of the batch: [`Delivered`](crate::Outcome::Delivered), [`Rejected`](crate::Outcome::Rejected) or
    /// [`Expired`](crate::Outcome::Expired).
    ///
    /// If the record is not an encoded batch, the outcome is `Rejected` with an error of kind
    /// [`Invalid`](crate::ErrorKind::Invalid), and the `source_request_id` is empty.
    pub result: BatchResult,
}

/// Converts the error of a log.
pub(super) fn into_error(error: LogError) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => *error,
        Err(error) => Error::new(ErrorKind::Storage, "the log failed").with_source(error),
    }
}
