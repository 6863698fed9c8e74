//! Logs once when delivery stalls, and once when it recovers.

use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tracing::{info, warn};

/// Delivery is stalled when nothing has been accepted for this long although requests were sent.
const STALLED_AFTER: Duration = Duration::from_secs(10);

/// Watches what becomes of all requests of a client.
#[derive(Debug, Default)]
pub(super) struct StallLog {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// When the first request failed since the last acceptance.
    failing_since: Option<Instant>,
    is_reported: bool,
}

impl StallLog {
    /// A request failed for a reason that no change to the request would help. Nothing will be sent for `pause`.
    pub(super) fn failed(&self, reason: &dyn Display, pause: Duration, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let since = *state.failing_since.get_or_insert(now);
        let failing_for = now.saturating_duration_since(since);
        if state.is_reported || failing_for.max(pause) < STALLED_AFTER {
            return;
        }
        state.is_reported = true;
        drop(state);
        let (since_ms, pause_ms) = (failing_for.as_millis(), pause.as_millis());
        warn!(since_ms, pause_ms, "delivery is stalled: {reason}");
    }

    pub(super) fn accepted(&self, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let since = state.failing_since.take();
        let was_reported = std::mem::take(&mut state.is_reported);
        drop(state);
        if let (Some(since), true) = (since, was_reported) {
            let stalled_ms = now.saturating_duration_since(since).as_millis();
            info!(stalled_ms, "delivery has recovered");
        }
    }
}
