//! The state of a rate limiter, for another process.

use std::time::Duration;

/// The state of a [`RateLimiter`](super::RateLimiter).
///
/// [`RateLimiter::snapshot`](super::RateLimiter::snapshot) returns it, and
/// [`RateLimiter::restore`](super::RateLimiter::restore) applies it. A process that takes over from another one can
/// start with the rate of that process instead of exceeding the limit again.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct RateLimiterSnapshot {
    /// The number of batches that may be sent per second, or `None` if there is no limit.
    pub batches_per_second: Option<f64>,
    /// The time for which nothing may be sent, measured from the creation of the snapshot.
    pub closed_for: Duration,
}

impl RateLimiterSnapshot {
    /// Sets the number of batches that may be sent per second, or removes the limit.
    #[must_use]
    pub fn with_batches_per_second(mut self, rate: impl Into<Option<f64>>) -> Self {
        self.batches_per_second = rate.into();
        self
    }

    /// Sets the time for which nothing may be sent.
    #[must_use]
    pub fn with_closed_for(mut self, closed_for: Duration) -> Self {
        self.closed_for = closed_for;
        self
    }
}
