//! Collects batches until there are enough for a request, and joins batches of one user.
//!
//! mParticle recommends few, large requests. Two batches are joined if they differ only in their events, the caller has
//! set no id for either, and no other batch of the user was accepted between them.

use super::pending_batch::PendingBatch;
use super::sealed_batch::SealedBatch;
use crate::encoding::sections::Sections;
use crate::encoding::users::UserKey;
use crate::encoding::{MAX_BATCH_BYTES, MAX_BATCHES, MAX_REQUEST_BYTES};
use crate::timing::after;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// Batches in the order of acceptance.
#[derive(Default)]
pub(super) struct Accumulator {
    items: VecDeque<Item>,
    /// The size of the JSON of all items.
    bytes: usize,
    /// The number of items that were taken. It is also the number of the first item.
    taken: usize,
    /// The number of the last item of each user.
    latest: HashMap<UserKey, usize>,
}

pub(super) enum Item {
    /// Batches of one user that will be sent as one batch, or a single batch.
    Pending { batches: Vec<PendingBatch>, bytes: usize },
    /// A batch of an earlier process, which may have been sent. To save memory, it is restored only when it is sent.
    #[cfg_attr(not(feature = "spool"), allow(dead_code, reason = "only a spool recovers any"))]
    Recovered { restore: Box<dyn FnOnce() -> Option<SealedBatch> + Send>, bytes: usize },
}

impl Accumulator {
    /// Returns the number of items, after joining.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Returns the size of the JSON of all items in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether the items fill a request.
    pub(super) fn is_full(&self) -> bool {
        self.items.len() >= MAX_BATCHES || self.bytes + self.items.len() >= MAX_REQUEST_BYTES
    }

    /// Returns when the oldest batch has waited long enough for others. A recovered batch does not wait.
    pub(super) fn flush_at(&self, now: Instant, interval: Duration) -> Option<Instant> {
        match self.items.front()? {
            Item::Pending { batches, .. } => {
                // The clock of the caller can be ahead if a test has paused the clock of the worker.
                let oldest = batches.first().map(|batch| batch.queued.min(now))?;
                Some(after(oldest, interval))
            }
            Item::Recovered { .. } => Some(now),
        }
    }

    pub(super) fn push(&mut self, mut batch: PendingBatch) {
        batch.compact();
        let bytes = batch.content.len();
        if let Some((joined, size, added)) = self.item_to_join(&batch) {
            *size += added;
            joined.push(batch);
            self.bytes += added;
            return;
        }
        for user in &batch.users {
            self.latest.insert(*user, self.taken + self.items.len());
        }
        self.bytes += bytes;
        self.items.push_back(Item::Pending { batches: vec![batch], bytes });
    }

    /// Adds the batches of an earlier process, before all others.
    #[cfg(feature = "spool")]
    pub(super) fn recover(&mut self, items: Vec<Item>) {
        self.bytes = items.iter().map(Item::bytes).sum();
        self.items = items.into();
    }

    /// Takes the items of the next request.
    pub(super) fn take_request(&mut self) -> Vec<Item> {
        let mut request = Vec::new();
        let mut bytes = 1;
        while let Some(item) = self.items.front() {
            bytes += item.bytes() + 1;
            let is_full = request.len() == MAX_BATCHES || bytes > MAX_REQUEST_BYTES;
            if is_full && !request.is_empty() {
                break;
            }
            request.extend(self.take());
        }
        request
    }

    /// Takes all items.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Item> {
        self.bytes = 0;
        self.latest.clear();
        std::mem::take(&mut self.items).into_iter()
    }

    fn take(&mut self) -> Option<Item> {
        let item = self.items.pop_front()?;
        self.bytes -= item.bytes();
        if let Item::Pending { batches, .. } = &item {
            for user in batches.iter().flat_map(|batch| &batch.users) {
                if self.latest.get(user) == Some(&self.taken) {
                    self.latest.remove(user);
                }
            }
        }
        self.taken += 1;
        Some(item)
    }

    /// Returns the item that a batch may join, and the number of bytes by which the item grows.
    fn item_to_join(
        &mut self,
        batch: &PendingBatch,
    ) -> Option<(&mut Vec<PendingBatch>, &mut usize, usize)> {
        let sections = batch.content.sections()?;
        let number = *self.latest.get(batch.users.first()?)?;
        let is_latest = batch.users.iter().all(|user| self.latest.get(user) == Some(&number));
        let item = self.items.get_mut(number.checked_sub(self.taken)?).filter(|_| is_latest)?;
        let Item::Pending { batches, bytes } = item else { return None };
        let first = batches.first()?.content.sections()?;
        let added = added_bytes(sections);
        let may_join = *bytes + added <= MAX_BATCH_BYTES && first.rest() == sections.rest();
        may_join.then_some((batches, bytes, added))
    }
}

impl Item {
    #[cfg(feature = "spool")]
    pub(super) fn recovered(
        bytes: usize,
        restore: impl FnOnce() -> Option<SealedBatch> + Send + 'static,
    ) -> Self {
        Self::Recovered { restore: Box::new(restore), bytes }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Pending { bytes, .. } | Self::Recovered { bytes, .. } => *bytes,
        }
    }
}

/// Returns the maximum number of bytes by which a batch grows if another one joins it: the size of the events of the
/// other one, and of the list around them.
fn added_bytes(sections: &Sections) -> usize {
    sections.events().len() + r#","events":[]"#.len()
}
