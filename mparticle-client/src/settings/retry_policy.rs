//! How often and when a failed attempt is repeated.

use std::time::Duration;

/// How often and when a failed attempt is repeated.
///
/// Before attempt `n + 1` the client waits for a random time between zero and `min(max_delay, base_delay * 2^(n - 1))`:
/// exponential backoff with full jitter. A `Retry-After` of the server is a lower bound of that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The greatest number of attempts, the first one included; 5 unless set. Zero counts as one.
    pub max_attempts: u32,
    /// The greatest wait before the first repetition; 250 milliseconds unless set.
    pub base_delay: Duration,
    /// The greatest wait before any repetition; 30 seconds unless set.
    pub max_delay: Duration,
    /// Where the random times start from: with the same seed and the same answers, tests see the same times. Unset,
    /// every client has its own.
    pub jitter_seed: Option<u64>,
}

impl RetryPolicy {
    /// One attempt and no more.
    #[must_use]
    pub fn never() -> Self {
        Self::default().with_max_attempts(1)
    }

    /// The same with another number of attempts.
    #[must_use]
    pub fn with_max_attempts(mut self, max_attempts: u32) -> Self {
        self.max_attempts = max_attempts;
        self
    }

    /// The same with another greatest wait before the first repetition.
    #[must_use]
    pub fn with_base_delay(mut self, base_delay: Duration) -> Self {
        self.base_delay = base_delay;
        self
    }

    /// The same with another greatest wait before any repetition.
    #[must_use]
    pub fn with_max_delay(mut self, max_delay: Duration) -> Self {
        self.max_delay = max_delay;
        self
    }

    /// The same with random times that start from a seed.
    #[must_use]
    pub fn with_jitter_seed(mut self, seed: u64) -> Self {
        self.jitter_seed = Some(seed);
        self
    }
}

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
