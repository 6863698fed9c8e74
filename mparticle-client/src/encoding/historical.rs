//! The rules of the endpoint for historical data, checked here since mParticle drops in silence what breaks them.
//!
//! A batch needs events, and each of them a time that is at least 72 hours ago.

use super::event_time::{hours, moment, pointer};
use crate::models::{Batch, Event, UnixMillis};
use crate::{Error, ErrorKind};
use std::time::{Duration, SystemTime};

/// How long ago an event has to be.
const MIN_AGE: Duration = Duration::from_secs(72 * 60 * 60);

/// What keeps an event out.
#[derive(Clone, Copy)]
enum Trouble {
    Timeless,
    Young(Duration),
    Ahead,
}

/// Whether the endpoint for historical data would process the batch.
pub(crate) fn check(batch: &Batch, now: SystemTime) -> Result<(), Error> {
    if batch.events.is_empty() {
        let message = "the batch has no events, and historical data need at least one";
        return Err(Error::new(ErrorKind::Invalid, message).with_pointer("/events"));
    }
    let events = batch.events.iter().enumerate();
    let mut troubles = events.filter_map(|(index, event)| Some((index, trouble(event, now)?)));
    let Some((first, trouble)) = troubles.next() else { return Ok(()) };
    let what = match trouble {
        Trouble::Timeless => "has no timestamp".to_owned(),
        Trouble::Young(age) => format!("is {} hours old, and 72 are required", hours(age)),
        Trouble::Ahead => "lies in the future".to_owned(),
    };
    let message = format!(
        "{} of {} events cannot be sent as historical data; the first {what}",
        1 + troubles.count(),
        batch.events.len(),
    );
    Err(Error::new(ErrorKind::Invalid, message).with_pointer(pointer(first)))
}

fn trouble(event: &Event, now: SystemTime) -> Option<Trouble> {
    let Some(at) = moment(event) else { return Some(Trouble::Timeless) };
    let age = UnixMillis::from(now).as_millis().saturating_sub(at.as_millis());
    match u64::try_from(age).map(Duration::from_millis) {
        Err(_) => Some(Trouble::Ahead),
        Ok(age) if age < MIN_AGE => Some(Trouble::Young(age)),
        Ok(_) => None,
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

    fn event(at: Option<i64>) -> Event {
        let event = CustomEvent::new("a", CustomEventType::Other);
        match at {
            Some(at) => event.with_timestamp_unixtime_ms(UnixMillis::from_millis(at)).into(),
            None => event.into(),
        }
    }

    fn unknown(data: &str) -> Event {
        Event::from_str(&format!(r#"{{"event_type":"novel","data":{data}}}"#)).unwrap()
    }

    fn refusal(events: Vec<Event>) -> Option<(String, String)> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(NOW.unsigned_abs());
        let batch = Batch::new(Environment::Development).with_events(events);
        let error = check(&batch, now).err()?;
        assert_eq!(error.kind(), ErrorKind::Invalid);
        Some((error.pointer().unwrap().to_owned(), error.to_string()))
    }

    #[test]
    fn events_at_least_72_hours_old_pass() {
        let old = NOW - 72 * HOUR;
        assert_eq!(refusal(vec![event(Some(old)), event(Some(0)), event(Some(i64::MIN))]), None);
        assert_eq!(refusal(vec![unknown(r#"{"timestamp_unixtime_ms":1}"#)]), None);
        assert_eq!(refusal(vec![unknown(r#"{"timestamp_unixtime_ms":"1"}"#)]), None);
    }

    #[test]
    fn each_rule_names_the_first_offender_and_how_many_there_are() {
        let at = |index| format!("/events/{index}/data/timestamp_unixtime_ms");
        let young = NOW - 72 * HOUR + 1;
        for (events, pointer, words) in [
            (vec![], "/events".to_owned(), "has no events"),
            (vec![event(None)], at(0), "1 of 1 events"),
            (vec![event(None)], at(0), "the first has no timestamp"),
            (vec![unknown("{}")], at(0), "no timestamp"),
            (vec![event(Some(0)), event(Some(young))], at(1), "71 hours old, and 72 are required"),
            (vec![event(Some(young)), event(Some(0)), event(None)], at(0), "2 of 3 events"),
            (vec![event(Some(0)), event(Some(NOW + 1))], at(1), "lies in the future"),
            (vec![event(Some(i64::MAX))], at(0), "lies in the future"),
        ] {
            let (found, message) = refusal(events).unwrap();
            assert_eq!(found, pointer);
            assert!(message.contains(words), "{message}");
        }
    }
}
