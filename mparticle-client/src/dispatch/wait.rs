//! The wait of a failed request before it is sent again.

use crate::timing::after;
use std::time::Duration;
use tokio::time::Instant;

#[derive(Clone, Copy)]
pub(super) struct Wait {
    until: Instant,
    /// Whether the wait may be ended early.
    #[cfg_attr(not(feature = "queue"), allow(dead_code, reason = "only a queue ends a wait"))]
    is_backoff: bool,
}

impl Wait {
    /// Creates a wait that is not ended early.
    pub(super) fn until(until: Instant) -> Self {
        Self { until, is_backoff: false }
    }

    /// Creates a wait for the backoff, or for `Retry-After` if that is longer.
    pub(super) fn after_failure(
        backoff: Duration,
        retry_after: Option<Duration>,
        now: Instant,
    ) -> Self {
        let asked = retry_after.unwrap_or_default();
        Self { until: after(now, backoff.max(asked)), is_backoff: asked <= backoff }
    }

    pub(super) fn end(&self) -> Instant {
        self.until
    }

    /// Ends a backoff. A wait for `Retry-After` continues.
    #[cfg(feature = "queue")]
    pub(super) fn end_backoff(&mut self, now: Instant) {
        if self.is_backoff {
            self.until = self.until.min(now);
        }
    }
}
