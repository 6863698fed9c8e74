//! The backoff before the next attempt.

use crate::RetryPolicy;
use std::time::Duration;

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// Returns a random time between zero and `min(max_delay, base_delay * 2^(failed_attempts - 1))`.
///
/// Full jitter spreads the retries of callers that failed at the same time.
pub(crate) fn full_jitter(
    policy: &RetryPolicy,
    failed_attempts: u32,
    rng: &mut fastrand::Rng,
) -> Duration {
    let greatest = greatest(policy, failed_attempts).as_nanos();
    from_nanos(rng.u128(0..=greatest))
}

fn greatest(policy: &RetryPolicy, failed_attempts: u32) -> Duration {
    let doublings = failed_attempts.saturating_sub(1);
    let factor = 1_u128.checked_shl(doublings).unwrap_or(u128::MAX);
    let delay = policy.base_delay.as_nanos().saturating_mul(factor);
    from_nanos(delay.min(policy.max_delay.as_nanos()))
}

fn from_nanos(nanos: u128) -> Duration {
    let rest = u32::try_from(nanos % NANOS_PER_SECOND).unwrap_or_default();
    u64::try_from(nanos / NANOS_PER_SECOND)
        .map_or(Duration::MAX, |seconds| Duration::new(seconds, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy(base_delay: Duration, max_delay: Duration) -> RetryPolicy {
        RetryPolicy::default().with_base_delay(base_delay).with_max_delay(max_delay)
    }

    #[test]
    fn the_greatest_wait_doubles_up_to_the_bound() {
        let usual = RetryPolicy::default();
        let huge = policy(Duration::MAX, Duration::MAX);
        let tiny = policy(Duration::from_nanos(1), Duration::MAX);
        let none = policy(Duration::ZERO, Duration::MAX);
        let inverted = policy(Duration::from_secs(9), Duration::from_secs(2));
        let table = [
            (&usual, 0, Duration::from_millis(250)),
            (&usual, 1, Duration::from_millis(250)),
            (&usual, 2, Duration::from_millis(500)),
            (&usual, 3, Duration::from_secs(1)),
            (&usual, 4, Duration::from_secs(2)),
            (&usual, 7, Duration::from_secs(16)),
            (&usual, 8, Duration::from_secs(30)),
            (&usual, 129, Duration::from_secs(30)),
            (&usual, u32::MAX, Duration::from_secs(30)),
            (&huge, 1, Duration::MAX),
            (&huge, 200, Duration::MAX),
            (&tiny, 1, Duration::from_nanos(1)),
            (&tiny, 31, Duration::from_nanos(1 << 30)),
            (&tiny, 128, Duration::MAX),
            (&none, 5, Duration::ZERO),
            (&none, u32::MAX, Duration::ZERO),
            (&inverted, 1, Duration::from_secs(2)),
        ];
        for (policy, failed_attempts, expected) in table {
            assert_eq!(
                greatest(policy, failed_attempts),
                expected,
                "{failed_attempts} of {policy:?}"
            );
        }
    }

    #[test]
    fn waits_are_spread_evenly_over_the_whole_time() {
        let policy = RetryPolicy::default();
        let mut rng = fastrand::Rng::with_seed(7);
        let mut tenths = [0_u32; 10];
        for _ in 0..10_000 {
            let share = full_jitter(&policy, 3, &mut rng).as_nanos() * 10 / 1_000_000_001;
            tenths[usize::try_from(share).unwrap()] += 1;
        }
        assert!(tenths.iter().all(|count| (850..1150).contains(count)), "{tenths:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_waits() {
        let waits = |seed| {
            let mut rng = fastrand::Rng::with_seed(seed);
            (1..9).map(|n| full_jitter(&RetryPolicy::default(), n, &mut rng)).collect::<Vec<_>>()
        };
        assert_eq!(waits(1), waits(1));
        assert_ne!(waits(1), waits(2));
    }

    proptest! {
        #[test]
        fn no_wait_passes_its_bounds(
            base in any::<(u64, u32)>(),
            max in any::<(u64, u32)>(),
            failed_attempts in prop_oneof![any::<u32>(), 0_u32..200],
            seed in any::<u64>(),
        ) {
            let [base, max] = [base, max].map(|(secs, nanos)| Duration::new(secs, nanos % 1_000_000_000));
            let policy = policy(base, max);
            let wait = full_jitter(&policy, failed_attempts, &mut fastrand::Rng::with_seed(seed));
            prop_assert!(wait <= max);
            if failed_attempts <= 1 {
                prop_assert!(wait <= base);
            }
        }
    }
}
