//! The retry budget that all uploads of a client share.
//!
//! If every upload is retried while the server is down, the load multiplies. The budget limits the number of retries:
//! each retry takes a token, and tokens are added over time and for each success.

use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;

/// The maximum number of tokens.
const CAPACITY: f64 = 100.0;
/// The number of tokens that are added each second.
const PER_SECOND: f64 = 1.0;
/// The number of tokens that are added for each success.
const PER_SUCCESS: f64 = 0.1;

/// The retry budget of a client and its clones.
#[derive(Debug)]
pub(super) struct RetryBudget(Mutex<Bucket>);

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    refilled: Option<Instant>,
}

impl RetryBudget {
    /// Takes a token for a retry. Returns `false` if no token is left.
    pub(super) fn withdraw(&self, now: Instant) -> bool {
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.refill(now);
        let has_token = bucket.tokens >= 1.0;
        if has_token {
            bucket.tokens -= 1.0;
        }
        has_token
    }

    /// Adds tokens for a success.
    pub(super) fn succeeded(&self, now: Instant) {
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.refill(now);
        bucket.add(PER_SUCCESS);
    }
}

impl Bucket {
    fn refill(&mut self, now: Instant) {
        let since = self.refilled.unwrap_or(now);
        self.refilled = Some(since.max(now));
        self.add(PER_SECOND * now.saturating_duration_since(since).as_secs_f64());
    }

    fn add(&mut self, tokens: f64) {
        self.tokens = (self.tokens + tokens).min(CAPACITY);
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self(Mutex::new(Bucket { tokens: CAPACITY, refilled: None }))
    }
}

#[cfg(test)]
mod tests {
    use super::RetryBudget;
    use std::time::Duration;
    use tokio::time::Instant;

    /// Takes all tokens. Returns their number.
    fn drain(budget: &RetryBudget, now: Instant) -> u32 {
        (0..1_000).take_while(|_| budget.withdraw(now)).count().try_into().unwrap()
    }

    #[test]
    fn tokens_are_added_at_one_per_second_up_to_a_hundred() {
        let (budget, start) = (RetryBudget::default(), Instant::now());
        assert_eq!(drain(&budget, start), 100);
        for (seconds, expected) in [(0, 0), (1, 1), (4, 3), (500, 100)] {
            assert_eq!(drain(&budget, start + Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn ten_successes_add_one_token() {
        let (budget, now) = (RetryBudget::default(), Instant::now());
        drain(&budget, now);
        for _ in 0..25 {
            budget.succeeded(now);
        }
        assert_eq!(drain(&budget, now), 2);
    }

    #[test]
    fn a_clock_that_goes_back_adds_no_tokens_twice() {
        let (budget, start) = (RetryBudget::default(), Instant::now());
        let later = start + Duration::from_secs(5);
        drain(&budget, later);
        assert_eq!(drain(&budget, start), 0);
        assert_eq!(drain(&budget, later), 0);
    }
}
