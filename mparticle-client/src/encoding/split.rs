//! A batch that is too large, divided by events.
//!
//! Every part repeats all but the events and has an id of its own, `<id>/1of3`. The division depends on the batch
//! alone, so a batch that is divided again after a restart has the same parts.

use super::document::unwritable;
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

/// What the list of events takes beside the events and the commas between them.
const LIST: &str = r#","events":[]"#;

impl Encoder {
    /// Divides a batch that [`encode_for`](Self::encode_for) has found sound and that is too large. It is changed while
    /// this runs, and back as it was afterwards.
    pub(crate) fn split(&self, id: &str, batch: &mut Batch) -> Result<Vec<Part>, Error> {
        let own_id = batch.source_request_id.replace(id.to_owned());
        let events = mem::take(&mut batch.events);
        let groups = self.group(id, batch, &events);
        let parts = self.encode_groups(id, batch, events, groups);
        batch.source_request_id = own_id;
        parts
    }

    /// Which events go together.
    fn group(&self, id: &str, rest: &Batch, events: &[Event]) -> Result<Vec<Range<usize>>, Error> {
        let fixed = self.document(id, rest)?.len() + LIST.len();
        if events.is_empty() {
            return Err(no_room(fixed));
        }
        let mut json = Vec::new();
        let mut size = |event| {
            json.clear();
            serde_json::to_writer(&mut json, event).map_err(unwritable)?;
            Ok(json.len())
        };
        let sizes: Result<Vec<usize>, Error> = events.iter().map(&mut size).collect();
        groups(&sizes?, fixed)
    }

    /// Encodes the parts as the batches that they are, so that one that is given back is written the same way again.
    fn encode_groups(
        &self,
        id: &str,
        batch: &mut Batch,
        events: Vec<Event>,
        groups: Result<Vec<Range<usize>>, Error>,
    ) -> Result<Vec<Part>, Error> {
        let mut waiting = events.into_iter();
        let mut done = Vec::with_capacity(waiting.len());
        let encoded = groups.and_then(|groups| {
            let count = groups.len();
            let encode = |(index, events): (usize, Range<usize>)| {
                let source_request_id = format!("{id}/{}of{count}", index + 1);
                batch.source_request_id = Some(source_request_id.clone());
                batch.events.extend(waiting.by_ref().take(events.len()));
                let bytes = self.document(&source_request_id, batch);
                done.append(&mut batch.events);
                let encoded = EncodedBatch { source_request_id, bytes: bytes?.into() };
                Ok(Part { encoded, events })
            };
            groups.into_iter().enumerate().map(encode).collect()
        });
        done.extend(waiting);
        batch.events = done;
        encoded
    }
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
