//! A workload for a spool, and a model of its expected content.

#[cfg(unix)]
use super::super::files::Disk;
use super::super::files::Files;
use super::super::recovery::{self, Recovered};
use super::super::{Damage, Done, Durability, Opened, Options, Seal, Spool, StoredBatch};
use super::unnumbered;
use crate::ErrorKind;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

pub(super) const FOLDER: &str = "/spool";
pub(super) const OPTIONS: Options = Options {
    segment_size: 4096,
    poll: Duration::from_millis(5),
    pause: Duration::from_micros(100),
};

/// The jobs and their replies, by tag. The tag is part of the record of a batch, and is the id of a seal.
#[derive(Clone, Default)]
pub(super) struct Model {
    pub(super) records: BTreeMap<u64, Vec<u8>>,
    pub(super) seals: BTreeMap<u64, Vec<u64>>,
    /// Batches and seals that are durable.
    pub(super) acknowledged: BTreeSet<u64>,
    /// Batches and seals that were refused.
    pub(super) refused: BTreeSet<u64>,
    pub(super) deleting: BTreeSet<u64>,
    /// Batches and seals whose delete is durable.
    pub(super) deleted: BTreeSet<u64>,
    pending: usize,
    next_tag: u64,
}

pub(super) type SharedModel = Arc<Mutex<Model>>;

impl Model {
    /// Compares the content of a spool with the replies to the jobs.
    pub(super) fn check(&self, batches: &[StoredBatch], seals: &[Seal]) {
        assert!(batches.is_sorted_by(|a, b| a.number < b.number));
        let mut found = BTreeSet::new();
        for batch in batches {
            let tag = u64::from_le_bytes(batch.record[..8].try_into().unwrap());
            assert_eq!(Some(&batch.record[..]), self.records.get(&tag).map(Vec::as_slice));
            assert!(found.insert(tag), "batch {tag} was found twice");
        }
        for seal in seals {
            let tag = seal.id.parse().unwrap();
            assert_eq!(Some(&seal.members), self.seals.get(&tag));
            assert_eq!(u64::from(seal.document_crc), tag);
            assert!(found.insert(tag), "seal {tag} was found twice");
        }
        let undone: Vec<_> = found.intersection(&self.deleted).collect();
        assert!(undone.is_empty(), "deletes of {undone:?} were undone");
        let missing = self.missing(&found);
        assert!(missing.is_empty(), "{missing:?} are missing");
    }

    /// Returns the model for the next process. Jobs without a reply never receive one.
    pub(super) fn after_restart(mut self) -> Self {
        self.pending = 0;
        self
    }

    /// Returns the tags that should have been found and were not.
    pub(super) fn missing(&self, found: &BTreeSet<u64>) -> Vec<u64> {
        let living = self.acknowledged.difference(&self.deleting);
        living.filter(|tag| !found.contains(tag)).copied().collect()
    }
}

/// Reads the content of a folder, without a thread.
pub(super) fn read<F: Files>(files: F) -> (Vec<StoredBatch>, Vec<Seal>, Damage) {
    read_from(files, Path::new(FOLDER))
}

/// Reads the content of a folder on the real disk.
#[cfg(unix)]
pub(super) fn read_folder(folder: &Path) -> (Vec<StoredBatch>, Vec<Seal>, Damage) {
    read_from(Disk, folder)
}

fn read_from<F: Files>(files: F, folder: &Path) -> (Vec<StoredBatch>, Vec<Seal>, Damage) {
    let Recovered { batches, seals, damage, .. } =
        recovery::open(files, folder, OPTIONS.segment_size).unwrap();
    (batches, seals, damage)
}

/// A spool with a workload.
pub(super) struct Workload {
    pub(super) spool: Spool,
    pub(super) model: SharedModel,
    pub(super) rng: fastrand::Rng,
    /// The tags and numbers of live batches and seals.
    pub(super) living: Vec<(u64, u64)>,
    pub(super) last_number: u64,
}

impl Workload {
    pub(super) fn start<F: Files>(files: F, model: SharedModel, seed: u64) -> Self {
        Self::start_in(files, Path::new(FOLDER), OPTIONS, model, seed)
    }

    /// Opens a spool, checks its content, and continues with it.
    pub(super) fn start_in<F: Files>(
        files: F,
        folder: &Path,
        options: Options,
        model: SharedModel,
        seed: u64,
    ) -> Self {
        let opened = Spool::open_on(files, folder, options).unwrap();
        let Opened { spool, batches, seals, damage } = opened;
        assert_eq!(damage, Damage::default());
        model.lock().unwrap().check(&batches, &seals);
        let batches = batches
            .iter()
            .map(|batch| (u64::from_le_bytes(batch.record[..8].try_into().unwrap()), batch.number));
        let seals = seals.iter().map(|seal| (seal.id.parse().unwrap(), seal.number));
        let living: Vec<_> = batches.chain(seals).collect();
        let last_number = living.iter().map(|(_, number)| *number).max().unwrap_or(0);
        Self { spool, model, rng: fastrand::Rng::with_seed(seed), living, last_number }
    }

    fn tag(&self) -> u64 {
        let mut model = self.model.lock().unwrap();
        model.next_tag += 1;
        model.pending += 1;
        model.next_tag
    }

    fn done(&self, tag: u64) -> Done {
        let model = Arc::clone(&self.model);
        Box::new(move |result| {
            let mut model = model.lock().unwrap();
            model.pending -= 1;
            match result {
                Ok(()) => model.acknowledged.insert(tag),
                Err(error) => {
                    assert!(matches!(error.kind(), ErrorKind::Storage | ErrorKind::Closed));
                    model.refused.insert(tag)
                }
            };
        })
    }

    pub(super) fn accept(&mut self, length: usize, durability: Durability) -> u64 {
        let tag = self.tag();
        let mut record = tag.to_le_bytes().to_vec();
        record.extend(std::iter::repeat_with(|| self.rng.u8(..)).take(length));
        self.model.lock().unwrap().records.insert(tag, record.clone());
        let number = self.spool.accept(record, durability, unnumbered(self.done(tag)));
        self.note(tag, number);
        tag
    }

    pub(super) fn seal(&mut self, members: Vec<u64>) -> u64 {
        let tag = self.tag();
        self.model.lock().unwrap().seals.insert(tag, members.clone());
        let crc = u32::try_from(tag).unwrap();
        let number = self.spool.seal(tag.to_string(), members, crc, self.done(tag));
        self.note(tag, number);
        tag
    }

    fn note(&mut self, tag: u64, number: u64) {
        assert!(number > self.last_number, "numbers ascend");
        self.last_number = number;
        self.living.push((tag, number));
    }

    pub(super) fn delete(&mut self, deleted: Vec<(u64, u64)>) {
        self.living.retain(|living| !deleted.contains(living));
        let (tags, numbers): (Vec<u64>, Vec<u64>) = deleted.into_iter().unzip();
        {
            let mut model = self.model.lock().unwrap();
            model.deleting.extend(&tags);
            model.pending += 1;
        }
        let model = Arc::clone(&self.model);
        let done: Done = Box::new(move |result| {
            let mut model = model.lock().unwrap();
            model.pending -= 1;
            if result.is_ok() {
                model.deleted.extend(tags);
            }
        });
        self.spool.delete(numbers, Some(done));
    }

    /// Does a random step.
    pub(super) fn step(&mut self) {
        match self.rng.u32(..20) {
            0..10 => {
                let length = if self.rng.u32(..40) == 0 { 6000 } else { self.rng.usize(..300) };
                let durability = [Durability::Awaited, Durability::Promised][self.rng.usize(..2)];
                self.accept(length, durability);
            }
            10..12 => {
                let members = self.some_living();
                self.seal(members.into_iter().map(|(_, number)| number).collect());
            }
            12..18 => {
                let deleted = self.some_living();
                self.delete(deleted);
            }
            _ => self.wait(),
        }
    }

    fn some_living(&mut self) -> Vec<(u64, u64)> {
        self.rng.shuffle(&mut self.living);
        let count = self.living.len().min(self.rng.usize(..4));
        self.living[..count].to_vec()
    }

    /// Waits until every job has a reply.
    pub(super) fn wait(&self) {
        let begun = Instant::now();
        while self.model.lock().unwrap().pending > 0 {
            assert!(begun.elapsed() < Duration::from_secs(20), "a job receives no reply");
            thread::sleep(Duration::from_micros(20));
        }
    }

    /// Waits until the spool can be written again.
    pub(super) fn wait_until_healed(&self) {
        let begun = Instant::now();
        while let Err(error) = self.spool.check() {
            assert!(begun.elapsed() < Duration::from_secs(20), "{error}");
            thread::sleep(Duration::from_micros(100));
        }
    }

    pub(super) fn close(self) {
        close(&self.spool);
        assert_eq!(self.model.lock().unwrap().pending, 0);
    }
}

/// Closes a spool, and waits for it.
pub(super) fn close(spool: &Spool) {
    let (sender, receiver) = std::sync::mpsc::channel();
    spool.close(Box::new(move |result| sender.send(result).unwrap()));
    receiver.recv_timeout(Duration::from_secs(20)).unwrap().unwrap();
}
