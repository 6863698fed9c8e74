//! From lines to batches.

use super::line::{EventOfUser, Line, origin, stable_id};
use mparticle_client::models::{Batch, Event};
use std::io::{self, BufRead, Read};

/// No line is longer; 128 kB are a batch that mParticle takes.
const LONGEST_LINE: u64 = 16 * 1024 * 1024;

/// A batch of single events takes no more of them, so that a user with many does not fill the memory.
const MOST_EVENTS: usize = 100;

/// What lines make up.
pub(crate) enum Entry {
    Batch(Box<Batch>),
    Malformed { number: u64, text: Vec<u8>, reason: String },
}

/// Lines of one user that make up a batch.
struct Group {
    user: Batch,
    events: Vec<Event>,
    /// The number of the first line and the text of all.
    origin: Vec<u8>,
}

/// Reads entries one after the other.
pub(crate) struct Entries<R> {
    input: R,
    number: u64,
    bytes_read: u64,
    group: Option<Group>,
    /// What stands after a group that has just ended.
    next: Option<Entry>,
}

impl<R: BufRead> Entries<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, number: 0, bytes_read: 0, group: None, next: None }
    }

    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The next entry, if there is one.
    pub(crate) fn next(&mut self) -> io::Result<Option<Entry>> {
        if let Some(entry) = self.next.take() {
            return Ok(Some(entry));
        }
        while let Some(text) = self.line()? {
            if text.trim_ascii().is_empty() {
                continue;
            }
            let entry = match Line::read(self.number, &text) {
                Ok(Line::Batch(batch)) => Entry::Batch(batch),
                Ok(Line::Event(line)) => match self.group_with(*line, &text) {
                    Some(complete) => return Ok(Some(complete)),
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

    /// The next line without its end.
    fn line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut text = Vec::new();
        let length = (&mut self.input).take(LONGEST_LINE).read_until(b'\n', &mut text)? as u64;
        if length == 0 {
            return Ok(None);
        }
        self.number += 1;
        self.bytes_read += length;
        match text.last() {
            Some(b'\n') => text.truncate(text.len() - 1),
            _ if length == LONGEST_LINE => {
                let message = format!("line {} has more than {LONGEST_LINE} bytes", self.number);
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            _ => {}
        }
        Ok(Some(text))
    }

    /// Adds a line to the group of its user; the group before it, if that has ended.
    fn group_with(&mut self, line: EventOfUser, text: &[u8]) -> Option<Entry> {
        if let Some(group) = &mut self.group {
            if group.user == line.user && group.events.len() < MOST_EVENTS {
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
