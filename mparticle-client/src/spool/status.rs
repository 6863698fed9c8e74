//! What the spool's callers can ask without waiting for its thread.

use crate::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Why the spool cannot take a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unavailable {
    /// The spare cannot be completed.
    Full,
    /// The folder's path does not name the open files.
    Gone,
    /// A write or a sync has failed.
    Doubt,
}

/// Shared by the handle and the thread.
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

    /// Sets why the spool cannot take a batch, and logs it if the reason is a new one.
    pub(super) fn set(&self, reason: Unavailable, error: Error) {
        if self.unavailable() != Some(reason) {
            tracing::error!("{error:#}");
        }
        *self.lock() = Some((reason, error));
    }

    /// Notes that a reason no longer holds.
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
