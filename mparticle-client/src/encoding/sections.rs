//! Encodes a batch in sections, in which the events are separate from the other fields.
//!
//! Batches of one user that differ only in their events can be joined by copying bytes, and a joined batch can be
//! separated into the original batches again.

use super::document::{batch_serialization_error, serialization_error};
use super::{BatchJson, Encoder};
use crate::Error;
use crate::models::Batch;
use std::mem;
use std::ops::Range;
use std::time::SystemTime;

const BEFORE_ID: &[u8] = br#"{"source_request_id":"#;
const BEFORE_EVENTS: &[u8] = br#","events":["#;

/// The JSON of a batch, `{"source_request_id":<id><rest>,"events":[<events>]}`, and the positions of its sections.
#[derive(Debug)]
pub(crate) struct Sections {
    pub(crate) bytes: Vec<u8>,
    rest: Range<usize>,
    events: Range<usize>,
}

impl Sections {
    /// Describes a document that was encoded earlier.
    #[cfg(feature = "spool")]
    pub(crate) fn new(bytes: Vec<u8>, rest: Range<usize>, events: Range<usize>) -> Self {
        Self { bytes, rest, events }
    }

    /// Returns all fields except the id and the events.
    pub(crate) fn rest(&self) -> &[u8] {
        self.bytes.get(self.rest.clone()).unwrap_or_default()
    }

    /// Returns the events, separated by commas.
    pub(crate) fn events(&self) -> &[u8] {
        self.bytes.get(self.events.clone()).unwrap_or_default()
    }

    /// Returns the position of [`rest`](Self::rest).
    pub(crate) fn rest_range(&self) -> Range<usize> {
        self.rest.clone()
    }

    /// Returns the position of [`events`](Self::events).
    pub(crate) fn events_range(&self) -> Range<usize> {
        self.events.clone()
    }
}

impl Encoder {
    /// Encodes a batch of any size for the bulk endpoint. The given `source_request_id` replaces that of the batch.
    ///
    /// The batch is changed during the call and has its original content afterwards.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Invalid`](crate::ErrorKind::Invalid): the batch cannot be serialized, or violates a rule with
    ///   [`Validation::Strict`](crate::Validation::Strict)
    pub(crate) fn sections(
        &self,
        id: &str,
        batch: &mut Batch,
        now: SystemTime,
    ) -> Result<Sections, Error> {
        self.check(id, batch, now)?;
        let own_id = batch.source_request_id.take();
        let events = mem::take(&mut batch.events);
        let rest = self.document(id, batch);
        batch.source_request_id = own_id;
        batch.events = events;
        let mut bytes = rest?;
        bytes.pop(); // the closing brace
        let rest = BEFORE_ID.len() + json_length(id)..bytes.len();
        let mut events = bytes.len()..bytes.len();
        if !batch.events.is_empty() {
            bytes.extend_from_slice(BEFORE_EVENTS);
            events.start = bytes.len();
            for (index, event) in batch.events.iter().enumerate() {
                if index > 0 {
                    bytes.push(b',');
                }
                serde_json::to_writer(&mut bytes, event)
                    .map_err(|error| batch_serialization_error(batch, error))?;
            }
            events.end = bytes.len();
            bytes.push(b']');
        }
        bytes.push(b'}');
        Ok(Sections { bytes, rest, events })
    }
}

/// Joins lists of events that have all other fields in common into one batch. Also returns the position of each list.
pub(crate) fn join<'a>(
    id: &str,
    rest: &[u8],
    lists: impl Iterator<Item = &'a [u8]>,
) -> Result<(Sections, Vec<Range<usize>>), Error> {
    let mut bytes = BEFORE_ID.to_vec();
    serde_json::to_writer(&mut bytes, id).map_err(serialization_error)?;
    let start = bytes.len();
    bytes.extend_from_slice(rest);
    let rest = start..bytes.len();
    bytes.extend_from_slice(BEFORE_EVENTS);
    let start = bytes.len();
    let mut ranges = Vec::new();
    for list in lists {
        // A list may be empty, because a batch can consist of attributes only.
        if bytes.len() > start && !list.is_empty() {
            bytes.push(b',');
        }
        ranges.push(bytes.len()..bytes.len() + list.len());
        bytes.extend_from_slice(list);
    }
    let mut events = start..bytes.len();
    if events.is_empty() {
        bytes.truncate(rest.end);
        events = rest.end..rest.end;
        ranges.fill(events.clone());
    } else {
        bytes.push(b']');
    }
    bytes.push(b'}');
    Ok((Sections { bytes, rest, events }, ranges))
}

/// Extracts one of the batches that [`join`] has joined, with the same bytes as before.
pub(crate) fn extract(
    id: &str,
    joined: &[u8],
    rest: Range<usize>,
    events: Range<usize>,
) -> Result<BatchJson, Error> {
    let rest = joined.get(rest).unwrap_or_default();
    let events = joined.get(events).unwrap_or_default();
    let (sections, _) = join(id, rest, std::iter::once(events))?;
    Ok(BatchJson { source_request_id: id.to_owned(), bytes: sections.bytes.into() })
}

/// Returns the length of a string in the JSON that `serde_json` writes, including the quotes.
fn json_length(text: &str) -> usize {
    let escapes = text.bytes().map(|byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..=0x1f => 6,
        _ => 1,
    });
    2 + escapes.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::{extract, join, json_length};
    use crate::encoding::Encoder;
    use crate::models::{Batch, DataPlanContext, Environment};
    use crate::{Endpoint, Validation};
    use serde_json::Value;
    use std::time::SystemTime;

    const EVENT: &str =
        r#"{"event_type":"custom_event","data":{"event_name":"a","custom_event_type":"other"}}"#;

    fn encoder() -> Encoder {
        Encoder {
            environment: Some(Environment::Production),
            data_plan: Some(DataPlanContext::new("plan")),
            validation: Validation::Off,
            ..Encoder::default()
        }
    }

    fn batches() -> Vec<Batch> {
        let one = format!(r#"{{"mpid":1,"ip":"::1","events":[{EVENT}]}}"#);
        let two = format!(r#"{{"source_request_id":"own","events":[{EVENT},{EVENT}]}}"#);
        ["{}", r#"{"mpid":1}"#, &one, &two].map(|json| Batch::from_str(json).unwrap()).into()
    }

    #[test]
    fn the_sections_have_the_same_content_as_the_encoded_batch() {
        for mut batch in batches() {
            for id in ["id", "a \"quoted\" \\ \u{1} \n Ü"] {
                let before = batch.clone();
                let now = SystemTime::now();
                let sections = encoder().sections(id, &mut batch, now).unwrap();
                assert_eq!(batch, before);
                let whole =
                    encoder().encode_for(Endpoint::BulkEvents, id.to_owned(), &batch, now).unwrap();
                let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
                assert_eq!(read(&sections.bytes), read(&whole.bytes));
                let (joined, _) =
                    join(id, sections.rest(), std::iter::once(sections.events())).unwrap();
                assert_eq!(joined.bytes, sections.bytes, "{id}");
                assert_eq!(json_length(id), serde_json::to_string(id).unwrap().len());
            }
        }
    }

    #[test]
    fn batches_that_were_joined_are_extracted_with_the_same_bytes() {
        let mut with_events =
            Batch::from_str(&format!(r#"{{"mpid":1,"events":[{EVENT},{EVENT}]}}"#)).unwrap();
        let mut without = Batch::from_str(r#"{"mpid":1}"#).unwrap();
        let now = SystemTime::now();
        let members = [
            encoder().sections("1", &mut with_events, now).unwrap(),
            encoder().sections("2", &mut without, now).unwrap(),
            encoder().sections("3", &mut with_events, now).unwrap(),
        ];
        let rest = members[0].rest();
        assert_eq!(rest, members[1].rest());
        let lists = members.iter().map(super::Sections::events);
        let (joined, ranges) = join("joined", rest, lists).unwrap();
        let batch = Batch::from_slice(&joined.bytes).unwrap();
        assert_eq!(batch.events.len(), 4);
        assert_eq!(batch.mpid, Some(1));
        for ((member, range), id) in members.iter().zip(ranges).zip(["1", "2", "3"]) {
            let again = extract(id, &joined.bytes, joined.rest_range(), range).unwrap();
            assert_eq!(again.bytes, member.bytes);
            assert_eq!(again.source_request_id, id);
        }
        let (empty, ranges) = join("joined", rest, [&b""[..], b""].into_iter()).unwrap();
        let again = extract("2", &empty.bytes, empty.rest_range(), ranges[1].clone()).unwrap();
        assert_eq!(again.bytes, members[1].bytes);
    }
}
