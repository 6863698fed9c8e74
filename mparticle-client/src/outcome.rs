//! What became of a batch.

use crate::{EncodedRequest, Error, Receipt};
use std::fmt;
use std::sync::Arc;

/// How a batch ended.
///
/// Every batch that is given to [`upload_all`](crate::Client::upload_all) or to a queue ends in exactly one of these.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// mParticle accepted the request that held the batch. Other batches may have been in the same request.
    Delivered(Arc<Receipt>),
    /// The batch was not sent, because the client is [disabled](crate::ClientBuilder::disabled).
    Discarded,
    /// mParticle refused the batch and would refuse it again, or it could not be encoded. [`Error::api_errors`] lists the
    /// reasons that mParticle gave.
    Rejected(Error),
    /// The batch was not delivered for another reason. Sending it again later may succeed.
    Failed(Error),
    /// The batch was not delivered within 25 days. mParticle may have forgotten its `source_request_id` since, and would
    /// count it twice if an earlier attempt did arrive.
    Expired,
    /// The queue ended before the batch was delivered. It may have been sent, if the queue was just sending it.
    Dropped,
    /// The queue ended before the batch was delivered. The next queue with the same spool recovers it (feature `spool`).
    LeftInSpool,
}

impl Outcome {
    /// The outcome of a batch that was in a request with this receipt.
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
    /// Returns the `source_request_id` of the batch: its own, or the one that was made for it.
    #[must_use]
    pub fn source_request_id(&self) -> &str {
        &self.source_request_id
    }

    /// Returns the `source_request_id` under which the batch was sent. It is another one if a queue joined the batch with
    /// other batches of its user.
    #[must_use]
    pub fn sent_as(&self) -> &str {
        self.sent_as.as_deref().unwrap_or(&self.source_request_id)
    }

    /// Returns how the batch ended.
    #[must_use]
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Converts this into how the batch ended.
    #[must_use]
    pub fn into_outcome(self) -> Outcome {
        self.outcome
    }

    /// Whether mParticle accepted the batch.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        matches!(self.outcome, Outcome::Delivered(_))
    }

    /// Returns why the batch was rejected or failed.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        match &self.outcome {
            Outcome::Rejected(error) | Outcome::Failed(error) => Some(error),
            _ => None,
        }
    }

    /// Returns the requests that hold the batch if it was encoded and not delivered; see
    /// [`into_requests`](Self::into_requests).
    #[must_use]
    pub fn requests(&self) -> &[EncodedRequest] {
        &self.requests
    }

    /// Converts this into the requests that hold the batch if it was encoded and not delivered, to be stored or sent with
    /// [`Client::resend`](crate::Client::resend).
    ///
    /// Batches that were joined and sent as one have the same request. A batch of more than 128,000 bytes has several.
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
