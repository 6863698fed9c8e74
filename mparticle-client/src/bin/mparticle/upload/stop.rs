//! Ends an upload early: after Ctrl-C, after too many failures, or because a file cannot be written.

use crate::output;
use crate::runtime::interrupt;
use std::process;
use std::sync::{Arc, OnceLock};
use tokio::sync::Notify;

/// Why an upload ends early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    Interrupted,
    TooManyFailures,
    CannotRead,
    CannotWrite,
    /// The upload itself has stopped.
    Halted,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Interrupted => "interrupted",
            Self::TooManyFailures => "as many batches failed as --stop-after allows",
            Self::CannotRead => "the input cannot be read",
            Self::CannotWrite => "a file cannot be written",
            Self::Halted => "the upload cannot continue",
        })
    }
}

/// Tells everyone to stop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stop {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    reason: OnceLock<Reason>,
    changed: Notify,
}

impl Stop {
    /// Stops. The first reason counts.
    pub(crate) fn stop(&self, reason: Reason) {
        if self.inner.reason.set(reason).is_ok() {
            self.inner.changed.notify_waiters();
        }
    }

    pub(crate) fn reason(&self) -> Option<Reason> {
        self.inner.reason.get().copied()
    }

    /// Waits until it is told to stop.
    pub(crate) async fn stopped(&self) -> Reason {
        loop {
            let changed = self.inner.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            if let Some(reason) = self.reason() {
                return reason;
            }
            changed.await;
        }
    }

    /// Stops at the first Ctrl-C or SIGTERM. A second one ends the process at once.
    pub(crate) async fn on_interrupt(self) {
        interrupt().await;
        self.stop(Reason::Interrupted);
        output::note("stopping; a second Ctrl-C ends at once");
        interrupt().await;
        output::note("ended at once");
        process::exit(130);
    }
}
