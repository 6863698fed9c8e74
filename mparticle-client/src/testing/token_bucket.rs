//! The token bucket that enforces a [`RateLimit`].

use super::RateLimit;
use std::time::Duration;
use tokio::time::Instant;

/// A bucket of tokens, one for each batch. It starts full and is refilled continuously.
#[derive(Debug)]
pub(super) struct TokenBucket {
    limit: RateLimit,
    /// The tokens after the last change, and the time of that change. `None` while the bucket has not been used.
    level: Option<(f64, Instant)>,
}

/// Whether a request is within the limit.
#[derive(Debug, PartialEq)]
pub(super) enum Decision {
    Accepted { percentage_used: u64 },
    Refused { retry_after: u64 },
}

impl TokenBucket {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self { limit, level: None }
    }

    pub(super) fn limit(&self) -> RateLimit {
        self.limit
    }

    /// Replaces the limit. Tokens that are left carry over; [`tokens`](Self::tokens) caps them at the new burst.
    pub(super) fn set_limit(&mut self, limit: RateLimit, now: Instant) {
        self.level = Some((self.tokens(now), now));
        self.limit = limit;
    }

    /// Takes one token for each batch, or none if there are too few.
    ///
    /// A request of more batches than the bucket can hold takes a full bucket.
    pub(super) fn acquire(&mut self, batches: usize, now: Instant) -> Decision {
        let RateLimit { per_second, burst, .. } = self.limit;
        let tokens = self.tokens(now);
        let cost = burst.min(u32::try_from(batches).map_or(burst, f64::from));
        // A rounding error of binary fractions must not add a second to the wait.
        let missing = cost - tokens - 1e-6;
        if missing > 0.0 {
            self.level = Some((tokens, now));
            let wait = Duration::from_secs_f64(missing / per_second);
            return Decision::Refused { retry_after: whole_seconds(wait).max(1) };
        }
        let left = (tokens - cost).max(0.0);
        self.level = Some((left, now));
        Decision::Accepted { percentage_used: percentage(1.0 - left / burst) }
    }

    fn tokens(&self, now: Instant) -> f64 {
        let RateLimit { per_second, burst, .. } = self.limit;
        let Some((tokens, since)) = self.level else { return burst };
        let elapsed = now.saturating_duration_since(since).as_secs_f64();
        burst.min(tokens + elapsed * per_second)
    }
}

/// Rounds up to whole seconds.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100")]
fn percentage(share: f64) -> u64 {
    (share * 100.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::{Decision, RateLimit, TokenBucket};
    use std::time::Duration;
    use tokio::time::Instant;

    #[test]
    fn batches_empty_the_bucket_and_time_refills_it() {
        let mut bucket = TokenBucket::new(RateLimit::per_second(10).burst(20));
        let start = Instant::now();
        for (milliseconds, batches, expected) in [
            (0, 5, Ok(25)),
            (0, 15, Ok(100)),
            (0, 1, Err(1)),
            (99, 1, Err(1)),
            (100, 1, Ok(100)),
            (100, 11, Err(2)),
            (1200, 11, Ok(100)),
            (60_000, 0, Ok(0)),
            (60_000, 1000, Ok(100)),
        ] {
            let decision = bucket.acquire(batches, start + Duration::from_millis(milliseconds));
            let expected = match expected {
                Ok(percentage_used) => Decision::Accepted { percentage_used },
                Err(retry_after) => Decision::Refused { retry_after },
            };
            assert_eq!(decision, expected, "{batches} batches after {milliseconds} ms");
        }
    }

    #[test]
    fn a_request_is_accepted_after_its_retry_after_at_any_rate() {
        for rate in [0, 1, 3, 7, 270, 1_000_000] {
            let mut bucket = TokenBucket::new(RateLimit::per_second(rate));
            let mut now = Instant::now();
            let batches = usize::try_from(rate).unwrap();
            for _ in 0..3 {
                bucket.acquire(batches, now);
                if let Decision::Refused { retry_after } = bucket.acquire(batches, now) {
                    now += Duration::from_secs(retry_after);
                    let decision = bucket.acquire(batches, now);
                    assert!(matches!(decision, Decision::Accepted { .. }), "{rate}: {decision:?}");
                }
            }
        }
    }

    /// The number of single batches that are accepted at once.
    fn drain(bucket: &mut TokenBucket, now: Instant) -> usize {
        let accepted = |_: &usize| matches!(bucket.acquire(1, now), Decision::Accepted { .. });
        (0..10_000).take_while(accepted).count()
    }

    #[test]
    fn tokens_carry_over_to_a_new_limit_up_to_its_burst() {
        let limit = |rate| RateLimit::per_second(rate);
        let later = Duration::from_millis(500);
        for (old, used, new, expected) in [
            (limit(100), 0, limit(10), 10),   // capped by the new burst
            (limit(100), 95, limit(100), 55), // 5 are left, 50 were added at the old rate
            (limit(10), 10, limit(100), 5),   // 5 were added at the old rate
            (limit(10), 0, limit(100), 10),   // a greater bucket is not filled at once
            (limit(10), 10, limit(100).burst(3), 3),
        ] {
            let mut bucket = TokenBucket::new(old);
            let start = Instant::now();
            bucket.acquire(used, start);
            bucket.set_limit(new, start + later);
            assert_eq!(drain(&mut bucket, start + later), expected, "{old:?} {used} {new:?}");
        }
    }

    #[test]
    fn an_unused_bucket_keeps_its_tokens_when_the_limit_rises() {
        let mut bucket = TokenBucket::new(RateLimit::per_second(10));
        let start = Instant::now();
        bucket.set_limit(RateLimit::per_second(100), start);
        assert_eq!(drain(&mut bucket, start), 10);
        assert_eq!(drain(&mut bucket, start + Duration::from_millis(100)), 10);
    }
}
