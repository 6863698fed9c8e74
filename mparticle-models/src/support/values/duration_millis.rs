//! Lengths of time, in the unit of the Events API.

use std::fmt;
use std::time::Duration;

use serde::{Serialize, Serializer};

/// A length of time in milliseconds.
///
/// It converts from a [`Duration`], and from an `i64` that counts milliseconds. Data in the field can be negative.
///
/// ```
/// use std::time::Duration;
/// # use mparticle_models::DurationMillis;
///
/// let length = DurationMillis::from(Duration::from_secs(2));
/// assert_eq!(length, DurationMillis::from(2000));
/// assert_eq!(length.to_duration(), Some(Duration::from_millis(2000)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DurationMillis(i64);

impl DurationMillis {
    /// Creates a length of time from milliseconds.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns the number of milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns the same length as a [`Duration`], or `None` if it is negative.
    #[must_use]
    pub fn to_duration(self) -> Option<Duration> {
        u64::try_from(self.0).ok().map(Duration::from_millis)
    }
}

/// Rounds fractions of a millisecond down and saturates at `i64::MAX` milliseconds.
impl From<Duration> for DurationMillis {
    fn from(duration: Duration) -> Self {
        Self(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
    }
}

/// Takes a number of milliseconds.
impl From<i64> for DurationMillis {
    fn from(millis: i64) -> Self {
        Self(millis)
    }
}

impl From<DurationMillis> for i64 {
    fn from(duration: DurationMillis) -> Self {
        duration.0
    }
}

impl fmt::Display for DurationMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for DurationMillis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}
