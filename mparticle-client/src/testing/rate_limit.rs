//! The rate limit: a token bucket.

use std::time::Duration;
use tokio::time::Instant;

/// How many batches the emulator takes in a time.
///
/// A bucket of tokens, one for each batch, that starts full and is refilled continuously.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    per_second: f64,
    burst: f64,
}

impl RateLimit {
    /// So many batches per second, and as many at once. mParticle's default is 270. Zero counts as one.
    #[must_use]
    pub fn per_second(batches: u32) -> Self {
        let batches = f64::from(batches.max(1));
        Self { per_second: batches, burst: batches }
    }

    /// The same with another number of batches that may come at once. Zero counts as one.
    #[must_use]
    pub fn burst(mut self, batches: u32) -> Self {
        self.burst = f64::from(batches.max(1));
        self
    }
}

#[derive(Debug)]
pub(super) struct Bucket {
    limit: RateLimit,
    /// The tokens at the time of the last look, and that time.
    filled: Option<(f64, Instant)>,
}

/// What a bucket says to a request.
#[derive(Debug, PartialEq)]
pub(super) enum Verdict {
    Within { percentage_used: u64 },
    Exceeded { retry_after: u64 },
}

impl Bucket {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self { limit, filled: None }
    }

    /// Takes a token for each batch, or none. A request of more batches than fit in the bucket takes a full one.
    pub(super) fn take(&mut self, batches: usize, now: Instant) -> Verdict {
        let RateLimit { per_second, burst } = self.limit;
        let tokens = match self.filled {
            None => burst,
            Some((tokens, then)) => {
                let elapsed = now.saturating_duration_since(then).as_secs_f64();
                burst.min(tokens + elapsed * per_second)
            }
        };
        let cost = burst.min(u32::try_from(batches).map_or(burst, f64::from));
        // What decimal fractions lose in binary must not cost a second more.
        let missing = cost - tokens - 1e-6;
        if missing > 0.0 {
            self.filled = Some((tokens, now));
            let wait = Duration::from_secs_f64(missing / per_second);
            return Verdict::Exceeded { retry_after: whole_seconds(wait).max(1) };
        }
        let left = (tokens - cost).max(0.0);
        self.filled = Some((left, now));
        Verdict::Within { percentage_used: percentage(1.0 - left / burst) }
    }
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 100")]
fn percentage(share: f64) -> u64 {
    (share * 100.0).round() as u64
}

#[cfg(test)]
mod tests {
    use super::{Bucket, RateLimit, Verdict};
    use std::time::Duration;
    use tokio::time::Instant;

    #[test]
    fn the_bucket_is_emptied_by_batches_and_filled_by_time() {
        let mut bucket = Bucket::new(RateLimit::per_second(10).burst(20));
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
            let verdict = bucket.take(batches, start + Duration::from_millis(milliseconds));
            let expected = match expected {
                Ok(percentage_used) => Verdict::Within { percentage_used },
                Err(retry_after) => Verdict::Exceeded { retry_after },
            };
            assert_eq!(verdict, expected, "{batches} batches after {milliseconds} ms");
        }
    }

    #[test]
    fn waiting_as_long_as_told_is_enough_at_any_rate() {
        for rate in [0, 1, 3, 7, 270, 1_000_000] {
            let mut bucket = Bucket::new(RateLimit::per_second(rate));
            let mut now = Instant::now();
            let batches = usize::try_from(rate).unwrap();
            for _ in 0..3 {
                bucket.take(batches, now);
                if let Verdict::Exceeded { retry_after } = bucket.take(batches, now) {
                    now += Duration::from_secs(retry_after);
                    let verdict = bucket.take(batches, now);
                    assert!(matches!(verdict, Verdict::Within { .. }), "{rate}: {verdict:?}");
                }
            }
        }
    }
}
