//! What goes into a dispatcher, and what comes out.

use crate::encoding::EncodedBatch;
use crate::encoding::users::UserKey;
use crate::{Error, Outcome, Receipt};
use std::sync::Arc;
use std::time::SystemTime;

/// One batch to be sent.
pub(crate) struct Document<T> {
    pub(crate) encoded: EncodedBatch,
    pub(crate) users: Vec<UserKey>,
    /// When it may no longer be sent.
    pub(crate) expires_at: Option<SystemTime>,
    /// What the caller knows it by. It is not interpreted.
    pub(crate) tag: T,
}

impl<T> Document<T> {
    pub(super) fn is_expired(&self, now: SystemTime) -> bool {
        self.expires_at.is_some_and(|expires_at| expires_at <= now)
    }
}

/// What [`Dispatch::next`] yields.
pub(crate) enum Event<T> {
    /// The result of a document is known.
    Settled { document: Document<T>, result: DocumentResult },
    /// Nothing more is sent. What is in flight may still be settled.
    Halted(Halt),
}

/// What became of a document.
#[derive(Clone, Debug)]
pub(crate) enum DocumentResult {
    Accepted(Arc<Receipt>),
    /// It was refused, or its attempts are exhausted.
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

/// Why nothing more is sent.
#[derive(Clone, Debug)]
pub(crate) enum Halt {
    /// A request failed in a way that no document is to blame for and that repeating it would not change.
    Refused(Error),
    /// Nothing was accepted for as long as [`DispatchSettings::max_wait`] allows.
    TimedOut(Error),
}

/// A document that has no result.
pub(crate) struct Unsettled<T> {
    pub(crate) document: Document<T>,
    pub(crate) may_have_been_sent: bool,
}
