//! The batches that wait for company: those of one user are joined, all together fill a request.
//!
//! mParticle asks for few, full batches. Two batches become one when they differ in nothing but their events, have no
//! id of their own, and no other batch of the user came between them.

use super::entry::{Arrival, Entry};
use crate::encoding::sections::Sections;
use crate::encoding::users::{UserKey, keys};
use crate::encoding::{MAX_BATCH_BYTES, MAX_BATCHES, MAX_REQUEST_BYTES};
use std::collections::HashMap;
use tokio::time::Instant;

/// Batches that are to be sent as one.
pub(super) struct Group {
    pub(super) entries: Vec<Entry>,
    pub(super) users: Vec<UserKey>,
    bytes: usize,
}

impl Group {
    /// A batch alone.
    pub(super) fn of(entry: Entry, users: Vec<UserKey>) -> Self {
        let bytes = entry.content.bytes();
        Self { entries: vec![entry], users, bytes }
    }
}

/// The groups of the request that is being filled.
#[derive(Default)]
pub(super) struct Filling {
    groups: Vec<Group>,
    bytes: usize,
    /// The last group that a user is in.
    latest: HashMap<UserKey, usize>,
    since: Option<Instant>,
}

impl Filling {
    /// How many batches it has after joining, and how many bytes.
    pub(super) fn size(&self) -> (usize, usize) {
        (self.groups.len(), self.bytes)
    }

    /// When the first of the batches came.
    pub(super) fn since(&self) -> Option<Instant> {
        self.since
    }

    /// Adds a batch. What is returned is full: it came before the batch, or holds it.
    pub(super) fn push(&mut self, Arrival { mut entry, batch }: Arrival) -> Vec<Vec<Group>> {
        let users = keys(&batch);
        // It may wait for long, and needs no more than its bytes.
        drop(batch);
        entry.content.shrink();
        let bytes = entry.content.bytes();
        if let Some(index) = self.group_for(&entry, &users) {
            self.join(index, entry);
            return Vec::new();
        }
        let mut full = Vec::new();
        if self.bytes + 1 + bytes > MAX_REQUEST_BYTES {
            full.extend(self.take());
        }
        self.since.get_or_insert(entry.at);
        for user in &users {
            self.latest.insert(*user, self.groups.len());
        }
        self.bytes += bytes + 1;
        self.groups.push(Group::of(entry, users));
        if self.groups.len() >= MAX_BATCHES || self.bytes >= MAX_REQUEST_BYTES {
            full.extend(self.take());
        }
        full
    }

    /// All groups, as they are.
    pub(super) fn take(&mut self) -> Option<Vec<Group>> {
        self.bytes = 0;
        self.latest.clear();
        self.since = None;
        let groups = std::mem::take(&mut self.groups);
        (!groups.is_empty()).then_some(groups)
    }

    /// The group that a batch may join.
    fn group_for(&self, entry: &Entry, users: &[UserKey]) -> Option<usize> {
        let sections = entry.content.sections()?;
        let index = *self.latest.get(users.first()?)?;
        let is_latest = users.iter().all(|user| self.latest.get(user) == Some(&index));
        let group = self.groups.get(index).filter(|_| is_latest)?;
        let first = group.entries.first()?.content.sections()?;
        let added = added_by(sections);
        let fits =
            group.bytes + added <= MAX_BATCH_BYTES && self.bytes + added <= MAX_REQUEST_BYTES;
        (fits && first.rest() == sections.rest()).then_some(index)
    }

    fn join(&mut self, index: usize, entry: Entry) {
        let added = entry.content.sections().map(added_by).unwrap_or_default();
        if let Some(group) = self.groups.get_mut(index) {
            group.bytes += added;
            self.bytes += added;
            group.entries.push(entry);
        }
    }
}

/// How many bytes a batch adds at most when it joins another: its events, and what stands around them if the other has
/// none.
fn added_by(sections: &Sections) -> usize {
    sections.events().len() + r#","events":[]"#.len()
}
