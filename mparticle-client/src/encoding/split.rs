//! Splits a batch that is too large into parts, each with some of the events.
//!
//! Each part repeats all fields except the events, and has its own id, such as `<id>/1of3`. The parts depend only on the
//! batch. A batch that is split again after a restart therefore has the same parts.

use super::document::serialization_error;
use super::{BatchJson, Encoder, MAX_BATCH_BYTES};
use crate::models::{Batch, Event};
use crate::{Error, ErrorKind};
use std::mem;
use std::ops::Range;

/// A part of a batch.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) encoded: BatchJson,
    /// The indices of its events in the batch.
    pub(crate) events: Range<usize>,
}

/// The JSON around the events of a part, without the commas between them.
const EMPTY_EVENTS: &str = r#","events":[]"#;

impl Encoder {
    /// Splits a batch that is too large. [`encode_for`](Self::encode_for) must have accepted the batch before.
    ///
    /// The batch is changed during the call and has its original content afterwards.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::TooLarge`]: an event, or the batch without its events, is too large for a part
    /// - [`ErrorKind::Invalid`]: the batch cannot be serialized
    pub(crate) fn split(&self, id: &str, batch: &mut Batch) -> Result<Vec<Part>, Error> {
        let own_id = batch.source_request_id.replace(id.to_owned());
        let events = mem::take(&mut batch.events);
        let ranges = self.event_ranges(id, batch, &events);
        let parts = self.encode_parts(id, batch, events, ranges);
        batch.source_request_id = own_id;
        parts
    }

    /// Returns the indices of the events of each part.
    fn event_ranges(
        &self,
        id: &str,
        rest: &Batch,
        events: &[Event],
    ) -> Result<Vec<Range<usize>>, Error> {
        let fixed = self.document(id, rest)?.len() + EMPTY_EVENTS.len();
        if events.is_empty() {
            return Err(batch_too_large(fixed));
        }
        let mut json = Vec::new();
        let mut size = |event| {
            json.clear();
            serde_json::to_writer(&mut json, event).map_err(serialization_error)?;
            Ok(json.len())
        };
        let sizes: Result<Vec<usize>, Error> = events.iter().map(&mut size).collect();
        group_events(&sizes?, fixed)
    }

    /// Encodes each part as a batch of its own. A part that is handed back to the caller and uploaded again therefore has
    /// the same bytes.
    fn encode_parts(
        &self,
        id: &str,
        batch: &mut Batch,
        events: Vec<Event>,
        ranges: Result<Vec<Range<usize>>, Error>,
    ) -> Result<Vec<Part>, Error> {
        let mut remaining = events.into_iter();
        let mut encoded_events = Vec::with_capacity(remaining.len());
        let parts = ranges.and_then(|ranges| {
            let count = ranges.len();
            let encode = |(index, events): (usize, Range<usize>)| {
                let source_request_id = format!("{id}/{}of{count}", index + 1);
                batch.source_request_id = Some(source_request_id.clone());
                batch.events.extend(remaining.by_ref().take(events.len()));
                let bytes = self.document(&source_request_id, batch);
                encoded_events.append(&mut batch.events);
                let encoded = BatchJson { source_request_id, bytes: bytes?.into() };
                Ok(Part { encoded, events })
            };
            ranges.into_iter().enumerate().map(encode).collect()
        });
        encoded_events.extend(remaining);
        batch.events = encoded_events;
        parts
    }
}

/// Groups events by their sizes. `fixed` is the size of a part without its events and the suffix of its id.
fn group_events(sizes: &[usize], fixed: usize) -> Result<Vec<Range<usize>>, Error> {
    // The suffix of each id contains the number of parts. More digits leave less space for events, which can increase
    // the number of parts.
    let mut digits = 1;
    loop {
        let groups = group_events_with_digits(digits, sizes, fixed)?;
        if decimal_digits(groups.len()) <= digits {
            return Ok(groups);
        }
        digits += 1;
    }
}

/// Groups events under the assumption that the number of parts has that many decimal digits.
fn group_events_with_digits(
    digits: usize,
    sizes: &[usize],
    fixed: usize,
) -> Result<Vec<Range<usize>>, Error> {
    let space_in = |part: usize| {
        let overhead = fixed + "/of".len() + decimal_digits(part) + digits;
        let space = MAX_BATCH_BYTES.checked_sub(overhead).filter(|space| *space > 0);
        space.ok_or_else(|| batch_too_large(overhead))
    };
    let mut groups = Vec::new();
    let mut start = 0;
    let mut space = space_in(1)?;
    let mut used = 0;
    for (index, size) in sizes.iter().enumerate() {
        let comma = usize::from(index > start);
        if index > start && used + comma + size > space {
            groups.push(start..index);
            (start, used, space) = (index, *size, space_in(groups.len() + 1)?);
        } else {
            used += comma + size;
        }
        if *size > space {
            return Err(event_too_large(index, *size, space));
        }
    }
    groups.push(start..sizes.len());
    Ok(groups)
}

fn decimal_digits(number: usize) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}

fn batch_too_large(size: usize) -> Error {
    let message = format!(
        "the batch has {size} bytes without its events, and at most {MAX_BATCH_BYTES} are allowed with them"
    );
    Error::new(ErrorKind::TooLarge, message)
}

fn event_too_large(index: usize, size: usize, space: usize) -> Error {
    let message = format!(
        "the event has {size} bytes, and the other fields of the batch leave space for {space}"
    );
    Error::new(ErrorKind::TooLarge, message).with_pointer(format!("/events/{index}"))
}

/// Returns parts of a batch as batches. Each part is given by its id and the indices of its events, in order.
pub(crate) fn parts_of(
    mut batch: Batch,
    parts: impl IntoIterator<Item = (String, Range<usize>)>,
) -> Vec<Batch> {
    let mut events = mem::take(&mut batch.events).into_iter().enumerate().peekable();
    let part = |(id, range): (String, Range<usize>)| {
        while events.next_if(|(index, _)| *index < range.start).is_some() {}
        let mut part = batch.clone().with_source_request_id(id);
        while let Some((_, event)) = events.next_if(|(index, _)| *index < range.end) {
            part.events.push(event);
        }
        part
    };
    parts.into_iter().map(part).collect()
}
