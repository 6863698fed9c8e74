//! What became of a batch.

use crate::{EncodedRequest, Error, Receipt};
use std::fmt;
use std::sync::Arc;

/// How a batch ended. Every batch that a queue has accepted ends in exactly one of these.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// mParticle accepted the request that held it. Other batches may have been in the same request.
    Delivered(Arc<Receipt>),
    /// mParticle refused it, and would refuse it again; [`Error::api_errors`] tells why, if mParticle did.
    Rejected(Error),
    /// It was not delivered within 25 days. mParticle may have forgotten its `source_request_id` since, so that sending
    /// it could count it twice if an earlier attempt did arrive.
    Expired,
    /// The queue ended before it was delivered. It may have been sent, if the queue was just sending it.
    Dropped,
    /// The queue ended before it was delivered. The next queue with the same spool recovers it (feature `spool`).
    LeftInSpool,
}

/// A batch and its outcome.
///
/// `Debug` shows ids and sizes, neither identities nor attributes.
#[derive(Clone)]
pub struct BatchResult {
    pub(super) source_request_id: String,
    pub(super) sent_as: Option<String>,
    pub(super) outcome: Outcome,
    pub(super) unsent: Vec<EncodedRequest>,
}

impl BatchResult {
    /// The `source_request_id` under which the batch was accepted, its own or the one that it got.
    #[must_use]
    pub fn source_request_id(&self) -> &str {
        &self.source_request_id
    }

    /// The `source_request_id` under which it was sent: another one when it was joined with other batches of its user.
    #[must_use]
    pub fn sent_as(&self) -> &str {
        self.sent_as.as_deref().unwrap_or(&self.source_request_id)
    }

    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// How it ended.
    #[must_use]
    pub fn into_outcome(self) -> Outcome {
        self.outcome
    }

    /// Whether mParticle accepted it.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        matches!(self.outcome, Outcome::Delivered(_))
    }

    /// Why mParticle refused it, if it did.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        match &self.outcome {
            Outcome::Rejected(error) => Some(error),
            _ => None,
        }
    }

    /// The requests that hold the batch if it was rejected, expired or dropped, to be stored or sent with
    /// [`Client::resend`](crate::Client::resend); otherwise none.
    ///
    /// Batches that were sent as one have the same request. A batch of more than 128,000 bytes has several.
    #[must_use]
    pub fn into_requests(self) -> Vec<EncodedRequest> {
        self.unsent
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
