//! The handle of one batch.

use super::{BatchResult, Outcome};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// A batch that was accepted; await it for its outcome, or drop it.
///
/// Dropping it changes nothing: the batch is delivered all the same. It may be awaited in any runtime, or none.
#[derive(Debug)]
pub struct DeliveryHandle {
    pub(super) source_request_id: String,
    pub(super) result: oneshot::Receiver<BatchResult>,
}

impl DeliveryHandle {
    /// The `source_request_id` under which the batch was accepted, its own or the one that it got.
    #[must_use]
    pub fn source_request_id(&self) -> &str {
        &self.source_request_id
    }
}

impl Future for DeliveryHandle {
    type Output = BatchResult;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<BatchResult> {
        Pin::new(&mut self.result).poll(cx).map(|settled| {
            // The sender settles before it goes; should it not, nothing was delivered as far as anyone knows.
            settled.unwrap_or_else(|_| BatchResult {
                source_request_id: self.source_request_id.clone(),
                sent_as: None,
                outcome: Outcome::Dropped,
                requests: Vec::new(),
            })
        })
    }
}
