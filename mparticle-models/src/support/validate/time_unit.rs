//! The unit of a number that represents a time.

use std::fmt;

/// A unit in which times are counted from 1970 instead of milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeUnit {
    /// Seconds.
    Seconds,
    /// Microseconds.
    Microseconds,
    /// Nanoseconds.
    Nanoseconds,
}

impl TimeUnit {
    /// Returns the unit that a time seems to have, or `None` if it seems to be in milliseconds.
    ///
    /// A number below 10^11 is a time before March 1973 in milliseconds, and before the year 5138 in seconds. The same
    /// bounds, multiplied by a thousand, distinguish the other units. Zero means that the time is not known.
    #[must_use]
    pub(super) const fn other_than_millis(millis: i64) -> Option<Self> {
        const MILLIS: u64 = 100_000_000_000;
        const MICROS: u64 = MILLIS * 1000;
        const NANOS: u64 = MICROS * 1000;
        match millis.unsigned_abs() {
            0 | MILLIS..MICROS => None,
            1..MILLIS => Some(Self::Seconds),
            MICROS..NANOS => Some(Self::Microseconds),
            NANOS.. => Some(Self::Nanoseconds),
        }
    }
}

impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Seconds => "seconds",
            Self::Microseconds => "microseconds",
            Self::Nanoseconds => "nanoseconds",
        })
    }
}
