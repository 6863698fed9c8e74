//! A batch encoded so that its events can be told from the rest.
//!
//! Two batches of one user that differ in nothing but events can then become one by copying bytes, and one that was
//! made of several can be taken apart again.

use super::document::{unwritable, unwritable_batch};
use super::{EncodedBatch, Encoder};
use crate::Error;
use crate::models::Batch;
use std::mem;
use std::ops::Range;
use std::time::SystemTime;

const BEFORE_ID: &[u8] = br#"{"source_request_id":"#;
const BEFORE_EVENTS: &[u8] = br#","events":["#;

/// The JSON of a batch, `{"source_request_id":<id><rest>,"events":[<events>]}`, and where its sections are.
#[derive(Debug)]
pub(crate) struct Sections {
    pub(crate) bytes: Vec<u8>,
    rest: Range<usize>,
    events: Range<usize>,
}

impl Sections {
    /// Everything but the id and the events.
    pub(crate) fn rest(&self) -> &[u8] {
        self.bytes.get(self.rest.clone()).unwrap_or_default()
    }

    /// The events with the commas between them.
    pub(crate) fn events(&self) -> &[u8] {
        self.bytes.get(self.events.clone()).unwrap_or_default()
    }

    /// Where everything but the id and the events stands.
    pub(crate) fn rest_range(&self) -> Range<usize> {
        self.rest.clone()
    }
}

impl Encoder {
    /// Encodes a batch of any size for the bulk endpoint, under a `source_request_id` whatever the batch says.
    ///
    /// The batch is changed while this runs, and back as it was afterwards.
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
        bytes.pop(); // the last brace
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
                    .map_err(|error| unwritable_batch(batch, error))?;
            }
            events.end = bytes.len();
            bytes.push(b']');
        }
        bytes.push(b'}');
        Ok(Sections { bytes, rest, events })
    }
}

/// One batch of several lists of events and what they have in common; also where each list stands in it.
pub(crate) fn join<'a>(
    id: &str,
    rest: &[u8],
    lists: impl Iterator<Item = &'a [u8]>,
) -> Result<(Sections, Vec<Range<usize>>), Error> {
    let mut bytes = BEFORE_ID.to_vec();
    serde_json::to_writer(&mut bytes, id).map_err(unwritable)?;
    let start = bytes.len();
    bytes.extend_from_slice(rest);
    let rest = start..bytes.len();
    bytes.extend_from_slice(BEFORE_EVENTS);
    let start = bytes.len();
    let mut places = Vec::new();
    for list in lists {
        // A list may be empty: a batch can have nothing but attributes.
        if bytes.len() > start && !list.is_empty() {
            bytes.push(b',');
        }
        places.push(bytes.len()..bytes.len() + list.len());
        bytes.extend_from_slice(list);
    }
    let mut events = start..bytes.len();
    if events.is_empty() {
        bytes.truncate(rest.end);
        events = rest.end..rest.end;
        places.fill(events.clone());
    } else {
        bytes.push(b']');
    }
    bytes.push(b'}');
    Ok((Sections { bytes, rest, events }, places))
}

/// What [`join`] has joined as batches of their own again, byte for byte as they were before.
pub(crate) fn part(
    id: &str,
    joined: &[u8],
    rest: Range<usize>,
    events: Range<usize>,
) -> Result<EncodedBatch, Error> {
    let rest = joined.get(rest).unwrap_or_default();
    let events = joined.get(events).unwrap_or_default();
    let (sections, _) = join(id, rest, std::iter::once(events))?;
    Ok(EncodedBatch { source_request_id: id.to_owned(), bytes: sections.bytes.into() })
}

/// How many bytes a string takes in JSON as `serde_json` writes it, quotes included.
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
    use super::{join, json_length, part};
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
        }
    }

    fn batches() -> Vec<Batch> {
        let one = format!(r#"{{"mpid":1,"ip":"::1","events":[{EVENT}]}}"#);
        let two = format!(r#"{{"source_request_id":"own","events":[{EVENT},{EVENT}]}}"#);
        ["{}", r#"{"mpid":1}"#, &one, &two].map(|json| Batch::from_str(json).unwrap()).into()
    }

    #[test]
    fn the_sections_are_the_batch_as_the_encoder_writes_it() {
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
    fn what_was_joined_comes_apart_byte_for_byte() {
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
        let (joined, places) = join("joined", rest, lists).unwrap();
        let batch = Batch::from_slice(&joined.bytes).unwrap();
        assert_eq!(batch.events.len(), 4);
        assert_eq!(batch.mpid, Some(1));
        for ((member, place), id) in members.iter().zip(places).zip(["1", "2", "3"]) {
            let again = part(id, &joined.bytes, joined.rest_range(), place).unwrap();
            assert_eq!(again.bytes, member.bytes);
            assert_eq!(again.source_request_id, id);
        }
        let (empty, places) = join("joined", rest, [&b""[..], b""].into_iter()).unwrap();
        let again = part("2", &empty.bytes, empty.rest_range(), places[1].clone()).unwrap();
        assert_eq!(again.bytes, members[1].bytes);
    }
}
