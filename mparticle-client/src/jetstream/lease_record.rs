//! What the lease of a feed contains, and the decisions that depend on it.

use crate::RateLimiterSnapshot;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The value of the lease.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct LeaseRecord {
    /// The relay that holds the lease.
    pub(super) owner: String,
    /// Whether the owner has given the lease back.
    #[serde(default)]
    pub(super) released: bool,
    /// The state of the rate limiter of the owner.
    #[serde(default)]
    batches_per_second: Option<f64>,
    #[serde(default)]
    closed_for_ms: u64,
}

/// Whether a relay can acquire the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Availability {
    /// The lease can be written if the last value still has this sequence, or if there is none and it is zero.
    Free {
        last_sequence: u64,
    },
    Held,
}

impl LeaseRecord {
    pub(super) fn new(owner: &str, released: bool, limiter: &RateLimiterSnapshot) -> Self {
        Self {
            owner: owner.to_owned(),
            released,
            batches_per_second: limiter.batches_per_second.filter(|rate| rate.is_finite()),
            closed_for_ms: u64::try_from(limiter.closed_for.as_millis()).unwrap_or(u64::MAX),
        }
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        // Texts and finite numbers can always be written as JSON.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a value. Returns `None` for a value of another program. It is treated as the lease of an unknown owner.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Returns the state of the rate limiter of the owner. The time for which nothing may be sent is measured from the
    /// writing of the value, and therefore at most the time of a lease too long.
    pub(super) fn limiter(&self) -> RateLimiterSnapshot {
        let rate = self.batches_per_second.filter(|rate| rate.is_finite() && *rate > 0.0);
        RateLimiterSnapshot::default()
            .with_batches_per_second(rate)
            .with_closed_for(Duration::from_millis(self.closed_for_ms))
    }
}

/// Returns whether the lease is available. `last` is the sequence and the value of the lease, if there is one.
pub(super) fn availability(last: Option<(u64, Option<&LeaseRecord>)>) -> Availability {
    match last {
        None => Availability::Free { last_sequence: 0 },
        Some((last_sequence, Some(record))) if record.released => {
            Availability::Free { last_sequence }
        }
        Some(_) => Availability::Held,
    }
}

#[cfg(test)]
mod tests {
    use super::{Availability, LeaseRecord, availability};
    use crate::RateLimiterSnapshot;
    use std::time::Duration;

    #[test]
    fn a_lease_is_free_if_it_has_expired_or_was_released() {
        let held = LeaseRecord::new("a", false, &RateLimiterSnapshot::default());
        let released = LeaseRecord { released: true, ..held.clone() };
        for (last, expected) in [
            (None, Availability::Free { last_sequence: 0 }),
            (Some((7, Some(&released))), Availability::Free { last_sequence: 7 }),
            (Some((7, Some(&held))), Availability::Held),
            (Some((7, None)), Availability::Held),
        ] {
            assert_eq!(availability(last), expected);
        }
    }

    #[test]
    fn the_state_of_the_limiter_is_handed_over() {
        for (rate, closed) in [(Some(243.5), 0), (None, 7_000), (Some(1.0), 3_600_000)] {
            let snapshot = RateLimiterSnapshot::default()
                .with_batches_per_second(rate)
                .with_closed_for(Duration::from_millis(closed));
            let written = LeaseRecord::new("a", true, &snapshot).to_bytes();
            let read = LeaseRecord::from_bytes(&written).unwrap();
            assert_eq!((read.limiter(), read.owner.as_str()), (snapshot, "a"));
        }
        let infinite = RateLimiterSnapshot::default().with_batches_per_second(f64::INFINITY);
        assert_eq!(LeaseRecord::new("a", false, &infinite).limiter().batches_per_second, None);
        let negative = LeaseRecord::from_bytes(br#"{"owner":"a","batches_per_second":-1.0}"#);
        assert_eq!(negative.unwrap().limiter(), RateLimiterSnapshot::default());
        assert_eq!(LeaseRecord::from_bytes(b"hello"), None);
    }
}
