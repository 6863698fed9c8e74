//! The interface between the queue and its spool.

use crate::Error;

/// Called once when a write is on disk, or with the reason why it is not.
pub(crate) type Done = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// Called once when a batch is on disk, with its number, or with the reason why it is not.
pub(crate) type Accepted = Box<dyn FnOnce(Result<u64, Error>) + Send>;

/// What the caller was told of a batch before it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Nothing: the caller waits for the write, and can be refused.
    Awaited,
    /// That it was accepted: the write is repeated until it succeeds.
    Promised,
}

/// Keeps batches until they are deleted. All writes take effect in the order of the calls.
pub(crate) trait BatchStore: Send + Sync {
    /// Writes a batch.
    fn accept(&self, record: Vec<u8>, durability: Durability, done: Accepted);

    /// Writes that batches are sent as one `document` under the given id. Returns the number of the seal.
    fn seal(&self, id: String, members: Vec<u64>, document: &[u8], done: Done) -> u64;

    /// Deletes batches and seals.
    fn delete(&self, numbers: Vec<u64>);

    /// Returns an error while nothing can be written.
    fn check(&self) -> Result<(), Error>;

    /// Completes all writes, and releases the store.
    fn close(&self, done: Done);
}
