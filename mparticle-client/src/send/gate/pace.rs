//! By how much to slow down: pure arithmetic of percentages, rates and intervals.

use std::time::Duration;
use tokio::time::Instant;

/// Up to this percentage of the rate limit nobody is slowed.
const PACED_ABOVE: f64 = 80.0;
/// From this percentage on nobody is slowed any further.
const SLOWEST_FROM: f64 = 100.0;
/// How many times the usual interval the slowest one is.
const SLOWEST: f64 = 4.0;
/// How long pacing lasts when no further percentage is heard.
const PACING_LASTS: Duration = Duration::from_secs(10);

/// How much faster sending gets per second after an acceleration limit: a tenth of the rate it begins with.
const GROWTH_PER_SECOND: f64 = 0.1;
/// How long after an acceleration limit sending is bounded. By then four times the halved rate would be allowed, twice
/// what was sent before, which does not bind any more.
const THROTTLING_LASTS: Duration = Duration::from_secs(30);
/// No acceleration limit makes it slower than this, requests per second.
const SLOWEST_RATE: f64 = 1.0;

/// Spacing by the percentage of the limit that is used.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pacing {
    /// Requests per second while nobody was slowed. It is measured once, when the pacing begins: measured later it
    /// would be the paced rate, which would be paced again.
    usual_rate: f64,
    used: f64,
    heard: Instant,
}

/// Spacing after an acceleration limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Throttling {
    halved_rate: f64,
    since: Instant,
}

/// Whether a percentage asks for pacing. Anything that is not a number does not.
pub(super) fn asks_for_pacing(used: f64) -> bool {
    used > PACED_ABOVE
}

/// How many times the usual interval is between two requests: 1 at 80 % or less, 4 at 100 % or more, linear between.
fn stretch(used: f64) -> f64 {
    if !asks_for_pacing(used) {
        return 1.0;
    }
    let share = (used - PACED_ABOVE) / (SLOWEST_FROM - PACED_ABOVE);
    1.0 + (SLOWEST - 1.0) * share.clamp(0.0, 1.0)
}

impl Pacing {
    pub(super) fn new(usual_rate: f64, used: f64, now: Instant) -> Self {
        Self { usual_rate, used, heard: now }
    }

    /// The same with a newer percentage.
    pub(super) fn heard(self, used: f64, now: Instant) -> Self {
        Self { used, heard: now, ..self }
    }

    /// Requests per second that are allowed; `None` when nothing was heard for long.
    pub(super) fn rate(self, now: Instant) -> Option<f64> {
        let is_recent = now.saturating_duration_since(self.heard) < PACING_LASTS;
        is_recent.then(|| self.usual_rate / stretch(self.used))
    }
}

impl Throttling {
    /// Halves the rate that was sent or allowed.
    pub(super) fn halve(rate: f64, now: Instant) -> Self {
        Self { halved_rate: (rate / 2.0).max(SLOWEST_RATE), since: now }
    }

    /// Requests per second that are allowed; `None` when it is over.
    pub(super) fn rate(self, now: Instant) -> Option<f64> {
        let passed = now.saturating_duration_since(self.since);
        (passed < THROTTLING_LASTS)
            .then_some(self.halved_rate * (1.0 + GROWTH_PER_SECOND * passed.as_secs_f64()))
    }
}

/// The time between two requests at a rate per second. Zero when there is no such time.
pub(super) fn interval(rate: f64) -> Duration {
    Duration::try_from_secs_f64(rate.recip()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-9
    }

    #[test]
    fn the_interval_grows_linearly_from_once_to_four_times() {
        let table = [
            (-5.0, 1.0),
            (0.0, 1.0),
            (80.0, 1.0),
            (80.2, 1.03),
            (85.0, 1.75),
            (90.0, 2.5),
            (95.0, 3.25),
            (99.0, 3.85),
            (100.0, 4.0),
            (101.0, 4.0),
            (1e300, 4.0),
            (f64::INFINITY, 4.0),
            (f64::NEG_INFINITY, 1.0),
            (f64::NAN, 1.0),
        ];
        for (used, expected) in table {
            assert!(near(stretch(used), expected), "{used}: {}", stretch(used));
            assert_eq!(asks_for_pacing(used), expected > 1.0, "{used}");
        }
    }

    #[test]
    fn pacing_divides_the_usual_rate_and_ends_when_nothing_more_is_heard() {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let pacing = Pacing::new(100.0, 90.0, start);
        assert_eq!(pacing.rate(at(0)), Some(40.0));
        assert_eq!(pacing.rate(at(9_999)), Some(40.0));
        assert_eq!(pacing.rate(at(10_000)), None);
        let pacing = pacing.heard(100.0, at(5_000));
        assert_eq!(pacing.rate(at(10_000)), Some(25.0));
        assert_eq!(pacing.rate(at(14_999)), Some(25.0));
        assert_eq!(pacing.rate(at(15_000)), None);
    }

    #[test]
    fn after_an_acceleration_limit_the_halved_rate_grows_by_a_tenth_of_it_per_second() {
        let start = Instant::now();
        let table = [
            (100.0, 0, Some(50.0)),
            (100.0, 500, Some(52.5)),
            (100.0, 1_000, Some(55.0)),
            (100.0, 5_000, Some(75.0)),
            (100.0, 10_000, Some(100.0)),
            (100.0, 20_000, Some(150.0)),
            (100.0, 29_999, Some(199.995)),
            (100.0, 30_000, None),
            (3.0, 0, Some(1.5)),
            (2.0, 0, Some(1.0)),
            (1.0, 0, Some(1.0)),
            (0.0, 10_000, Some(2.0)),
        ];
        for (rate, ms, expected) in table {
            let allowed = Throttling::halve(rate, start).rate(start + Duration::from_millis(ms));
            let equal = match (allowed, expected) {
                (Some(allowed), Some(expected)) => near(allowed, expected),
                (allowed, expected) => allowed == expected,
            };
            assert!(equal, "{rate} after {ms} ms: {allowed:?}");
        }
    }

    #[test]
    fn intervals_are_the_inverse_of_rates() {
        let table = [
            (1.0, Duration::from_secs(1)),
            (40.0, Duration::from_millis(25)),
            (0.5, Duration::from_secs(2)),
            (f64::INFINITY, Duration::ZERO),
            (0.0, Duration::ZERO),
            (-1.0, Duration::ZERO),
            (f64::NAN, Duration::ZERO),
        ];
        for (rate, expected) in table {
            assert_eq!(interval(rate), expected, "{rate}");
        }
    }
}
