//! When an event happened, and where that stands.

use crate::models::{Event, UnixMillis};
use std::time::Duration;

/// When an event happened, even if its type is unknown.
pub(super) fn moment(event: &Event) -> Option<UnixMillis> {
    match event {
        Event::Unknown { data, .. } => {
            let at = data.get("timestamp_unixtime_ms")?;
            at.as_i64().or_else(|| at.as_str()?.parse().ok()).map(UnixMillis::from_millis)
        }
        known => known.common()?.timestamp_unixtime_ms,
    }
}

/// Where the time of an event stands.
pub(super) fn pointer(event: usize) -> String {
    format!("/events/{event}/data/timestamp_unixtime_ms")
}

/// Whole hours, for messages.
pub(super) fn hours(duration: Duration) -> u64 {
    duration.as_secs() / 3600
}
