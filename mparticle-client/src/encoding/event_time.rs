//! The timestamp of an event, and its location in a batch.

use crate::models::{Batch, Event, UnixMillis};
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

/// Sets the timestamp of the events that have none. Returns their indices, for [`clear_event_times`].
///
/// Events of an unknown type are left as they are.
pub(crate) fn set_event_times(batch: &mut Batch, time: UnixMillis) -> Vec<usize> {
    let mut set = Vec::new();
    for (index, event) in batch.events.iter_mut().enumerate() {
        let Some(common) = event.common_mut() else { continue };
        if common.timestamp_unixtime_ms.is_none() {
            common.timestamp_unixtime_ms = Some(time);
            set.push(index);
        }
    }
    set
}

/// Removes the timestamps that [`set_event_times`] has set.
#[cfg(feature = "queue")]
pub(crate) fn clear_event_times(batch: &mut Batch, set: &[usize]) {
    for index in set {
        if let Some(common) = batch.events.get_mut(*index).and_then(Event::common_mut) {
            common.timestamp_unixtime_ms = None;
        }
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
