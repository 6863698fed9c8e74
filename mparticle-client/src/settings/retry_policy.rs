//! The retry policy for failed attempts.

use std::time::Duration;

/// Defines how many times a failed attempt is retried, and how long the client waits between attempts.
///
/// The client retries connection errors, timeouts, status 408 and the statuses of 500 and above except 501 and 505.
/// Before attempt `n + 1`, it waits for a random time between zero and `min(max_delay, base_delay * 2^(n - 1))`, which
/// is exponential backoff with full jitter. If the response has a `Retry-After` header, the client waits at least that
/// long.
///
/// A response with status 429 is not a failed attempt, and `max_attempts` does not count it. The client sends the
/// request again as soon as the rate limiter allows, until the [overall timeout](crate::Timeouts::overall) ends the
/// upload. With a policy that allows a single attempt, such as [`RetryPolicy::never`], the client returns the first 429
/// as an error.
///
/// # Examples
/// ```
/// use mparticle_client::{Client, Credentials, RetryPolicy};
///
/// # fn main() -> Result<(), mparticle_client::Error> {
/// let client = Client::builder(Credentials::new("your-key", "your-secret"))
///     .retry(RetryPolicy::default().with_max_attempts(3))
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The maximum number of attempts, including the first. The default is 5. Zero is treated as 1.
    pub max_attempts: u32,
    /// The upper bound of the wait before the second attempt. The default is 250 milliseconds.
    pub base_delay: Duration,
    /// The upper bound of the wait before any attempt. The default is 30 seconds.
    pub max_delay: Duration,
    /// The seed for the random waits. With a seed, the waits are the same in every run of a test. The default is
    /// `None`: each client has a random seed.
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

    /// Sets the seed for the random waits.
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
