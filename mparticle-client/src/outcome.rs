//! The outcome of a batch.

use crate::{EncodedRequest, Error, Receipt};
use std::fmt;
use std::sync::Arc;

/// The outcome of a batch.
///
/// Every batch that is passed to [`upload_all`](crate::Client::upload_all) or to a queue has exactly one outcome.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// mParticle accepted the request that contained the batch. The request may have contained other batches, too.
    Delivered(Arc<Receipt>),
    /// The batch was not sent, because the client is [disabled](crate::ClientBuilder::disabled).
    Discarded,
    /// mParticle refused the batch and would refuse it again, or the batch could not be encoded. [`Error::api_errors`]
    /// lists the reasons that mParticle gave.
    Rejected(Error),
    /// The batch was not delivered for another reason. Sending it again later may succeed.
    Failed(Error),
    /// The batch was not delivered within 25 days. The batch is not sent again: mParticle may no longer recognize its
    /// `source_request_id`, and would count the batch twice if an earlier attempt had arrived.
    Expired,
    /// The queue ended before the batch was delivered. The batch may have been sent if its request was in flight.
    Dropped,
    /// The queue ended before the batch was delivered. The next queue with the same spool recovers the batch (feature
    /// `spool`).
    LeftInSpool,
}

impl Outcome {
    /// Returns the outcome of a batch whose request has this receipt.
    pub(crate) fn of(receipt: &Arc<Receipt>) -> Self {
        if receipt.is_discarded() { Self::Discarded } else { Self::Delivered(Arc::clone(receipt)) }
    }
}

/// A batch and its outcome.
///
/// `Debug` shows ids and sizes, but neither identities nor attributes.
#[derive(Clone)]
pub struct BatchResult {
    pub(crate) source_request_id: String,
    pub(crate) sent_as: Option<String>,
    pub(crate) outcome: Outcome,
    pub(crate) requests: Vec<EncodedRequest>,
}

impl BatchResult {
    /// Returns the `source_request_id` of the batch. It was generated if the batch had none.
    #[must_use]
    pub fn source_request_id(&self) -> &str {
        &self.source_request_id
    }

    /// Returns the `source_request_id` with which the batch was sent.
    ///
    /// It differs from [`source_request_id`](Self::source_request_id) if a queue joined the batch with other batches of
    /// the same user.
    #[must_use]
    pub fn sent_as(&self) -> &str {
        self.sent_as.as_deref().unwrap_or(&self.source_request_id)
    }

    /// Returns the outcome of the batch.
    #[must_use]
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Converts this into the outcome of the batch.
    #[must_use]
    pub fn into_outcome(self) -> Outcome {
        self.outcome
    }

    /// Returns whether mParticle accepted the batch.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        matches!(self.outcome, Outcome::Delivered(_))
    }

    /// Returns the error of a batch that was rejected or that failed, and `None` for other outcomes.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        match &self.outcome {
            Outcome::Rejected(error) | Outcome::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// Returns the requests that contain the batch, if it was encoded and not delivered. See
    /// [`into_requests`](Self::into_requests).
    #[must_use]
    pub fn requests(&self) -> &[EncodedRequest] {
        &self.requests
    }

    /// Converts this into the requests that contain the batch, if it was encoded and not delivered.
    ///
    /// Store the requests, or send them with [`Client::resend`](crate::Client::resend). Batches that were joined have
    /// the same request. A batch of more than 128,000 bytes has several requests.
    #[must_use]
    pub fn into_requests(self) -> Vec<EncodedRequest> {
        self.requests
    }
}

impl fmt::Debug for BatchResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchResult")
            .field("source_request_id", &self.source_request_id)
            .field("sent_as", &self.sent_as())
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}
