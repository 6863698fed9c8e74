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
}

impl Outage {
    pub(super) fn new(now: Instant) -> Self {
        Self { since: now, failures: 0, next_try: now }
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
            self.next_try = after(now, wait.max(retry_after.unwrap_or_default()));
        }
    }
}
