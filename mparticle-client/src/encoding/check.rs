//! The checks before a batch is encoded, according to the [`Validation`] setting of the client.

use super::Encoder;
use super::event_time::{event_time, event_time_pointer, whole_hours};
use crate::models::{Batch, Rule, UnixMillis, Violation};
use crate::{Error, ErrorKind, Validation};
use std::time::{Duration, SystemTime};

/// The maximum time by which an event may be ahead of the local clock.
///
/// Clocks differ, and a local time that was mistaken for UTC is off by up to 14 hours. More than a day is an error in
/// the data.
const MAX_AHEAD: Duration = Duration::from_secs(24 * 60 * 60);

/// The maximum number of violations of one batch that are logged.
pub(super) const MAX_WARNINGS: usize = 10;

/// The fields that are maps. A JSON pointer continues below them with a name that the caller chose.
const MAPS: [&str; 7] = [
    "apple_search_ads_attributes",
    "custom_attributes",
    "custom_flags",
    "gdpr",
    "integration_attributes",
    "partner_identities",
    "user_attributes",
];

impl Encoder {
    /// Compares a batch with the data plan of the client, and checks it against the rules of mParticle: logs violations
    /// with [`Validation::Warn`], and returns them as an error with [`Validation::Strict`].
    pub(super) fn check(&self, id: &str, batch: &Batch, now: SystemTime) -> Result<(), Error> {
        #[cfg(feature = "data-plan")]
        self.lint(id, batch)?;
        if self.validation == Validation::Off {
            return Ok(());
        }
        let mut violations = batch.validate();
        if self.environment.is_some() {
            violations.retain(|violation| {
                violation.rule != Rule::Required || violation.pointer != "/environment"
            });
        }
        let future_event = first_future_event(batch, now);
        match self.validation {
            Validation::Strict => into_result(violations, future_event),
            Validation::Warn | Validation::Off => {
                log_violations(id, &violations);
                log_future_event(id, future_event);
                Ok(())
            }
        }
    }
}

/// An event that is too far in the future.
#[derive(Clone, Copy)]
struct FutureEvent {
    index: usize,
    ahead: Duration,
}

fn first_future_event(batch: &Batch, now: SystemTime) -> Option<FutureEvent> {
    let now = UnixMillis::from(now).as_millis();
    let too_far_ahead = |time: UnixMillis| {
        let millis = u64::try_from(time.as_millis().saturating_sub(now)).ok()?;
        Some(Duration::from_millis(millis)).filter(|ahead| *ahead > MAX_AHEAD)
    };
    let mut events = batch.events.iter().enumerate();
    events.find_map(|(index, event)| {
        Some(FutureEvent { index, ahead: too_far_ahead(event_time(event)?)? })
    })
}

fn into_result(violations: Vec<Violation>, future_event: Option<FutureEvent>) -> Result<(), Error> {
    if let Some(first) = violations.first() {
        let pointer = first.pointer.clone();
        let (rule, sizes) = (first.rule, sizes(first));
        let message = match violations.len() {
            1 => format!("the batch violates a rule: {rule}{sizes}"),
            count => format!("the batch violates {count} rules; the first is {rule}{sizes}"),
        };
        let error = Error::new(ErrorKind::Invalid, message);
        return Err(error.with_pointer(pointer).with_violations(violations));
    }
    let Some(FutureEvent { index, ahead }) = future_event else { return Ok(()) };
    let hours = whole_hours(ahead);
    let message = format!("an event is {hours} hours in the future, and at most 24 are allowed");
    Err(Error::new(ErrorKind::Invalid, message).with_pointer(event_time_pointer(index)))
}

fn sizes(violation: &Violation) -> String {
    match (violation.actual, violation.limit) {
        (Some(actual), Some(limit)) => format!(" ({actual}, at most {limit})"),
        _ => String::new(),
    }
}

/// Logs rules and locations, but no values and no names that the caller chose.
fn log_violations(id: &str, violations: &[Violation]) {
    for violation in violations.iter().take(MAX_WARNINGS) {
        tracing::warn!(
            source_request_id = id,
            rule = violation.rule.as_str(),
            pointer = without_custom_names(&violation.pointer),
            limit = violation.limit,
            actual = violation.actual,
            "the batch violates a rule of mParticle",
        );
    }
    if let Some(more) = not_logged(violations.len()) {
        tracing::warn!(source_request_id = id, more, "the batch violates more rules of mParticle",);
    }
}

/// Returns how many of so many warnings about a batch are not logged, if there are any.
pub(super) fn not_logged(warnings: usize) -> Option<usize> {
    warnings.checked_sub(MAX_WARNINGS).filter(|more| *more > 0)
}

fn log_future_event(id: &str, future_event: Option<FutureEvent>) {
    if let Some(FutureEvent { index, ahead }) = future_event {
        tracing::warn!(
            source_request_id = id,
            pointer = event_time_pointer(index),
            hours = whole_hours(ahead),
            "an event is in the future",
        );
    }
}

/// Returns the part of a JSON pointer up to and including the first map, which contains no name that the caller chose.
pub(super) fn without_custom_names(pointer: &str) -> &str {
    let mut end = 0;
    for segment in pointer.split('/') {
        end += segment.len();
        if MAPS.contains(&segment) {
            break;
        }
        end += 1;
    }
    pointer.get(..end.min(pointer.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{MAPS, MAX_WARNINGS, without_custom_names};
    use crate::Validation;
    use crate::encoding::Encoder;
    use crate::models::{Batch, Environment};
    use serde_json::Value;
    use std::collections::BTreeSet;
    use std::fmt::{Debug, Write};
    use std::sync::{Arc, Mutex};
    use std::time::SystemTime;
    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    /// A subscriber that records events as lines.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<String>>>);

    struct Line(String);

    impl Visit for Line {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            let _ = write!(self.0, " {field}={value:?}");
        }
    }

    impl Subscriber for Log {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            metadata.target().starts_with("mparticle_client")
        }

        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, _: &Record<'_>) {}

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            let mut line = Line(event.metadata().level().to_string());
            event.record(&mut line);
            self.0.lock().unwrap().push(line.0);
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    #[test]
    fn the_number_of_warnings_is_limited_and_they_contain_no_attribute() {
        let value = "x".repeat(5_000);
        let attributes = (0..15).map(|number| (format!("Jane{number}"), value.clone()));
        let batch = Batch::new(Environment::Production)
            .with_source_request_id("an id")
            .with_user_attributes(attributes);
        for (validation, lines) in [(Validation::Warn, MAX_WARNINGS + 1), (Validation::Off, 0)] {
            let log = Log::default();
            let encoder = Encoder { validation, ..Encoder::default() };
            tracing::subscriber::with_default(log.clone(), || {
                encoder.encode(&batch, SystemTime::UNIX_EPOCH).unwrap();
            });
            let written = log.0.lock().unwrap();
            assert_eq!(written.len(), lines, "{written:?}");
            for line in written.iter() {
                assert!(line.starts_with("WARN") && line.contains("an id"), "{line}");
                assert!(!line.contains("Jane") && !line.contains("xx"), "{line}");
            }
            if let [first, .., last] = &written[..] {
                for part in ["maxLength", "/user_attributes\"", "limit=4096", "actual=5000"] {
                    assert!(first.contains(part), "{first}");
                }
                assert!(last.contains("more=5"), "{last}");
            }
        }
    }

    #[test]
    fn a_logged_pointer_contains_no_name_that_the_caller_chose() {
        for (pointer, logged) in [
            ("", ""),
            ("/environment", "/environment"),
            ("/events/12/data/timestamp_unixtime_ms", "/events/12/data/timestamp_unixtime_ms"),
            ("/user_attributes", "/user_attributes"),
            ("/user_attributes/Jane Doe", "/user_attributes"),
            ("/user_attributes/a~1b/17", "/user_attributes"),
            ("/events/0/data/custom_attributes/gdpr", "/events/0/data/custom_attributes"),
            ("/consent_state/gdpr/marketing/timestamp_unixtime_ms", "/consent_state/gdpr"),
        ] {
            assert_eq!(without_custom_names(pointer), logged);
        }
    }

    #[cfg(feature = "testing")]
    #[test]
    fn every_map_in_the_schema_is_listed() {
        fn collect<'s>(schema: &'s Value, maps: &mut BTreeSet<&'s str>) {
            for (name, property) in schema["properties"].as_object().into_iter().flatten() {
                let entries = &property["additionalProperties"];
                if entries.is_object() || entries == &Value::Bool(true) {
                    maps.insert(name);
                }
            }
            match schema {
                Value::Object(fields) => fields.values().for_each(|field| collect(field, maps)),
                Value::Array(items) => items.iter().for_each(|item| collect(item, maps)),
                _ => {}
            }
        }
        let schema = serde_json::from_str(crate::models::schema::BATCH).unwrap();
        let mut maps = BTreeSet::new();
        collect(&schema, &mut maps);
        assert_eq!(maps, BTreeSet::from(MAPS));
    }
}
