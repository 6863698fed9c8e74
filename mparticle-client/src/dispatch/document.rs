//! The documents and the results of a dispatcher.

use crate::encoding::BatchJson;
use crate::encoding::users::UserKey;
use crate::{Error, Outcome, Receipt};
use std::sync::Arc;
use std::time::SystemTime;

/// One batch to be sent.
pub(crate) struct Document<T> {
    pub(crate) encoded: BatchJson,
    pub(crate) users: Vec<UserKey>,
    /// The time after which the document must not be sent.
    pub(crate) expires_at: Option<SystemTime>,
    /// Identifies the document to the caller. The dispatcher does not interpret it.
    pub(crate) tag: T,
}

impl<T> Document<T> {
    pub(super) fn is_expired(&self, now: SystemTime) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

/// An event that [`Dispatch::next`](super::Dispatch::next) returns.
pub(crate) enum Event<T> {
    /// The result of a document is known.
    Settled { document: Document<T>, result: DocumentResult },
    /// Nothing more is sent. The documents in flight may still be settled.
    Halted(Halt),
}

/// The result of a document.
#[derive(Clone, Debug)]
pub(crate) enum DocumentResult {
    Accepted(Arc<Receipt>),
    /// The document was refused, or its attempts are exhausted.
    Failed(Error),
    Expired,
}

impl DocumentResult {
    pub(crate) fn into_outcome(self) -> Outcome {
        match self {
            Self::Accepted(receipt) => Outcome::of(&receipt),
            Self::Failed(error) if error.is_retryable() => Outcome::Failed(error),
            Self::Failed(error) => Outcome::Rejected(error),
            Self::Expired => Outcome::Expired,
        }
    }
}

/// The reason why nothing more is sent.
#[derive(Clone, Debug)]
pub(crate) enum Halt {
    /// A request failed permanently, for a reason outside its documents.
    Refused(Error),
    /// Nothing was accepted within [`DispatchSettings::max_wait`](super::DispatchSettings::max_wait).
    TimedOut(Error),
}

/// A document without a result.
pub(crate) struct Unsettled<T> {
    pub(crate) document: Document<T>,
    pub(crate) may_have_been_sent: bool,
}
