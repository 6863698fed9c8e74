//! The retries during an outage.

use super::wait::Wait;
use crate::RetryPolicy;
use crate::send::full_jitter;
use std::time::Duration;
use tokio::time::Instant;

pub(super) struct Outage {
    since: Instant,
    failures: u32,
    wait: Wait,
}

impl Outage {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, failures: 0, wait: Wait::until(now) }
    }

    pub(super) fn next_try(&self) -> Instant {
        self.wait.end()
    }

    /// Handles the failure of a request that was sent at `sent`.
    pub(super) fn extend(
        &mut self,
        sent: Instant,
        retry_after: Option<Duration>,
        retry: &RetryPolicy,
        rng: &mut fastrand::Rng,
        now: Instant,
    ) {
        // The failures of requests that were in flight when the outage began do not count.
        if self.failures == 0 || sent >= self.since {
            self.failures += 1;
            let backoff = full_jitter(retry, self.failures, rng);
            self.wait = Wait::after_failure(backoff, retry_after, now);
        }
    }

    /// Ends a backoff. A wait for `Retry-After` continues.
    #[cfg(feature = "queue")]
    pub(super) fn retry_now(&mut self, now: Instant) {
        self.wait.end_backoff(now);
    }
}
