//! Logs once when delivery stalls, and once when it recovers.

use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;
use tracing::{info, warn};

/// Delivery is stalled if requests were sent for this long and none was accepted.
const STALLED_AFTER: Duration = Duration::from_secs(10);

/// Failures that are further apart do not belong to the same stall.
const UNRELATED_AFTER: Duration = Duration::from_secs(5 * 60);

/// Tracks the results of all requests of a client.
#[derive(Debug, Default)]
pub(super) struct StallLog {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The time of the first failure since the last acceptance.
    failing_since: Option<Instant>,
    last_failure: Option<Instant>,
    is_reported: bool,
}

impl StallLog {
    /// Reports that a request failed for a reason outside the request. Nothing will be sent for `pause`.
    pub(super) fn failed(&self, reason: &dyn Display, pause: Duration, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_related = state.last_failure.is_some_and(|last| now < last + UNRELATED_AFTER);
        if !is_related && !state.is_reported {
            state.failing_since = None;
        }
        state.last_failure = Some(now + pause);
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

#[cfg(test)]
mod tests {
    use super::StallLog;
    use std::time::Duration;
    use tokio::time::Instant;

    #[test]
    fn delivery_is_stalled_once_failures_follow_each_other_for_ten_seconds() {
        let start = Instant::now();
        let minute = Duration::from_secs(60);
        for (failures, pause, expected) in [
            (vec![0, 9], 0, false),
            (vec![0, 10], 0, true),
            (vec![0, 120, 240], 0, true),
            (vec![0], 10, true),
            // An hour apart, with nothing sent between them.
            (vec![0, 3600], 0, false),
        ] {
            let log = StallLog::default();
            for seconds in &failures {
                let at = start + Duration::from_secs(*seconds);
                log.failed(&"down", Duration::from_secs(pause), at);
            }
            assert_eq!(log.state.lock().unwrap().is_reported, expected, "{failures:?}, {pause}");
            log.accepted(start + 100 * minute);
            assert!(!log.state.lock().unwrap().is_reported);
        }
    }
}
