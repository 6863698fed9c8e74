//! The handle of one batch.

use super::{BatchResult, Outcome};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// The handle of a batch that a queue accepted. Await it for the outcome, or drop it.
///
/// The batch is delivered whether the handle is kept or dropped. The handle can be awaited in any runtime, or without one.
#[derive(Debug)]
pub struct DeliveryHandle {
    pub(super) source_request_id: String,
    pub(super) result: oneshot::Receiver<BatchResult>,
}

impl DeliveryHandle {
    /// Returns the `source_request_id` of the batch: its own, or the one that the queue has generated.
    #[must_use]
    pub fn source_request_id(&self) -> &str {
        &self.source_request_id
    }
}

impl Future for DeliveryHandle {
    type Output = BatchResult;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<BatchResult> {
        Pin::new(&mut self.result).poll(cx).map(|result| {
            // A batch has its outcome at the latest when it is dropped, so this does not happen.
            result.unwrap_or_else(|_| BatchResult {
                source_request_id: self.source_request_id.clone(),
                sent_as: None,
                outcome: Outcome::Dropped,
                requests: Vec::new(),
            })
        })
    }
}
