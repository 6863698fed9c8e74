//! The counts of a queue.
//!
//! At all times, `accepted + recovered` is the number of batches with an outcome and of pending batches.

use super::completion::{Completion, Storage};
use super::{Outcome, Stats};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

#[derive(Default)]
pub(super) struct Counts {
    pub(super) stats: Stats,
    /// The pending batches that are only in memory.
    volatile: Volatile,
    /// Increased by each flush.
    flush_epoch: u64,
    /// The number of pending batches in each count.
    pending: BTreeMap<Counted, u64>,
}

/// The count to which a batch belongs: the flush epoch and the second of its acceptance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Counted {
    epoch: u64,
    second: u64,
}

#[derive(Default)]
struct Volatile {
    batches: u64,
    bytes: u64,
}

impl Counts {
    /// Returns the counts with the age of the oldest batch.
    pub(super) fn stats_at(&self, now: SystemTime) -> Stats {
        let oldest = self.pending.first_key_value();
        let age = oldest.map(|(oldest, _)| unix_seconds(now).saturating_sub(oldest.second));
        Stats { oldest_age: age.map(Duration::from_secs), ..self.stats }
    }

    pub(super) fn accept(&mut self, completion: &mut Completion, accepted: SystemTime) {
        self.stats.accepted += 1;
        let bytes = completion.bytes();
        if completion.storage() == Storage::Memory {
            self.volatile.add(bytes);
        }
        let counted = Counted { epoch: self.flush_epoch, second: unix_seconds(accepted) };
        self.enter(counted, bytes);
        completion.set_counted(counted);
    }

    #[cfg(feature = "spool")]
    pub(super) fn recover(&mut self, accepted: SystemTime, bytes: usize) {
        self.stats.recovered += 1;
        self.enter(Counted::recovered(accepted), bytes);
    }

    /// Counts a batch that could not be written as only in memory.
    pub(super) fn not_stored(&mut self, bytes: usize) {
        self.volatile.add(bytes);
    }

    /// Counts an outcome.
    pub(super) fn settle(&mut self, outcome: &Outcome, bytes: usize, storage: Storage) {
        self.stats.settled(outcome, bytes);
        if storage == Storage::Memory {
            self.volatile.remove(bytes);
        }
    }

    /// Removes a batch from the pending ones.
    pub(super) fn forget(&mut self, counted: Counted) {
        if let Some(count) = self.pending.get_mut(&counted) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.pending.remove(&counted);
            }
        }
    }

    /// Counts the batches that are only in memory as dropped.
    pub(super) fn drop_volatile(&mut self) {
        let Volatile { batches, bytes } = std::mem::take(&mut self.volatile);
        self.stats.dropped += batches;
        self.stats.pending = self.stats.pending.saturating_sub(batches);
        self.stats.pending_bytes = self.stats.pending_bytes.saturating_sub(bytes);
    }

    /// Begins a flush, and returns its epoch.
    pub(super) fn begin_flush(&mut self) -> u64 {
        let epoch = self.flush_epoch;
        self.flush_epoch += 1;
        epoch
    }

    /// Returns the number of pending batches that were accepted before a flush.
    pub(super) fn pending_before(&self, epoch: u64) -> u64 {
        let last = Counted { epoch, second: u64::MAX };
        self.pending.range(..=last).map(|(_, count)| count).sum()
    }

    fn enter(&mut self, counted: Counted, bytes: usize) {
        self.stats.entered(bytes);
        *self.pending.entry(counted).or_default() += 1;
    }
}

impl Counted {
    /// Returns the count of a batch that was recovered before the first flush.
    #[cfg(feature = "spool")]
    pub(super) fn recovered(accepted: SystemTime) -> Self {
        Self { epoch: 0, second: unix_seconds(accepted) }
    }
}

impl Volatile {
    fn add(&mut self, bytes: usize) {
        self.batches += 1;
        self.bytes += bytes as u64;
    }

    fn remove(&mut self, bytes: usize) {
        self.batches = self.batches.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(bytes as u64);
    }
}

fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
