//! The record of a batch in the spool. The documentation of `spool/mod.rs` describes the format.

use super::pending_batch::{Content, PendingBatch};
use crate::encoding::BatchJson;
use crate::encoding::users::UserKey;
use std::time::UNIX_EPOCH;
#[cfg(feature = "spool")]
use {
    crate::encoding::sections::Sections,
    bytes::{Buf, Bytes},
    std::ops::Range,
    std::time::{Duration, SystemTime},
};

pub(super) fn encode(batch: &PendingBatch) -> Vec<u8> {
    let PendingBatch { completion, content, users, accepted, .. } = batch;
    let accepted = accepted.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let id = completion.source_request_id();
    let mut record = Vec::with_capacity(content.len() + 2 * id.len() + 8 * users.len() + 64);
    record.extend_from_slice(&u64::try_from(accepted).unwrap_or(u64::MAX).to_le_bytes());
    put_text(&mut record, id);
    put_users(&mut record, users);
    match content {
        Content::Joinable(sections) => {
            let (rest, events) = (sections.rest_range(), sections.events_range());
            put_ranges(&mut record, [rest.start, rest.end, events.start, events.end]);
            put_documents(&mut record, [(id, &sections.bytes[..])]);
        }
        Content::Whole(document) => {
            put_ranges(&mut record, [0; 4]);
            put_documents(&mut record, [named(document)]);
        }
        Content::Split(parts) => {
            put_ranges(&mut record, [0; 4]);
            put_documents(&mut record, parts.iter().map(named));
        }
    }
    record
}

fn named(document: &BatchJson) -> (&str, &[u8]) {
    (&document.source_request_id, &document.bytes)
}

/// Truncates an id of more than 65,535 bytes. mParticle does not accept such an id.
fn put_text(record: &mut Vec<u8>, text: &str) {
    let mut end = text.len().min(usize::from(u16::MAX));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or_default();
    record.extend_from_slice(&u16::try_from(text.len()).unwrap_or(u16::MAX).to_le_bytes());
    record.extend_from_slice(text.as_bytes());
}

fn put_users(record: &mut Vec<u8>, users: &[UserKey]) {
    let users = users.get(..users.len().min(usize::from(u16::MAX))).unwrap_or_default();
    record.extend_from_slice(&u16::try_from(users.len()).unwrap_or(u16::MAX).to_le_bytes());
    record.extend(users.iter().flat_map(|user| user.to_le_bytes()));
}

fn put_ranges(record: &mut Vec<u8>, bounds: [usize; 4]) {
    for bound in bounds {
        put_length(record, bound);
    }
}

fn put_length(record: &mut Vec<u8>, length: usize) {
    record.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
}

fn put_documents<'a>(
    record: &mut Vec<u8>,
    documents: impl IntoIterator<Item = (&'a str, &'a [u8])> + Clone,
) {
    let count = documents.clone().into_iter().count();
    record.extend_from_slice(&u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes());
    for (id, bytes) in documents.clone() {
        put_text(record, id);
        put_length(record, bytes.len());
    }
    documents.into_iter().for_each(|(_, bytes)| record.extend_from_slice(bytes));
}

/// A decoded record.
#[cfg(feature = "spool")]
pub(super) struct Record<'a> {
    bytes: &'a [u8],
    pub(super) source_request_id: &'a str,
    pub(super) accepted: SystemTime,
    users: Vec<UserKey>,
    /// The id and the position of each document.
    documents: Vec<(&'a str, Range<usize>)>,
    sections: [usize; 4],
}

/// Reads a record. Returns `None` if it has another format.
#[cfg(feature = "spool")]
pub(super) fn decode(bytes: &[u8]) -> Option<Record<'_>> {
    let mut rest = bytes;
    let accepted = Duration::from_millis(rest.try_get_u64_le().ok()?);
    let accepted = UNIX_EPOCH.checked_add(accepted)?;
    let source_request_id = get_text(&mut rest)?;
    let users = rest.try_get_u16_le().ok()?;
    let users = (0..users).map(|_| rest.try_get_u64_le().ok()).collect::<Option<Vec<_>>>()?;
    let mut sections = [0; 4];
    for bound in &mut sections {
        *bound = get_length(&mut rest)?;
    }
    let count = rest.try_get_u16_le().ok()?;
    let names = (0..count).map(|_| Some((get_text(&mut rest)?, get_length(&mut rest)?)));
    let names = names.collect::<Option<Vec<_>>>()?;
    let mut start = bytes.len() - rest.len();
    let mut documents = Vec::with_capacity(names.len());
    for (id, length) in names {
        let end = start.checked_add(length)?;
        documents.push((id, start..end));
        start = end;
    }
    let is_complete = start == bytes.len() && !documents.is_empty();
    is_complete.then_some(Record { bytes, source_request_id, accepted, users, documents, sections })
}

#[cfg(feature = "spool")]
impl Record<'_> {
    /// Returns the content of the batch. The batch is not joined with others, because it may have been sent. `record`
    /// is the encoded record.
    pub(super) fn content(&self, record: &Bytes) -> Content {
        let document = |(id, range): &(&str, Range<usize>)| BatchJson {
            source_request_id: (*id).to_owned(),
            bytes: record.slice(range.clone()),
        };
        match self.documents.as_slice() {
            [one] if one.0 == self.source_request_id => Content::Whole(document(one)),
            parts => Content::Split(parts.iter().map(document).collect()),
        }
    }

    /// Returns the sections of the batch if it could be joined.
    pub(super) fn sections(&self) -> Option<Sections> {
        let [rest, rest_end, events, events_end] = self.sections;
        let (_, document) = self.documents.first().filter(|_| rest_end > 0)?;
        let document = self.bytes.get(document.clone())?.to_vec();
        Some(Sections::new(document, rest..rest_end, events..events_end))
    }

    pub(super) fn users(&self) -> &[UserKey] {
        &self.users
    }
}

#[cfg(feature = "spool")]
fn get_text<'a>(record: &mut &'a [u8]) -> Option<&'a str> {
    let length = usize::from(record.try_get_u16_le().ok()?);
    let (text, rest) = record.split_at_checked(length)?;
    *record = rest;
    std::str::from_utf8(text).ok()
}

#[cfg(feature = "spool")]
fn get_length(record: &mut &[u8]) -> Option<usize> {
    usize::try_from(record.try_get_u32_le().ok()?).ok()
}
