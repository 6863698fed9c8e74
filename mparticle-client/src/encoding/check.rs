//! What is checked before a batch is encoded, as far as the client was told to.

use super::Encoder;
use super::event_time::{hours, moment, pointer};
use crate::models::{Batch, Rule, UnixMillis, Violation};
use crate::{Error, ErrorKind, Validation};
use std::time::{Duration, SystemTime};

/// How far ahead of our clock an event may be. Clocks differ and so do time zones that were mistaken for UTC; more
/// than a day is a mistake in the data.
const MAX_AHEAD: Duration = Duration::from_secs(24 * 60 * 60);

/// How many warnings one batch may cause.
const MAX_WARNINGS: usize = 10;

/// Fields below which a JSON pointer continues with a name that the caller chose.
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
    pub(super) fn check(&self, id: &str, batch: &Batch, now: SystemTime) -> Result<(), Error> {
        if self.validation == Validation::Off {
            return Ok(());
        }
        let mut violations = batch.validate();
        if self.environment.is_some() {
            violations.retain(|violation| {
                violation.rule != Rule::Required || violation.pointer != "/environment"
            });
        }
        let ahead = first_ahead(batch, now);
        match self.validation {
            Validation::Strict => refuse(violations, ahead),
            Validation::Warn | Validation::Off => {
                warn(id, &violations, ahead);
                Ok(())
            }
        }
    }
}

/// The first event that lies too far in the future, and how far.
fn first_ahead(batch: &Batch, now: SystemTime) -> Option<(usize, Duration)> {
    let now = UnixMillis::from(now).as_millis();
    let ahead = |at: UnixMillis| {
        let millis = u64::try_from(at.as_millis().saturating_sub(now)).ok()?;
        Some(Duration::from_millis(millis)).filter(|ahead| *ahead > MAX_AHEAD)
    };
    let mut events = batch.events.iter().enumerate();
    events.find_map(|(index, event)| Some((index, ahead(moment(event)?)?)))
}

fn refuse(violations: Vec<Violation>, ahead: Option<(usize, Duration)>) -> Result<(), Error> {
    if let Some(first) = violations.first() {
        let pointer = first.pointer.clone();
        let found = match violations.len() {
            1 => "one violation".to_owned(),
            count => format!("{count} violations, the first of"),
        };
        let message = format!("{found} {}{}", first.rule, sizes(first));
        let error = Error::new(ErrorKind::Invalid, message);
        return Err(error.with_pointer(pointer).with_violations(violations));
    }
    let Some((index, ahead)) = ahead else { return Ok(()) };
    let message = format!("an event lies {} hours in the future, more than 24", hours(ahead));
    Err(Error::new(ErrorKind::Invalid, message).with_pointer(pointer(index)))
}

fn sizes(violation: &Violation) -> String {
    match (violation.actual, violation.limit) {
        (Some(actual), Some(limit)) => format!(" ({actual}, at most {limit})"),
        _ => String::new(),
    }
}

/// Logs rules and places. Of a place it shows no more than the fields that every batch has: below them stand names of
/// attributes.
fn warn(id: &str, violations: &[Violation], ahead: Option<(usize, Duration)>) {
    for violation in violations.iter().take(MAX_WARNINGS) {
        tracing::warn!(
            target: "mparticle_client",
            source_request_id = id,
            rule = violation.rule.as_str(),
            pointer = without_names(&violation.pointer),
            limit = violation.limit,
            actual = violation.actual,
            "the batch breaks a rule of mParticle",
        );
    }
    if let Some(more) = violations.len().checked_sub(MAX_WARNINGS).filter(|more| *more > 0) {
        tracing::warn!(
            target: "mparticle_client",
            source_request_id = id,
            more,
            "the batch breaks more rules of mParticle",
        );
    }
    if let Some((index, ahead)) = ahead {
        tracing::warn!(
            target: "mparticle_client",
            source_request_id = id,
            pointer = pointer(index),
            hours = hours(ahead),
            "an event lies in the future",
        );
    }
}

/// The pointer up to and including the first field whose entries have names that the caller chose.
fn without_names(pointer: &str) -> &str {
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
    use super::{MAPS, MAX_WARNINGS, without_names};
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

    /// Writes down what is logged.
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
            metadata.target() == "mparticle_client"
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
    fn warnings_are_few_and_name_no_attribute() {
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
    fn a_logged_pointer_ends_before_a_name_that_the_caller_chose() {
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
            assert_eq!(without_names(pointer), logged);
        }
    }

    #[cfg(feature = "testing")]
    #[test]
    fn every_map_of_the_schema_is_known() {
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
