//! The status of the spool, which callers can read without waiting for its thread.

use crate::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The reason why the spool cannot accept a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unavailable {
    /// The spare cannot be completed.
    Full,
    /// The path of the folder does not name the open files.
    Gone,
    /// A write or a sync has failed.
    Doubt,
}

/// The status, which the handle and the thread share.
#[derive(Default)]
pub(super) struct Status {
    unavailable: Mutex<Option<(Unavailable, Error)>>,
    is_closing: AtomicBool,
}

impl Status {
    pub(super) fn check(&self) -> Result<(), Error> {
        match &*self.lock() {
            Some((_, error)) => Err(error.clone()),
            None => Ok(()),
        }
    }

    pub(super) fn unavailable(&self) -> Option<Unavailable> {
        self.lock().as_ref().map(|(reason, _)| *reason)
    }

    /// Sets the reason why the spool cannot accept a batch, and logs it if it differs from the previous one.
    pub(super) fn set(&self, reason: Unavailable, error: Error) {
        if self.unavailable() != Some(reason) {
            tracing::error!("{error:#}");
        }
        *self.lock() = Some((reason, error));
    }

    /// Removes a reason that no longer applies.
    pub(super) fn clear(&self, reason: Unavailable) {
        if self.lock().take_if(|(current, _)| *current == reason).is_some() {
            tracing::info!("the spool can be written again");
        }
    }

    pub(super) fn begin_closing(&self) {
        self.is_closing.store(true, Ordering::Release);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Unavailable, Error)>> {
        self.unavailable.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
