//! A batch that is too large, divided by events.
//!
//! Every part repeats all but the events and has an id of its own, `<id>/1of3`. The division depends on the batch
//! alone, so a batch that is divided again after a restart has the same parts.

use super::document::unwritable;
use super::requests::too_large;
use super::{EncodedBatch, Encoder, MAX_BATCH_BYTES};
use crate::models::{Batch, Event};
use crate::{Error, ErrorKind};
use std::mem;
use std::ops::Range;

/// One part of a batch.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) encoded: EncodedBatch,
    /// Which of the batch's events it holds.
    pub(crate) events: Range<usize>,
}

const BETWEEN: &str = r#","events":["#;
const END: &str = "]}";

impl Encoder {
    /// Divides a batch that [`encode_as`](Self::encode_as) has found sound and that is too large. It is changed while
    /// this runs, and back as it was afterwards.
    pub(crate) fn split(&self, id: &str, batch: &mut Batch) -> Result<Vec<Part>, Error> {
        let events = mem::take(&mut batch.events);
        let parts = self.split_events(id, batch, &events);
        batch.events = events;
        parts
    }

    fn split_events(
        &self,
        id: &str,
        rest: &mut Batch,
        events: &[Event],
    ) -> Result<Vec<Part>, Error> {
        let head = self.head(id, rest)?;
        let (json, places) = encode_events(events)?;
        let fixed = head.len() + BETWEEN.len() + END.len();
        let sizes: Vec<usize> = places.iter().map(Range::len).collect();
        if events.is_empty() {
            return Err(no_room(fixed));
        }
        let groups = groups(&sizes, fixed)?;
        let count = groups.len();
        let encode = |(index, events): (usize, Range<usize>)| {
            let suffix = format!("/{}of{count}", index + 1);
            let first = places.get(events.start)?.start;
            let last = places.get(events.end.checked_sub(1)?)?.end;
            let bytes = [
                head.before_suffix.as_slice(),
                suffix.as_bytes(),
                head.after_suffix.as_slice(),
                BETWEEN.as_bytes(),
                json.get(first..last)?,
                END.as_bytes(),
            ]
            .concat();
            let source_request_id = format!("{id}{suffix}");
            let encoded = EncodedBatch { source_request_id, bytes: bytes.into() };
            Some(Part { encoded, events })
        };
        let parts: Option<Vec<Part>> = groups.into_iter().enumerate().map(encode).collect();
        parts.ok_or_else(|| no_room(fixed))
    }

    /// All of a batch but its events.
    fn head(&self, id: &str, rest: &mut Batch) -> Result<Head, Error> {
        let own_id = rest.source_request_id.take();
        let document = self.document(id, rest);
        rest.source_request_id = own_id;
        let document = document?;
        // The id comes first, since the batch was written without one.
        let start = br#"{"source_request_id":"#.len();
        let quoted = serde_json::to_vec(id).map_err(unwritable)?;
        let quote = (start + quoted.len()).saturating_sub(1);
        let brace = document.len().saturating_sub(1);
        match (document.get(..quote), document.get(quote..brace)) {
            (Some(before), Some(after)) => {
                Ok(Head { before_suffix: before.to_vec(), after_suffix: after.to_vec() })
            }
            _ => Err(too_large(document.len())),
        }
    }
}

/// What every part begins with: the id's suffix belongs in the middle.
struct Head {
    before_suffix: Vec<u8>,
    after_suffix: Vec<u8>,
}

impl Head {
    fn len(&self) -> usize {
        self.before_suffix.len() + self.after_suffix.len()
    }
}

/// The JSON of each event, with commas between, and where each stands.
fn encode_events(events: &[Event]) -> Result<(Vec<u8>, Vec<Range<usize>>), Error> {
    let mut json = Vec::new();
    let mut places = Vec::with_capacity(events.len());
    for event in events {
        if !json.is_empty() {
            json.push(b',');
        }
        let start = json.len();
        serde_json::to_writer(&mut json, event).map_err(unwritable)?;
        places.push(start..json.len());
    }
    Ok((json, places))
}

/// Which events go together, by their sizes; `fixed` is what every part takes beside its events and its suffix.
fn groups(sizes: &[usize], fixed: usize) -> Result<Vec<Range<usize>>, Error> {
    // Every suffix names the number of parts, which may come to more when its digits take more room.
    let mut digits = 1;
    loop {
        let groups = groups_if(digits, sizes, fixed)?;
        if decimal_digits(groups.len()) <= digits {
            return Ok(groups);
        }
        digits += 1;
    }
}

/// The groups if the number of parts has so many digits.
fn groups_if(digits: usize, sizes: &[usize], fixed: usize) -> Result<Vec<Range<usize>>, Error> {
    let room_in = |part: usize| {
        let taken = fixed + "/of".len() + decimal_digits(part) + digits;
        MAX_BATCH_BYTES.checked_sub(taken).filter(|room| *room > 0).ok_or_else(|| no_room(taken))
    };
    let mut groups = Vec::new();
    let mut start = 0;
    let mut room = room_in(1)?;
    let mut used = 0;
    for (index, size) in sizes.iter().enumerate() {
        let comma = usize::from(index > start);
        if index > start && used + comma + size > room {
            groups.push(start..index);
            (start, used, room) = (index, *size, room_in(groups.len() + 1)?);
        } else {
            used += comma + size;
        }
        if *size > room {
            return Err(event_too_large(index, *size, room));
        }
    }
    groups.push(start..sizes.len());
    Ok(groups)
}

fn decimal_digits(number: usize) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

fn no_room(size: usize) -> Error {
    let message = format!(
        "the batch has {size} bytes without its events, and {MAX_BATCH_BYTES} are allowed with them"
    );
    Error::new(ErrorKind::TooLarge, message)
}

fn event_too_large(index: usize, size: usize, room: usize) -> Error {
    let message = format!(
        "the event has {size} bytes, and beside the rest of the batch there is room for {room}"
    );
    Error::new(ErrorKind::TooLarge, message).with_pointer(format!("/events/{index}"))
}

/// Some parts of a batch as batches, by their ids and events, which are in order.
pub(crate) fn parts_of(
    mut batch: Batch,
    parts: impl IntoIterator<Item = (String, Range<usize>)>,
) -> Vec<Batch> {
    let mut events = mem::take(&mut batch.events).into_iter().enumerate().peekable();
    let part = |(id, place): (String, Range<usize>)| {
        while events.next_if(|(index, _)| *index < place.start).is_some() {}
        let mut part = batch.clone().with_source_request_id(id);
        while let Some((_, event)) = events.next_if(|(index, _)| *index < place.end) {
            part.events.push(event);
        }
        part
    };
    parts.into_iter().map(part).collect()
}
