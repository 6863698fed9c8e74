//! The interface between the queue and its spool.

use crate::Error;

/// A function that is called once, when a write is on disk or has failed.
pub(crate) type Done = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// A function that is called once, with the number of a batch that is on disk, or with the error of the write.
pub(crate) type Accepted = Box<dyn FnOnce(Result<u64, Error>) + Send>;

/// Whether the queue accepts a batch before it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The caller waits for the write. The write may fail.
    Awaited,
    /// The batch was already accepted. The write is repeated until it succeeds.
    Promised,
}

/// Stores batches until they are deleted. Writes take effect in the order of the calls.
pub(crate) trait BatchStore: Send + Sync {
    /// Writes a batch.
    fn accept(&self, record: Vec<u8>, durability: Durability, done: Accepted);

    /// Writes a seal: a note that batches are sent as one `document` with an id. Returns the number of the seal.
    fn seal(&self, id: String, members: Vec<u64>, document: &[u8], done: Done) -> u64;

    /// Deletes batches and seals.
    fn delete(&self, numbers: Vec<u64>);

    /// Returns an error if the store cannot be written at the moment.
    fn check(&self) -> Result<(), Error>;

    /// Completes all writes, and releases the store.
    fn close(&self, done: Done);
}
