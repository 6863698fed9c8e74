//! What a rate limiter has learned, to be handed to another process.

use std::time::Duration;

/// What a [`RateLimiter`](super::RateLimiter) has learned of mParticle's rate limit.
///
/// It is made by [`RateLimiter::snapshot`](super::RateLimiter::snapshot), so that a process that takes over from another
/// one starts with its rate instead of running into the limit again.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RateLimiterSnapshot {
    /// The number of batches that may be sent per second; `None` if nothing limits them.
    pub batches_per_second: Option<f64>,
    /// For how long nothing may be sent, counted from when the snapshot was made.
    pub closed_for: Duration,
}

impl RateLimiterSnapshot {
    /// Sets the number of batches that may be sent per second; `None` if nothing limits them.
    #[must_use]
    pub fn with_batches_per_second(mut self, rate: impl Into<Option<f64>>) -> Self {
        self.batches_per_second = rate.into();
        self
    }

    /// Sets for how long nothing may be sent.
    #[must_use]
    pub fn with_closed_for(mut self, closed_for: Duration) -> Self {
        self.closed_for = closed_for;
        self
    }
}
