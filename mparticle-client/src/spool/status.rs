//! What the spool's callers can ask without waiting for its thread.

use crate::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Why the spool cannot take a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
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
    has_trouble: AtomicBool,
    trouble: Mutex<Option<(Trouble, Error)>>,
    is_closing: AtomicBool,
}

impl Status {
    pub(super) fn check(&self) -> Result<(), Error> {
        if !self.has_trouble.load(Ordering::Acquire) {
            return Ok(());
        }
        match &*self.lock() {
            Some((_, error)) => Err(error.clone()),
            None => Ok(()),
        }
    }

    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.lock().as_ref().map(|(trouble, _)| *trouble)
    }

    /// Sets the trouble, and logs it if it is new.
    pub(super) fn set(&self, trouble: Trouble, error: Error) {
        if self.trouble() != Some(trouble) {
            tracing::error!("{error:#}");
        }
        *self.lock() = Some((trouble, error));
        self.has_trouble.store(true, Ordering::Release);
    }

    /// Takes note that a trouble is over.
    pub(super) fn clear(&self, trouble: Trouble) {
        if self.trouble() == Some(trouble) {
            self.has_trouble.store(false, Ordering::Release);
            *self.lock() = None;
            tracing::info!("the spool can be written again");
        }
    }

    pub(super) fn begin_closing(&self) {
        self.is_closing.store(true, Ordering::Release);
    }

    pub(super) fn is_closing(&self) -> bool {
        self.is_closing.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Trouble, Error)>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
