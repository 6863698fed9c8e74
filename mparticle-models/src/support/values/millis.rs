//! Points in time, in the only unit that the Events API speaks.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

/// Milliseconds since 1970-01-01T00:00:00Z.
///
/// There is no `From<i64>` on purpose: seconds in a millisecond field are the most common mistake in data sent to
/// mParticle, so the unit is named where the value is made.
///
/// ```
/// # use mparticle_models::support::UnixMillis;
/// assert_eq!(UnixMillis::from_secs(1_700_000_000), UnixMillis::from_millis(1_700_000_000_000));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(i64);

impl UnixMillis {
    /// A number of milliseconds since 1970, negative before it.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// A number of seconds since 1970, held at the ends of the range.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// The present, according to the clock of this machine.
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// The number of milliseconds since 1970.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The same point in time for the standard library; `None` where the platform cannot hold it.
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

/// Parts of a millisecond are dropped towards the past, as everywhere in this type.
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

/// A point in time lies outside the years that another type can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange(pub(super) UnixMillis);

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} milliseconds since 1970 are outside the range of the target type", self.0)
    }
}

impl std::error::Error for OutOfRange {}

impl TryFrom<UnixMillis> for SystemTime {
    type Error = OutOfRange;

    fn try_from(time: UnixMillis) -> Result<Self, OutOfRange> {
        time.to_system_time().ok_or(OutOfRange(time))
    }
}
