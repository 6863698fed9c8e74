//! Ensures that each batch has exactly one outcome.

use super::capacity::Permit;
use super::counts::Counted;
use super::shared::Shared;
use super::{BatchResult, Outcome};
use crate::EncodedRequest;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Reports the outcome of an accepted batch.
///
/// It holds the capacity of the batch. If it is dropped without an outcome, for example because a runtime is shut down,
/// the batch counts as dropped, or as left in the spool.
pub(super) struct Completion {
    shared: Arc<Shared>,
    source_request_id: String,
    /// `None` once the batch has its outcome.
    permit: Option<Permit>,
    storage: Storage,
    /// The count to which the batch belongs. `None` before the batch is accepted, and once it has its outcome.
    counted: Option<Counted>,
    listener: Option<oneshot::Sender<BatchResult>>,
}

/// The storage of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Storage {
    /// The batch is only in memory.
    Memory,
    /// The spool is writing the batch to disk.
    Writing,
    /// The batch is on disk.
    Disk,
}

impl Completion {
    pub(super) fn new(
        shared: Arc<Shared>,
        source_request_id: String,
        permit: Permit,
        listener: Option<oneshot::Sender<BatchResult>>,
    ) -> Self {
        let permit = Some(permit);
        let storage = Storage::Memory;
        Self { shared, source_request_id, permit, storage, counted: None, listener }
    }

    pub(super) fn source_request_id(&self) -> &str {
        &self.source_request_id
    }

    /// Returns the bytes that count against the capacity of the queue.
    pub(super) fn bytes(&self) -> usize {
        self.permit.as_ref().map_or(0, Permit::bytes)
    }

    pub(super) fn storage(&self) -> Storage {
        self.storage
    }

    pub(super) fn set_storage(&mut self, storage: Storage) {
        self.storage = storage;
    }

    pub(super) fn is_counted(&self) -> bool {
        self.counted.is_some()
    }

    pub(super) fn set_counted(&mut self, counted: Counted) {
        self.counted = Some(counted);
    }

    /// Frees the memory of a listener that was dropped.
    pub(super) fn forget_closed_listener(&mut self) {
        self.listener = self.listener.take().filter(|listener| !listener.is_closed());
    }

    /// Whether there is an outcome hook or a handle that receives the outcome.
    pub(super) fn has_listener(&self) -> bool {
        self.shared.has_hook() || self.listener.as_ref().is_some_and(|other| !other.is_closed())
    }

    /// Reports the outcome. `requests` contain the batch, for outcomes that return it.
    pub(super) fn settle(
        mut self,
        outcome: Outcome,
        sent_as: Option<&str>,
        requests: Vec<EncodedRequest>,
    ) {
        self.finish(outcome, sent_as, requests);
    }

    /// Returns the outcome of a batch that is pending when the queue ends.
    pub(super) fn unfinished(&self) -> Outcome {
        match self.storage {
            Storage::Disk => Outcome::LeftInSpool,
            Storage::Memory | Storage::Writing => Outcome::Dropped,
        }
    }

    fn finish(&mut self, outcome: Outcome, sent_as: Option<&str>, requests: Vec<EncodedRequest>) {
        let (Some(counted), Some(permit)) = (self.counted.take(), self.permit.take()) else {
            return;
        };
        self.shared.settled(counted, &outcome, permit.bytes(), self.storage);
        let listener = self.listener.take().filter(|listener| !listener.is_closed());
        if !self.shared.has_hook() && listener.is_none() {
            return;
        }
        let sent_as = sent_as.filter(|id| *id != self.source_request_id).map(str::to_owned);
        let source_request_id = std::mem::take(&mut self.source_request_id);
        let result = BatchResult { source_request_id, sent_as, outcome, requests };
        if let Some(listener) = listener {
            // An error means that the handle was dropped in the meantime.
            _ = listener.send(result.clone());
        }
        self.shared.call_hook(result, permit);
    }
}

impl Drop for Completion {
    fn drop(&mut self) {
        let outcome = self.unfinished();
        self.finish(outcome, None, Vec::new());
    }
}
