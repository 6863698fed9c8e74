//! What arrived, for people: the latest requests, their batches, and what is wrong with them.

use crate::input::Problem;
use bytes::Bytes;
use http::StatusCode;
use http::request::Parts;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use mparticle_client::models::Batch;
use mparticle_client::testing::UnprocessedBatch;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::{HashMap, VecDeque};

/// The latest requests.
#[derive(Debug)]
pub(super) struct Journal {
    requests: VecDeque<Request>,
    max: usize,
    /// How often each id occurs in the accepted batches.
    accepted_ids: HashMap<String, usize>,
}

/// A request, and how it was answered.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) at: Timestamp,
    pub(super) method: String,
    pub(super) path: String,
    pub(super) user_agent: String,
    /// `None` if no response was sent.
    pub(super) status: Option<StatusCode>,
    /// Why it was refused.
    pub(super) message: Option<String>,
    pub(super) batches: Vec<ReceivedBatch>,
}

/// A batch of a request, which need not be valid.
#[derive(Clone, Debug)]
pub(super) struct ReceivedBatch {
    pub(super) json: Value,
    pub(super) violations: Vec<Problem>,
    /// Why mParticle would not process the batch although it accepts the request.
    pub(super) unprocessed: Option<String>,
    /// Whether a batch with the same `source_request_id` was accepted before.
    pub(super) is_duplicate: bool,
}

impl Journal {
    pub(super) fn new(max: usize) -> Self {
        Self { requests: VecDeque::new(), max, accepted_ids: HashMap::new() }
    }

    /// Adds a request, marks its duplicates, and returns it.
    pub(super) fn add(&mut self, mut request: Request) -> Request {
        if request.is_accepted() {
            for batch in &mut request.batches {
                let Some(id) = batch.id().map(str::to_owned) else { continue };
                let count = self.accepted_ids.entry(id).or_default();
                batch.is_duplicate = *count > 0;
                *count += 1;
            }
        }
        self.requests.push_back(request.clone());
        if self.requests.len() > self.max {
            self.forget_oldest();
        }
        request
    }

    fn forget_oldest(&mut self) {
        let Some(request) = self.requests.pop_front().filter(Request::is_accepted) else { return };
        for id in request.batches.iter().filter_map(ReceivedBatch::id) {
            if let Some(count) = self.accepted_ids.get_mut(id) {
                *count -= 1;
                if *count == 0 {
                    self.accepted_ids.remove(id);
                }
            }
        }
    }

    /// The requests, the latest last.
    pub(super) fn requests(&self) -> impl DoubleEndedIterator<Item = &Request> {
        self.requests.iter()
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.max);
    }

    /// Returns the batches of accepted requests, except duplicates.
    pub(super) fn batches_json(&self) -> Value {
        let accepted = self.requests.iter().filter(|request| request.is_accepted());
        let batches = accepted.flat_map(|request| &request.batches);
        batches
            .filter(|batch| !batch.is_duplicate && batch.unprocessed.is_none())
            .map(|batch| batch.json.clone())
            .collect()
    }

    /// Returns the violations of all batches. `request` and `batch` count from 0.
    pub(super) fn violations_json(&self) -> Value {
        let batches = self.requests.iter().enumerate().flat_map(|(number, request)| {
            let batches = request.batches.iter().enumerate();
            batches.map(move |(index, batch)| (number, index, batch))
        });
        let violations = batches.flat_map(|(number, index, batch)| {
            batch.violations.iter().map(move |violation| {
                let mut fields = violation_fields(violation);
                fields.insert("request".to_owned(), number.into());
                fields.insert("batch".to_owned(), index.into());
                Value::Object(fields)
            })
        });
        violations.collect()
    }
}

impl Request {
    pub(super) fn new(head: &Parts, body: &Bytes, at: Timestamp) -> Self {
        let user_agent = head.headers.get(http::header::USER_AGENT);
        Self {
            at,
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            user_agent: user_agent
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .unwrap_or_default(),
            status: None,
            message: None,
            batches: batches(body).into_iter().map(ReceivedBatch::new).collect(),
        }
    }

    /// Adds how the request was answered, and which batches of its body were not processed.
    pub(super) fn answered(
        mut self,
        status: StatusCode,
        message: Option<String>,
        body: &Bytes,
        unprocessed: &[UnprocessedBatch],
    ) -> Self {
        (self.status, self.message) = (Some(status), message);
        if self.is_accepted() {
            let reasons: HashMap<_, _> =
                unprocessed.iter().map(|batch| (&batch.raw[..], &batch.reason)).collect();
            for (raw, batch) in batches(body).into_iter().zip(&mut self.batches) {
                batch.unprocessed = reasons.get(raw.as_bytes()).copied().cloned();
            }
        }
        self
    }

    pub(super) fn is_accepted(&self) -> bool {
        self.status.is_some_and(|status| status.is_success())
    }

    /// The time of day in the local time zone.
    pub(super) fn time(&self) -> String {
        self.at.to_zoned(TimeZone::system()).strftime("%H:%M:%S").to_string()
    }

    /// The status, or what happened in its place.
    pub(super) fn status_text(&self) -> String {
        self.status.map_or_else(|| "no answer".to_owned(), |status| status.as_str().to_owned())
    }

    pub(super) fn json(&self) -> Value {
        let batches: Vec<_> = self.batches.iter().map(ReceivedBatch::json).collect();
        json!({
            "at": self.at.to_string(),
            "method": self.method,
            "path": self.path,
            "user_agent": self.user_agent,
            "status": self.status.map(|status| status.as_u16()),
            "message": self.message,
            "batches": batches,
        })
    }
}

impl ReceivedBatch {
    fn new(raw: &str) -> Self {
        let violations = match serde_json::from_str::<Batch>(raw) {
            // Why it cannot be read is in the answer to the request.
            Err(_) => Vec::new(),
            Ok(batch) => batch.validate().iter().map(Problem::from).collect(),
        };
        let json = serde_json::from_str(raw).unwrap_or_default();
        Self { json, violations, unprocessed: None, is_duplicate: false }
    }

    fn id(&self) -> Option<&str> {
        self.json.get("source_request_id")?.as_str()
    }

    /// Returns an identifier of the user: the mpid, or the first identity.
    pub(super) fn user(&self) -> String {
        if let Some(mpid) = self.json.get("mpid").filter(|mpid| !mpid.is_null()) {
            return format!("mpid {mpid}");
        }
        let identities = self.json.get("user_identities").and_then(Value::as_object);
        match identities.and_then(|identities| identities.iter().next()) {
            Some((name, Value::String(value))) => format!("{name} {value}"),
            Some((name, value)) => format!("{name} {value}"),
            None => "no user".to_owned(),
        }
    }

    /// Returns the type of each event, and its name if it has one.
    pub(super) fn events(&self) -> Vec<String> {
        let events = self.json.get("events").and_then(Value::as_array);
        let text = |event: &Value| {
            let kind = event.get("event_type").and_then(Value::as_str).unwrap_or("unknown event");
            let data = event.get("data");
            let name =
                ["event_name", "screen_name"].iter().find_map(|field| data?.get(field)?.as_str());
            name.map_or_else(|| kind.to_owned(), |name| format!("{kind} {name:?}"))
        };
        events.into_iter().flatten().map(text).collect()
    }

    pub(super) fn events_text(&self) -> String {
        let events = self.events();
        if events.is_empty() { "no events".to_owned() } else { events.join(", ") }
    }

    fn json(&self) -> Value {
        let violations: Vec<_> = self.violations.iter().map(violation_fields).collect();
        json!({
            "batch": self.json,
            "violations": violations,
            "unprocessed": self.unprocessed,
            "duplicate": self.is_duplicate,
        })
    }
}

fn violation_fields(problem: &Problem) -> Map<String, Value> {
    let fields = [
        ("severity", problem.level()),
        ("rule", problem.rule),
        ("pointer", &problem.pointer),
        ("message", &problem.message),
    ];
    fields.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect()
}

/// Returns the batches of a body: the elements of a list, or the body itself.
fn batches(body: &Bytes) -> Vec<&str> {
    match serde_json::from_slice::<Vec<&RawValue>>(body) {
        Ok(elements) => elements.into_iter().map(RawValue::get).collect(),
        Err(_) => {
            serde_json::from_slice::<&RawValue>(body).map(RawValue::get).into_iter().collect()
        }
    }
}

/// Returns the message of an error response of the emulator.
pub(super) fn error_message(body: &[u8]) -> Option<String> {
    let json: Value = serde_json::from_slice(body).ok()?;
    json.pointer("/errors/0/message")?.as_str().map(str::to_owned)
}
