//! Points in time, in the unit of the Events API.

use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

/// A point in time, as milliseconds since 1970-01-01T00:00:00Z.
///
/// Fractions of a millisecond are always rounded down. Arithmetic saturates at the ends of the range.
///
/// `UnixMillis` does not implement `From<i64>`, because seconds in a field of milliseconds are the most common
/// mistake in data sent to mParticle. The constructors name the unit.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, SystemTime};
/// # use mparticle_models::UnixMillis;
///
/// let start = UnixMillis::from_secs(1_700_000_000);
/// let end = start + Duration::from_secs(90);
/// assert_eq!(end.as_millis(), 1_700_000_090_000);
/// assert_eq!(end - start, Duration::from_secs(90));
///
/// let now = UnixMillis::from(SystemTime::now());
/// assert!(now > end);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(i64);

impl UnixMillis {
    /// Creates a point in time from milliseconds since 1970. Times before 1970 are negative.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Creates a point in time from seconds since 1970. Times before 1970 are negative.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Returns the current time of the system clock.
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// Returns the number of milliseconds since 1970.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns the time that has passed since an earlier point in time, or `None` if that is later than `self`.
    #[must_use]
    pub const fn checked_duration_since(self, earlier: Self) -> Option<Duration> {
        if self.0 < earlier.0 {
            return None;
        }
        Some(Duration::from_millis(self.0.abs_diff(earlier.0)))
    }

    /// Returns the same point in time as a [`SystemTime`], or `None` if the platform cannot represent it.
    #[must_use]
    pub fn to_system_time(self) -> Option<SystemTime> {
        let distance = Duration::from_millis(self.0.unsigned_abs());
        if self.0 < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(distance)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(distance)
        }
    }
}

impl Add<Duration> for UnixMillis {
    type Output = Self;

    fn add(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }
}

impl AddAssign<Duration> for UnixMillis {
    fn add_assign(&mut self, duration: Duration) {
        *self = *self + duration;
    }
}

impl Sub<Duration> for UnixMillis {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        let millis = duration.as_nanos().div_ceil(1_000_000);
        Self(self.0.saturating_sub(i64::try_from(millis).unwrap_or(i64::MAX)))
    }
}

impl SubAssign<Duration> for UnixMillis {
    fn sub_assign(&mut self, duration: Duration) {
        *self = *self - duration;
    }
}

/// Returns the time between two points in time, or zero if the second is the later one, as
/// [`Instant`](std::time::Instant) does.
impl Sub for UnixMillis {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.checked_duration_since(earlier).unwrap_or_default()
    }
}

impl From<SystemTime> for UnixMillis {
    fn from(time: SystemTime) -> Self {
        let millis = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => saturate(after.as_nanos()).div_euclid(1_000_000),
            Err(error) => (-saturate(error.duration().as_nanos())).div_euclid(1_000_000),
        };
        Self(i64::try_from(millis).unwrap_or(if millis < 0 { i64::MIN } else { i64::MAX }))
    }
}

fn saturate(nanos: u128) -> i128 {
    i128::try_from(nanos).unwrap_or(i128::MAX)
}

impl From<UnixMillis> for i64 {
    fn from(time: UnixMillis) -> Self {
        time.0
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for UnixMillis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

/// The error for a point in time that another type cannot represent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange(pub(super) UnixMillis);

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} milliseconds since 1970 are outside the range of the target type", self.0)
    }
}

impl std::error::Error for OutOfRange {}

/// Saturates if the platform cannot represent the time. On Windows, these are times before 1601 and from the year 30827
/// on.
impl From<UnixMillis> for SystemTime {
    fn from(time: UnixMillis) -> Self {
        /// The range of Windows' file times.
        const FIRST: i64 = -11_644_473_600_000;
        const LAST: i64 = 910_692_730_085_477;
        let nearest = || UnixMillis(time.0.clamp(FIRST, LAST)).to_system_time();
        time.to_system_time().or_else(nearest).unwrap_or(Self::UNIX_EPOCH)
    }
}
