//! Reads the lines of the file and converts them into batches.

use super::line::{EventOfUser, Line, origin, stable_id};
use mparticle_client::models::{Batch, Event};
use std::io::{self, BufRead, Read};

/// The maximum length of a line. mParticle accepts batches of up to 128 kB.
const MAX_LINE_BYTES: u64 = 16 * 1024 * 1024;

/// The maximum number of events that are grouped into a batch, which limits memory use.
const MAX_EVENTS: usize = 100;

/// The content of one or more lines.
pub(crate) enum Entry {
    Batch(Box<Batch>),
    Malformed { number: u64, text: Vec<u8>, reason: String },
}

/// Consecutive events of one user, which become a batch.
struct Group {
    user: Batch,
    events: Vec<Event>,
    /// The number of the first line and the text of all lines.
    origin: Vec<u8>,
}

/// Reads entries one by one.
pub(crate) struct Entries<R> {
    input: R,
    number: u64,
    bytes_read: u64,
    group: Option<Group>,
    /// The entry after a group that was returned.
    next: Option<Entry>,
}

impl<R: BufRead> Entries<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, number: 0, bytes_read: 0, group: None, next: None }
    }

    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// Returns the next entry, or `None` at the end of the file.
    pub(crate) fn next(&mut self) -> io::Result<Option<Entry>> {
        if let Some(entry) = self.next.take() {
            return Ok(Some(entry));
        }
        while let Some(text) = self.line()? {
            if text.trim_ascii().is_empty() {
                continue;
            }
            let entry = match Line::parse(self.number, &text) {
                Ok(Line::Batch(batch)) => Entry::Batch(batch),
                Ok(Line::Event(line)) => match self.group_with(*line, &text) {
                    Some(previous) => return Ok(Some(previous)),
                    None => continue,
                },
                Err(reason) => Entry::Malformed { number: self.number, text, reason },
            };
            let group = self.group.take().map(Group::into_entry);
            return Ok(Some(match group {
                Some(group) => {
                    self.next = Some(entry);
                    group
                }
                None => entry,
            }));
        }
        Ok(self.group.take().map(Group::into_entry))
    }

    /// Returns the next line without its line break, or `None` at the end of the file.
    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut text = Vec::new();
        let length = (&mut self.input).take(MAX_LINE_BYTES).read_until(b'\n', &mut text)? as u64;
        if length == 0 {
            return Ok(None);
        }
        self.number += 1;
        self.bytes_read += length;
        match text.last() {
            Some(b'\n') => text.truncate(text.len() - 1),
            _ if length == MAX_LINE_BYTES => {
                let message = format!("line {} has more than {MAX_LINE_BYTES} bytes", self.number);
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            _ => {}
        }
        Ok(Some(text))
    }

    /// Adds an event to the current group if it is about the same user. Otherwise starts a new group and returns the
    /// previous one.
    fn group_with(&mut self, line: EventOfUser, text: &[u8]) -> Option<Entry> {
        if let Some(group) = &mut self.group {
            if group.user == line.user && group.events.len() < MAX_EVENTS {
                group.events.push(line.event);
                group.origin.extend_from_slice(text);
                return None;
            }
        }
        let EventOfUser { user, event } = line;
        let new = Group { user, events: vec![event], origin: origin(self.number, text) };
        self.group.replace(new).map(Group::into_entry)
    }
}

impl Group {
    fn into_entry(self) -> Entry {
        let id = stable_id(&self.origin);
        Entry::Batch(Box::new(self.user.with_source_request_id(id).with_events(self.events)))
    }
}
