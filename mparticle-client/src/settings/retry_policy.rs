//! When failed attempts are retried.

use std::time::Duration;

/// Defines how many times a failed attempt is retried, and how long the client waits between attempts.
///
/// The client retries connection errors, timeouts, status 408 and most statuses of 500 and above. Before attempt `n + 1`
/// it waits for a random time between zero and `min(max_delay, base_delay * 2^(n - 1))`, which is exponential backoff
/// with full jitter. If the response has a `Retry-After` header, the client waits at least that long.
///
/// A response with status 429 is not a failed attempt. The rate limiter waits and the request is sent again, until the
/// [overall timeout](crate::Timeouts::overall) ends the upload; `max_attempts` does not count these responses. A policy
/// with a single attempt, such as [`RetryPolicy::never`], returns the first 429 as an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The maximum number of attempts, including the first. The default is 5. Zero is treated as 1.
    pub max_attempts: u32,
    /// The upper bound of the wait before the second attempt. The default is 250 milliseconds.
    pub base_delay: Duration,
    /// The upper bound of the wait before any attempt. The default is 30 seconds.
    pub max_delay: Duration,
    /// The seed of the random waits. Tests that set a seed see the same waits in every run. The default is `None`, which
    /// gives each client a seed of its own.
    pub jitter_seed: Option<u64>,
}

impl RetryPolicy {
    /// Returns a policy that makes a single attempt and returns its error, even if the status is 429.
    #[must_use]
    pub fn never() -> Self {
        Self::default().with_max_attempts(1)
    }

    /// Sets the maximum number of attempts, including the first.
    #[must_use]
    pub fn with_max_attempts(mut self, max_attempts: u32) -> Self {
        self.max_attempts = max_attempts;
        self
    }

    /// Sets the upper bound of the wait before the second attempt.
    #[must_use]
    pub fn with_base_delay(mut self, base_delay: Duration) -> Self {
        self.base_delay = base_delay;
        self
    }

    /// Sets the upper bound of the wait before any attempt.
    #[must_use]
    pub fn with_max_delay(mut self, max_delay: Duration) -> Self {
        self.max_delay = max_delay;
        self
    }

    /// Sets the seed of the random waits.
    #[must_use]
    pub fn with_jitter_seed(mut self, seed: u64) -> Self {
        self.jitter_seed = Some(seed);
        self
    }
}

/// Five attempts, a base delay of 250 milliseconds and a maximum delay of 30 seconds.
impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 5,
            base_delay: Duration::from_millis(250),
            max_delay: Duration::from_secs(30),
            jitter_seed: None,
        }
    }
}
