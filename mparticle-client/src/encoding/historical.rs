//! The rules of the endpoint for historical data.
//!
//! A batch must have events, and each event must have a timestamp that is at least 72 hours old. mParticle discards
//! data that breaks these rules without an error. The client therefore checks the rules before it sends a request.

use super::event_time::{event_time, event_time_pointer, whole_hours};
use crate::models::{Batch, Event, UnixMillis};
use crate::{Error, ErrorKind};
use std::time::{Duration, SystemTime};

/// The minimum age of an event.
const MIN_AGE: Duration = Duration::from_secs(72 * 60 * 60);

/// Why an event is not accepted as historical data.
#[derive(Clone, Copy)]
enum EventViolation {
    NoTimestamp,
    TooRecent { age: Duration },
    InFuture,
}

/// Checks that the endpoint for historical data would process a batch.
///
/// # Errors
///
/// - [`ErrorKind::Invalid`]: the batch has no events, or an event has no timestamp or is too recent
pub(crate) fn check(batch: &Batch, now: SystemTime) -> Result<(), Error> {
    if batch.events.is_empty() {
        let message = "the batch has no events, and the historical endpoint requires at least one";
        return Err(Error::new(ErrorKind::Invalid, message).with_pointer("/events"));
    }
    let events = batch.events.iter().enumerate();
    let mut violations =
        events.filter_map(|(index, event)| Some((index, check_event(event, now).err()?)));
    let Some((index, violation)) = violations.next() else { return Ok(()) };
    let reason = match violation {
        EventViolation::NoTimestamp => "has no timestamp".to_owned(),
        EventViolation::TooRecent { age } => {
            format!("is {} hours old, and 72 are required", whole_hours(age))
        }
        EventViolation::InFuture => "is in the future".to_owned(),
    };
    let message = format!(
        "{} of {} events cannot be sent as historical data; the first of them {reason}",
        1 + violations.count(),
        batch.events.len(),
    );
    Err(Error::new(ErrorKind::Invalid, message).with_pointer(event_time_pointer(index)))
}

/// Whether the endpoint for historical data would process an event.
pub(crate) fn is_historical(event: &Event, now: SystemTime) -> bool {
    check_event(event, now).is_ok()
}

fn check_event(event: &Event, now: SystemTime) -> Result<(), EventViolation> {
    let Some(time) = event_time(event) else { return Err(EventViolation::NoTimestamp) };
    let age = UnixMillis::from(now).as_millis().saturating_sub(time.as_millis());
    match u64::try_from(age).map(Duration::from_millis) {
        Err(_) => Err(EventViolation::InFuture),
        Ok(age) if age < MIN_AGE => Err(EventViolation::TooRecent { age }),
        Ok(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::ErrorKind;
    use crate::models::{Batch, CustomEvent, CustomEventType, Environment, Event, UnixMillis};
    use std::time::{Duration, SystemTime};

    const NOW: i64 = 1_700_000_000_000;
    const HOUR: i64 = 3_600_000;

    fn event(time: Option<i64>) -> Event {
        let event = CustomEvent::new("a", CustomEventType::Other);
        match time {
            Some(time) => event.with_timestamp_unixtime_ms(UnixMillis::from_millis(time)).into(),
            None => event.into(),
        }
    }

    fn unknown_event(data: &str) -> Event {
        Event::from_str(&format!(r#"{{"event_type":"novel","data":{data}}}"#)).unwrap()
    }

    fn error_for(events: Vec<Event>) -> Option<(String, String)> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(NOW.unsigned_abs());
        let batch = Batch::new(Environment::Development).with_events(events);
        let error = check(&batch, now).err()?;
        assert_eq!(error.kind(), ErrorKind::Invalid);
        Some((error.pointer().unwrap().to_owned(), error.to_string()))
    }

    #[test]
    fn events_that_are_at_least_72_hours_old_pass() {
        let old = NOW - 72 * HOUR;
        assert_eq!(error_for(vec![event(Some(old)), event(Some(0)), event(Some(i64::MIN))]), None);
        assert_eq!(error_for(vec![unknown_event(r#"{"timestamp_unixtime_ms":1}"#)]), None);
        assert_eq!(error_for(vec![unknown_event(r#"{"timestamp_unixtime_ms":"1"}"#)]), None);
    }

    #[test]
    fn an_error_names_the_first_invalid_event_and_the_number_of_invalid_events() {
        let time_of = |index| format!("/events/{index}/data/timestamp_unixtime_ms");
        let too_recent = NOW - 72 * HOUR + 1;
        for (events, pointer, text) in [
            (vec![], "/events".to_owned(), "has no events"),
            (vec![event(None)], time_of(0), "1 of 1 events"),
            (vec![event(None)], time_of(0), "the first of them has no timestamp"),
            (vec![unknown_event("{}")], time_of(0), "no timestamp"),
            (
                vec![event(Some(0)), event(Some(too_recent))],
                time_of(1),
                "71 hours old, and 72 are required",
            ),
            (
                vec![event(Some(too_recent)), event(Some(0)), event(None)],
                time_of(0),
                "2 of 3 events",
            ),
            (vec![event(Some(0)), event(Some(NOW + 1))], time_of(1), "is in the future"),
            (vec![event(Some(i64::MAX))], time_of(0), "is in the future"),
        ] {
            let (found_pointer, message) = error_for(events).unwrap();
            assert_eq!(found_pointer, pointer);
            assert!(message.contains(text), "{message}");
        }
    }
}
