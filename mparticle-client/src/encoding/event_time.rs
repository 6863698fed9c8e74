//! The timestamp of an event, and its location in a batch.

use crate::models::{Event, UnixMillis};
use std::time::Duration;

/// Returns the timestamp of an event, including events of an unknown type.
pub(super) fn event_time(event: &Event) -> Option<UnixMillis> {
    match event {
        Event::Unknown { data, .. } => {
            let time = data.get("timestamp_unixtime_ms")?;
            time.as_i64().or_else(|| time.as_str()?.parse().ok()).map(UnixMillis::from_millis)
        }
        known => known.common()?.timestamp_unixtime_ms,
    }
}

/// Returns the JSON pointer of the timestamp of the event with an index.
pub(super) fn event_time_pointer(index: usize) -> String {
    format!("/events/{index}/data/timestamp_unixtime_ms")
}

/// Returns the number of whole hours in a duration, for messages.
pub(super) fn whole_hours(duration: Duration) -> u64 {
    duration.as_secs() / 3600
}
