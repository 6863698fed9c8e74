//! The batches that the historical endpoint does not process.

use serde_json::Value;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The minimum age of a historical event.
const MIN_AGE: Duration = Duration::from_secs(72 * 60 * 60);

/// Returns the reason why mParticle would not process a historical batch, or `None` if it would process it.
pub(super) fn unprocessed_reason(batch: &Value, now: SystemTime) -> Option<String> {
    let events = batch.get("events").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if events.is_empty() {
        return Some("a historical batch needs at least one event".to_owned());
    }
    let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let newest = since_epoch.saturating_sub(MIN_AGE).as_millis();
    events.iter().enumerate().find_map(|(index, event)| {
        let pointer = format!("/events/{index}/data/timestamp_unixtime_ms");
        match event.pointer("/data/timestamp_unixtime_ms").and_then(Value::as_i64) {
            None => Some(format!("`{pointer}` is missing")),
            Some(time) if u128::try_from(time).is_ok_and(|time| time > newest) => {
                Some(format!("`{pointer}` is less than 72 hours ago"))
            }
            Some(_) => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{MIN_AGE, unprocessed_reason};
    use serde_json::json;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn an_event_is_historical_from_an_age_of_72_hours_on() {
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let limit = 1_700_000_000_000 - i64::try_from(MIN_AGE.as_millis()).unwrap();
        for (timestamp, processed) in [
            (limit, true),
            (limit + 1, false),
            (1_700_000_000_001, false),
            (i64::MAX, false),
            (0, true),
            (-1, true),
        ] {
            let batch = json!({ "events": [{ "data": { "timestamp_unixtime_ms": timestamp } }] });
            assert_eq!(unprocessed_reason(&batch, now).is_none(), processed, "{timestamp}");
        }
    }
}
