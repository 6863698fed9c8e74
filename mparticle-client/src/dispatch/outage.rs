//! When the next request is tried while nothing gets through.

use crate::RetryPolicy;
use crate::send::full_jitter;
use crate::timing::after;
use std::time::Duration;
use tokio::time::Instant;

pub(super) struct Outage {
    since: Instant,
    failures: u32,
    next_try: Instant,
    /// Whether the server asked for the wait.
    was_asked_to_wait: bool,
}

impl Outage {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, failures: 0, next_try: now, was_asked_to_wait: false }
    }

    pub(super) fn next_try(&self) -> Instant {
        self.next_try
    }

    /// A request that was sent at some time failed, and nothing was accepted since.
    pub(super) fn extend(
        &mut self,
        sent: Instant,
        retry_after: Option<Duration>,
        retry: &RetryPolicy,
        rng: &mut fastrand::Rng,
        now: Instant,
    ) {
        // Requests that were in flight when it began say nothing new.
        if self.failures == 0 || sent >= self.since {
            self.failures += 1;
            let wait = full_jitter(retry, self.failures, rng);
            let asked = retry_after.unwrap_or_default();
            self.next_try = after(now, wait.max(asked));
            self.was_asked_to_wait = asked > wait;
        }
    }

    /// Ends the wait, unless the server asked for it.
    #[cfg(feature = "queue")]
    pub(super) fn retry_now(&mut self, now: Instant) {
        if !self.was_asked_to_wait {
            self.next_try = self.next_try.min(now);
        }
    }
}
