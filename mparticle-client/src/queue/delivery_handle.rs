//! The handle of one batch.

use super::{BatchResult, Outcome};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::oneshot;

/// The handle of a batch that a queue accepted. Awaiting it returns the outcome.
///
/// The batch is delivered even if the handle is dropped. The handle can be awaited in any runtime, or without a
/// runtime.
///
/// # Examples
/// ```
/// use mparticle_client::Outcome;
/// use mparticle_client::queue::DeliveryHandle;
///
/// # async fn example(handle: DeliveryHandle) {
/// match handle.await.into_outcome() {
///     Outcome::Delivered(receipt) => println!("{} attempt(s)", receipt.attempts()),
///     other => println!("not delivered: {other:?}"),
/// }
/// # }
/// ```
#[derive(Debug)]
pub struct DeliveryHandle {
    pub(super) source_request_id: String,
    pub(super) result: oneshot::Receiver<BatchResult>,
}

impl DeliveryHandle {
    /// Returns the `source_request_id` of the batch. The queue generated it if the batch had none.
    #[must_use]
    pub fn source_request_id(&self) -> &str {
        &self.source_request_id
    }
}

impl Future for DeliveryHandle {
    type Output = BatchResult;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<BatchResult> {
        Pin::new(&mut self.result).poll(cx).map(|result| {
            // This does not happen, because a batch reports its outcome at the latest when it is dropped.
            result.unwrap_or_else(|_| BatchResult {
                source_request_id: self.source_request_id.clone(),
                sent_as: None,
                outcome: Outcome::Dropped,
                requests: Vec::new(),
            })
        })
    }
}
