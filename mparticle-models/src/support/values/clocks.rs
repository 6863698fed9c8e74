//! Conversions between [`UnixMillis`](super::UnixMillis) and the types of other crates, one feature each.
//!
//! Fractions of a millisecond are rounded down.

#[cfg(feature = "time")]
mod time {
    use crate::support::values::{OutOfRange, UnixMillis};
    use ::time::{Duration, OffsetDateTime};

    impl From<OffsetDateTime> for UnixMillis {
        fn from(time: OffsetDateTime) -> Self {
            Self::from_millis(time.unix_timestamp() * 1000 + i64::from(time.millisecond()))
        }
    }

    impl TryFrom<UnixMillis> for OffsetDateTime {
        type Error = OutOfRange;

        fn try_from(time: UnixMillis) -> Result<Self, OutOfRange> {
            let since_1970 = Duration::milliseconds(time.as_millis());
            Self::UNIX_EPOCH.checked_add(since_1970).ok_or(OutOfRange(time))
        }
    }
}

#[cfg(feature = "chrono")]
mod chrono {
    use crate::support::values::{OutOfRange, UnixMillis};
    use ::chrono::{DateTime, TimeZone, Utc};

    impl<Tz: TimeZone> From<DateTime<Tz>> for UnixMillis {
        fn from(time: DateTime<Tz>) -> Self {
            Self::from_millis(time.timestamp_millis())
        }
    }

    impl TryFrom<UnixMillis> for DateTime<Utc> {
        type Error = OutOfRange;

        fn try_from(time: UnixMillis) -> Result<Self, OutOfRange> {
            Self::from_timestamp_millis(time.as_millis()).ok_or(OutOfRange(time))
        }
    }
}

#[cfg(feature = "jiff")]
mod jiff {
    use crate::support::values::{OutOfRange, UnixMillis};
    use ::jiff::{Timestamp, Zoned};

    impl From<Timestamp> for UnixMillis {
        fn from(time: Timestamp) -> Self {
            // `as_millisecond` would round towards 1970.
            let millis = time.as_nanosecond().div_euclid(1_000_000);
            Self::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
        }
    }

    impl From<Zoned> for UnixMillis {
        fn from(time: Zoned) -> Self {
            time.timestamp().into()
        }
    }

    impl TryFrom<UnixMillis> for Timestamp {
        type Error = OutOfRange;

        fn try_from(time: UnixMillis) -> Result<Self, OutOfRange> {
            Self::from_millisecond(time.as_millis()).map_err(|_| OutOfRange(time))
        }
    }
}
