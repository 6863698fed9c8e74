//! Interprets a record: a batch, an event with its user, or a line of a file of failures.

use super::mapping::Mapping;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use mparticle_client::ViolationSummary;
use mparticle_client::models::{Batch, Event, ReadError, ReadErrorKind, Severity, Violation};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A problem of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// The severity with which it is counted.
    pub(crate) severity: Severity,
    /// A name for counting.
    pub(crate) rule: &'static str,
    /// The JSON pointer of what is wrong.
    pub(crate) pointer: String,
    pub(crate) message: String,
    /// The line in the record and the column, both from 1, if the JSON has a mistake.
    pub(crate) position: Option<(usize, usize)>,
}

impl Problem {
    pub(crate) fn new(rule: &'static str, message: impl Into<String>) -> Self {
        let (severity, message) = (Severity::Error, message.into());
        Self { severity, rule, pointer: String::new(), message, position: None }
    }

    pub(crate) fn warning(rule: &'static str, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::new(rule, message) }
    }

    /// Returns the severity as a word.
    pub(crate) fn level(&self) -> &'static str {
        match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }

    pub(crate) fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointer = pointer.into();
        self
    }

    /// Returns line and column in the input of a record that begins on a line.
    pub(crate) fn place(&self, line: u64) -> (u64, Option<usize>) {
        match self.position {
            Some((offset, column)) => (line + (offset as u64).saturating_sub(1), Some(column)),
            None => (line, None),
        }
    }

    /// Adds the problem of a record that begins on a line of an input.
    pub(crate) fn add_to(&self, summary: &mut ViolationSummary, source: &str, line: u64) {
        let place = match self.place(line) {
            (line, Some(column)) => format!("{source}:{line}:{column}"),
            (line, None) => format!("{source}:{line}"),
        };
        let Self { rule, severity, pointer, message, .. } = self;
        summary.add_other(rule, *severity, &place, pointer, || message.clone());
    }

    /// The problem of JSON that cannot be read. The JSON is at `pointer` of the record.
    fn reading(error: &ReadError, pointer: &str) -> Self {
        let rule = match error.kind() {
            ReadErrorKind::Syntax => "syntax",
            ReadErrorKind::Missing => "required",
            ReadErrorKind::WrongType => "type",
            ReadErrorKind::Repeated => "repeated",
            _ => "unreadable",
        };
        let position =
            (error.line() > 0 && pointer.is_empty()).then_some((error.line(), error.column()));
        let pointer = format!("{pointer}{}", error.pointer());
        Self { position, ..Self::new(rule, error.message()).at(pointer) }
    }
}

impl From<&Violation> for Problem {
    fn from(violation: &Violation) -> Self {
        let problem = Self::new(violation.rule.as_str(), violation.message());
        Self { severity: violation.severity, ..problem.at(violation.pointer.as_str()) }
    }
}

/// The content of a record.
#[derive(Debug)]
pub(super) enum Parsed {
    Batch(Box<Batch>),
    /// An event and its user, which is a batch without events.
    Event(Box<Batch>, Event),
}

/// The fields by which the kinds of records differ.
#[derive(Deserialize)]
struct Probe<'a> {
    #[serde(borrow)]
    failed: Option<&'a RawValue>,
    #[serde(borrow)]
    batch: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<Cow<'a, str>>,
    bytes: Option<String>,
    cells: Option<BTreeMap<String, String>>,
    #[serde(borrow)]
    user: Option<&'a RawValue>,
    #[serde(borrow)]
    event: Option<&'a RawValue>,
}

/// Interprets the JSON of a record. Rows in a file of failures need the mapping.
pub(super) fn parse(text: &[u8], mapping: Option<&Mapping>) -> Result<Parsed, Problem> {
    match serde_json::from_slice::<Probe<'_>>(text) {
        Ok(probe) if probe.failed.is_some() => failed(probe, mapping),
        Ok(Probe { event: Some(event), user, .. }) => parse_event(user, event),
        // The error of reading a batch has the place of the mistake.
        _ => read_batch(text, "").and_then(check_batch),
    }
}

/// Returns the JSON of the batch in a record, if there is one.
pub(super) fn batch_json(text: &[u8]) -> Option<&[u8]> {
    match serde_json::from_slice::<Probe<'_>>(text) {
        Ok(probe) if probe.failed.is_some() => probe.batch.map(|batch| batch.get().as_bytes()),
        Ok(probe) if probe.event.is_some() => None,
        _ => Some(text),
    }
}

fn failed(probe: Probe<'_>, mapping: Option<&Mapping>) -> Result<Parsed, Problem> {
    match probe {
        Probe { batch: Some(batch), .. } => {
            read_batch(batch.get().as_bytes(), "/batch").and_then(check_batch)
        }
        Probe { text: Some(text), .. } => parse(text.as_bytes(), mapping),
        Probe { bytes: Some(bytes), .. } => {
            let bytes = BASE64.decode(bytes).map_err(|error| {
                Problem::new("type", format!("expected base64: {error}")).at("/bytes")
            })?;
            parse(&bytes, mapping)
        }
        Probe { cells: Some(cells), .. } => {
            let mapping = mapping.ok_or_else(|| {
                let message = "the record is a row of a CSV file; name its mapping with --csv";
                Problem::new("noMapping", message).at("/cells")
            })?;
            mapping.parse(|column| cells.get(column).map(String::as_str))
        }
        _ => Err(Problem::new(
            "noContent",
            "the record was too long to be kept; see its line in the original file",
        )),
    }
}

fn read_batch(json: &[u8], pointer: &str) -> Result<Batch, Problem> {
    Batch::from_slice(json).map_err(|error| Problem::reading(&error, pointer))
}

/// Refuses a batch without events if it has an unknown field, which may be a misspelled `events`, or if it has no user.
pub(super) fn check_batch(batch: Batch) -> Result<Parsed, Problem> {
    if let (true, Some(field)) = (batch.events.is_empty(), batch.extra.keys().next()) {
        let message = "the batch has no events, and a field that mParticle does not know";
        return Err(Problem::new("unknownField", message).at(pointer_to(field)));
    }
    let has_user = batch.user_identities.is_some()
        || batch.mpid.is_some()
        || batch.device_info.is_some()
        || batch.mp_deviceid.is_some()
        || batch.partner_identity.is_some()
        || !batch.partner_identities.is_empty();
    if batch.events.is_empty() && !has_user {
        return Err(Problem::new("noContent", "the batch has neither events nor a user"));
    }
    Ok(Parsed::Batch(Box::new(batch)))
}

/// Returns the JSON pointer of a field.
pub(crate) fn pointer_to(field: &str) -> String {
    format!("/{}", field.replace('~', "~0").replace('/', "~1"))
}

/// Refuses a user with an id, because the events of a user can become several batches.
fn parse_event(user: Option<&RawValue>, event: &RawValue) -> Result<Parsed, Problem> {
    let user = user.ok_or_else(|| {
        Problem::new("required", "missing, but an event needs its user").at("/user")
    })?;
    let user = read_batch(user.get().as_bytes(), "/user")?;
    let event = Event::from_str(event.get()).map_err(|error| Problem::reading(&error, "/event"))?;
    if !user.events.is_empty() {
        return Err(Problem::new("unknownField", "a user has no events").at("/user/events"));
    }
    if user.source_request_id.is_some() {
        let message = "a user has no source_request_id: its events may become several batches";
        return Err(Problem::new("unknownField", message).at("/user/source_request_id"));
    }
    Ok(Parsed::Event(Box::new(user), event))
}

#[cfg(test)]
mod tests {
    use super::{Parsed, parse};

    const EVENT: &str = r#"{"event_type":"opt_out","data":{"is_opted_out":true}}"#;

    #[test]
    fn a_record_is_a_batch_or_an_event_with_its_user() {
        let event = format!(r#"{{"user":{{"mpid":1}},"event":{EVENT}}}"#);
        assert!(
            matches!(parse(event.as_bytes(), None), Ok(Parsed::Event(user, _)) if user.mpid == Some(1))
        );
        let batch = format!(r#"{{"mpid":1,"events":[{EVENT}]}}"#);
        let failed = format!(r#"{{"failed":{{"line":1}},"batch":{batch}}}"#);
        let text = serde_json::json!({"failed": {}, "text": &batch}).to_string();
        for record in [batch, failed, text] {
            let Ok(Parsed::Batch(batch)) = parse(record.as_bytes(), None) else {
                panic!("{record}")
            };
            assert_eq!(batch.events.len(), 1);
        }
    }

    #[test]
    fn a_problem_has_a_rule_and_a_place_and_no_types_of_rust() {
        for (record, rule, pointer) in [
            ("", "syntax", ""),
            ("{\"oops", "syntax", ""),
            ("[1]", "type", ""),
            (r#"{"mpid":1,"evnts":[]}"#, "unknownField", "/evnts"),
            ("{}", "noContent", ""),
            (r#"{"mpid":"x"}"#, "type", "/mpid"),
            (r#"{"events":[{"event_type":"opt_out","data":7}]}"#, "type", "/events/0/data"),
            (r#"{"event":{"event_type":"opt_out"}}"#, "required", "/user"),
            (r#"{"user":{"mpid":[]},"event":{}}"#, "type", "/user/mpid"),
            (r#"{"user":{"mpid":1},"event":{}}"#, "required", "/event/event_type"),
            (
                r#"{"user":{"source_request_id":"a"},"event":{"event_type":"opt_out"}}"#,
                "unknownField",
                "/user/source_request_id",
            ),
            (r#"{"failed":{},"cells":{}}"#, "noMapping", "/cells"),
            (r#"{"failed":{}}"#, "noContent", ""),
            (r#"{"failed":{},"bytes":"%"}"#, "type", "/bytes"),
        ] {
            let problem = parse(record.as_bytes(), None).unwrap_err();
            assert_eq!(
                (problem.rule, problem.pointer.as_str()),
                (rule, pointer),
                "{record}: {}",
                problem.message
            );
            assert!(
                !problem.message.contains("struct") && !problem.message.contains("::"),
                "{}",
                problem.message
            );
        }
        let problem = parse(b"{\"mpid\":}", None).unwrap_err();
        assert_eq!(problem.position, Some((1, 9)));
        let problem = parse(b"\xff{}", None).unwrap_err();
        assert_eq!(problem.rule, "syntax");
    }
}
