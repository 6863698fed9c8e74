//! The handle of a relay.

use super::stats::{RelayState, RelayStats, SharedStats};
use super::supervisor::MAX_CLOSE_TIME;
use crate::timing::after;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

/// A running relay. Returned by [`RelayBuilder::start`](super::RelayBuilder::start).
///
/// If the handle is dropped without [`shutdown`](Self::shutdown), the relay ends at once, as if the process was killed.
#[must_use = "a relay ends when its handle is dropped"]
pub struct Relay {
    stats: Arc<SharedStats>,
    /// The deadline of the shutdown.
    stop: watch::Sender<Option<Instant>>,
    task: JoinHandle<()>,
}

impl Relay {
    pub(super) fn new(
        stats: Arc<SharedStats>,
        stop: watch::Sender<Option<Instant>>,
        task: JoinHandle<()>,
    ) -> Self {
        Self { stats, stop, task }
    }

    /// Returns the counts and the state of the relay.
    #[must_use]
    pub fn stats(&self) -> RelayStats {
        self.stats.get()
    }

    /// Stops reading, waits until the batches that were read have an outcome, and closes the reader.
    ///
    /// If the timeout elapses, requests in flight are cancelled. Batches without an outcome stay in the log. To close the
    /// reader, the log has two more seconds.
    pub async fn shutdown(&self, timeout: Duration) -> RelayStats {
        let deadline = after(Instant::now(), timeout);
        self.stop.send_replace(Some(deadline));
        // The task holds the receivers until it ends. It is aborted if the log does not answer.
        if timeout_at(deadline + MAX_CLOSE_TIME, self.stop.closed()).await.is_err() {
            tracing::warn!("the log did not answer in time, and its reader is dropped");
            self.task.abort();
            self.stats.forgotten();
            self.stats.enter(RelayState::Stopped);
        }
        self.stats.get()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Relay").field("stats", &self.stats.get()).finish_non_exhaustive()
    }
}
