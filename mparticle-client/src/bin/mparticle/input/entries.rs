//! Makes batches of records: the events of a user that follow each other become one batch.

use super::given_back::{Accepted, GivenBack};
use super::record::{self, Parsed, check_batch};
use super::{Mapping, Namespace, Problem, Record, RecordText, Records};
use crate::upload::Done;
use mparticle_client::models::data_plan::Linter;
use mparticle_client::models::{Batch, Event};
use std::io;
use std::time::SystemTime;

/// The number of events and the size of the text from which on a batch takes no further events. Both bound memory.
const MAX_EVENTS: usize = 100;
const MAX_TEXT_BYTES: usize = 100_000;

/// A place between two records, with a checksum of everything before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Mark {
    /// The number of records before it.
    pub(crate) record: u64,
    pub(crate) checksum: u32,
}

/// One or more records that become one batch.
pub(crate) struct Entry {
    /// The place before the first record.
    pub(crate) before: Mark,
    /// The place after the last record.
    pub(crate) end: Mark,
    /// The line of the first record.
    pub(crate) line: u64,
    /// The size of the text.
    pub(crate) bytes: usize,
    pub(crate) content: Content,
    /// Warnings, and differences from the data plan.
    pub(crate) notes: Vec<Problem>,
}

pub(crate) enum Content {
    Batch(Box<Batch>),
    /// mParticle has everything already.
    Nothing,
    Failed(Problem, RecordText),
}

/// How records become batches.
pub(crate) struct Rules<'a> {
    pub(crate) namespace: Namespace,
    pub(crate) mapping: Option<&'a Mapping>,
    /// What to do with batches that mParticle gave back. `None` leaves them as they are.
    pub(crate) given_back: Option<&'a GivenBack>,
    /// Compares batches with a data plan: as they are sent, or as they were written if `given_back` is `None`.
    pub(crate) linter: Option<&'a Linter>,
    pub(crate) now: SystemTime,
}

/// Reads entries one by one.
pub(crate) struct Entries<'a> {
    records: Box<dyn Records>,
    rules: Rules<'a>,
    done: &'a Done,
    checksum: crc32fast::Hasher,
    mark: Mark,
    group: Option<Group>,
    /// The entry after a group that was returned.
    next: Option<Entry>,
    skipped: u64,
}

/// Consecutive events of one user.
struct Group {
    before: Mark,
    end: Mark,
    line: u64,
    user: Box<Batch>,
    events: Vec<Event>,
    text: Vec<u8>,
}

impl<'a> Entries<'a> {
    pub(crate) fn new(records: Box<dyn Records>, rules: Rules<'a>, done: &'a Done) -> Self {
        let (checksum, mark) = (crc32fast::Hasher::new(), Mark::default());
        Self { records, rules, done, checksum, mark, group: None, next: None, skipped: 0 }
    }

    /// Returns the number of records that earlier runs completed.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Returns the next entry, or `None` at the end of the input.
    pub(crate) fn next(&mut self) -> io::Result<Option<Entry>> {
        if let Some(entry) = self.next.take() {
            return Ok(Some(entry));
        }
        while let Some(record) = self.records.next()? {
            let before = self.mark;
            let text = text_of(&record.text);
            self.advance(&record, &text)?;
            let entry = if self.done.contains(record.number) {
                self.skipped += 1;
                None
            } else if text.trim_ascii().is_empty() {
                continue;
            } else {
                match self.parse(&record) {
                    // mParticle gave it back: what is sent is decided as for a batch.
                    Ok(Parsed::Event(user, event)) if has_id(&event) => {
                        let batch = user.with_events([event]);
                        Some(self.batch(batch, before, &record, &text))
                    }
                    Ok(Parsed::Event(user, event)) => {
                        let group = self.add_event(user, event, before, record.line, &text);
                        match group {
                            Some(group) => return Ok(Some(self.finish(group))),
                            None => continue,
                        }
                    }
                    Ok(Parsed::Batch(batch)) => Some(self.batch(*batch, before, &record, &text)),
                    Err(problem) => {
                        let content = Content::Failed(problem, record.text);
                        Some(self.entry(before, record.line, text.len(), content))
                    }
                }
            };
            let group = self.group.take().map(|group| self.finish(group));
            match (group, entry) {
                (Some(group), entry) => {
                    self.next = entry;
                    return Ok(Some(group));
                }
                (None, Some(entry)) => return Ok(Some(entry)),
                (None, None) => {}
            }
        }
        self.done.check_end(self.mark)?;
        Ok(self.group.take().map(|group| self.finish(group)))
    }

    /// Moves the mark past a record. Checks that the records which are done are those of the checkpoint.
    fn advance(&mut self, record: &Record, text: &[u8]) -> io::Result<()> {
        self.checksum.update(text);
        self.checksum.update(b"\n");
        self.mark = Mark { record: record.number, checksum: self.checksum.clone().finalize() };
        self.done.check(self.mark)
    }

    fn parse(&self, record: &Record) -> Result<Parsed, Problem> {
        let mapping = self.rules.mapping;
        match (&record.text, mapping) {
            (RecordText::Json(text), _) => record::parse(text, mapping),
            (RecordText::Row(row), Some(mapping)) => mapping.parse_row(row),
            (RecordText::Row(_), None) => Err(Problem::new("noMapping", "a row needs a mapping")),
            (RecordText::Refused(problem), _) => Err(problem.clone()),
        }
    }

    fn entry(&self, before: Mark, line: u64, bytes: usize, content: Content) -> Entry {
        Entry { before, end: self.mark, line, bytes, content, notes: Vec::new() }
    }

    /// The entry of a record that is a batch.
    fn batch(&self, batch: Batch, before: Mark, record: &Record, text: &[u8]) -> Entry {
        let id = || self.rules.namespace.id(record.number, text);
        let accepted = match self.rules.given_back {
            Some(given_back) => given_back.apply(batch, self.rules.now),
            None => Ok(Accepted { batch: Some(batch), warnings: Vec::new() }),
        };
        let (content, notes) = match accepted {
            Ok(accepted) => {
                let written = self.rules.given_back.is_none().then_some(&record.text);
                let findings = accepted.batch.iter().flat_map(|batch| self.lint(batch, written));
                let notes = accepted.warnings.into_iter().chain(findings).collect();
                let content = accepted.batch.map_or(Content::Nothing, |mut batch| {
                    let own = batch.source_request_id.take();
                    let own = own.filter(|own| !own.trim().is_empty());
                    batch.source_request_id = Some(own.unwrap_or_else(id));
                    Content::Batch(Box::new(batch))
                });
                (content, notes)
            }
            Err(problem) => {
                // The original is kept, not what was made of it.
                let text = RecordText::Json(text.to_vec());
                (Content::Failed(problem, text), Vec::new())
            }
        };
        Entry { notes, ..self.entry(before, record.line, text.len(), content) }
    }

    /// Adds an event to the group if it is about the same user. Otherwise starts a new group and returns the last one.
    fn add_event(
        &mut self,
        user: Box<Batch>,
        event: Event,
        before: Mark,
        line: u64,
        text: &[u8],
    ) -> Option<Group> {
        let end = self.mark;
        if let Some(group) = &mut self.group {
            let is_full = group.events.len() >= MAX_EVENTS || group.text.len() >= MAX_TEXT_BYTES;
            if group.user == user && !is_full {
                group.events.push(event);
                group.text.extend_from_slice(text);
                group.end = end;
                return None;
            }
        }
        let events = vec![event];
        self.group.replace(Group { before, end, line, user, events, text: text.to_vec() })
    }

    fn finish(&self, group: Group) -> Entry {
        let Group { before, end, line, user, events, text } = group;
        let id = self.rules.namespace.id(before.record + 1, &text);
        let batch = user.with_source_request_id(id).with_events(events);
        let notes = self.lint(&batch, None);
        let content = match check_batch(batch) {
            Ok(Parsed::Batch(batch) | Parsed::Event(batch, _)) => Content::Batch(batch),
            Err(problem) => Content::Failed(problem, RecordText::Json(text.clone())),
        };
        Entry { before, end, line, bytes: text.len(), content, notes }
    }

    /// Compares a batch with the data plan. Reading has corrected spellings, therefore the text takes precedence.
    fn lint(&self, batch: &Batch, written: Option<&RecordText>) -> Vec<Problem> {
        let Some(linter) = self.rules.linter else { return Vec::new() };
        let json = match written {
            Some(RecordText::Json(text)) => record::batch_json(text),
            _ => None,
        };
        let findings = json.and_then(|json| linter.lint_slice(json).ok());
        findings.unwrap_or_else(|| linter.lint(batch)).iter().map(Problem::from).collect()
    }
}

/// Whether mParticle has assigned an id to an event.
fn has_id(event: &Event) -> bool {
    event.common().is_some_and(|common| common.event_id.is_some())
}

/// The text of a record for ids and checksums.
fn text_of(text: &RecordText) -> Vec<u8> {
    match text {
        RecordText::Json(text) => text.clone(),
        RecordText::Row(row) => row.iter().collect::<Vec<_>>().join("\x1f").into_bytes(),
        RecordText::Refused(problem) => problem.message.clone().into_bytes(),
    }
}
