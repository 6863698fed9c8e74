//! The recovery of batches from a spool.

use super::accumulator::Item;
use super::completion::{Completion, Storage};
use super::counts::Counted;
use super::pending_batch::{Content, PendingBatch};
use super::record::{self, Record};
use super::sealed_batch::SealedBatch;
use super::shared::Shared;
use super::store::{Accepted, BatchStore, Done, Durability};
use crate::encoding::sections::{Sections, join};
use crate::spool::{Opened, Seal, Spool, StoredBatch};
use crate::{Error, ErrorKind};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// A report on the content of a spool when a queue was built (feature `spool`).
///
/// The guide has [a table of measures after damage](crate::guide::sending_from_a_service#damage).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// The number of batches that an earlier queue accepted and did not deliver. They are sent first.
    pub recovered: u64,
    /// The number of records that could not be read because the files are damaged. Each record was a batch, a note that
    /// batches were joined, or a note that batches were delivered.
    pub unreadable: u64,
    /// The number of recovered batches that may have been sent before as part of a joined batch, because the note about
    /// it may be damaged. mParticle counts the events of such a batch twice if they were sent before.
    pub uncertain: u64,
    /// A description of the damage in English. It contains positions in the log, but no content of batches.
    pub damage: Option<String>,
}

impl Recovery {
    /// Returns whether the spool was not damaged.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.damage.is_none() && self.unreadable == 0 && self.uncertain == 0
    }
}

/// A spool and its content.
#[derive(Default)]
pub(super) struct OpenedStore {
    pub(super) store: Option<Arc<dyn BatchStore>>,
    pub(super) recovered: Recovered,
    pub(super) recovery: Recovery,
}

/// Opens a spool on its own thread, because reading it can take long.
pub(super) async fn open(folder: PathBuf, shared: &Arc<Shared>) -> Result<OpenedStore, Error> {
    let (reply, opened) = oneshot::channel();
    let shared = Arc::clone(shared);
    // An error means that the caller no longer waits.
    let run = move || _ = reply.send(open_blocking(&folder, &shared));
    thread::Builder::new().name("mparticle-recovery".to_owned()).spawn(run).map_err(|error| {
        let message = format!("no thread could be started to open the spool: {error}");
        Error::new(ErrorKind::Config, message).with_source(error)
    })?;
    opened.await.unwrap_or_else(|_| {
        Err(Error::new(ErrorKind::Storage, "the spool could not be opened: a thread panicked"))
    })
}

fn open_blocking(folder: &Path, shared: &Arc<Shared>) -> Result<OpenedStore, Error> {
    let Opened { spool, batches, seals, damage } = Spool::open(folder)?;
    let mut recovery = Recovery {
        recovered: 0,
        unreadable: damage.unreadable,
        uncertain: 0,
        damage: damage.description,
    };
    let recovered = recover(batches, seals, &mut recovery, shared);
    if !recovery.is_clean() {
        let Recovery { recovered, unreadable, uncertain, .. } = recovery;
        let damage = recovery.damage.as_deref().unwrap_or("a record has an unknown format");
        let folder = folder.display();
        tracing::error!(
            recovered,
            unreadable,
            uncertain,
            "the spool in {folder} was damaged: {damage}"
        );
    }
    spool.damage_was_reported();
    Ok(OpenedStore { store: Some(Arc::new(spool)), recovered, recovery })
}

impl BatchStore for Spool {
    fn accept(&self, record: Vec<u8>, durability: Durability, done: Accepted) {
        let done = move |number, result: Result<(), Error>| done(result.map(|()| number));
        Spool::accept(self, record, durability, done);
    }

    fn seal(&self, id: String, members: Vec<u64>, document: &[u8], done: Done) -> u64 {
        Spool::seal(self, id, members, crc32fast::hash(document), done)
    }

    fn delete(&self, numbers: Vec<u64>) {
        Spool::delete(self, numbers, None);
    }

    fn check(&self) -> Result<(), Error> {
        Spool::check(self)
    }

    fn close(&self, done: Done) {
        Spool::close(self, done);
    }
}

/// The batches that a queue recovered.
#[derive(Default)]
pub(super) struct Recovered {
    /// In the order of acceptance.
    pub(super) items: Vec<Item>,
    /// The numbers of seals whose joined batch cannot be restored.
    pub(super) useless_seals: Vec<u64>,
}

/// Converts the content of the spool into items, and counts the batches.
fn recover(
    batches: Vec<StoredBatch>,
    seals: Vec<Seal>,
    recovery: &mut Recovery,
    shared: &Arc<Shared>,
) -> Recovered {
    let mut recovered = Recovered::default();
    let (mut joined, mut members) = (BTreeMap::new(), BTreeSet::new());
    let mut separated = BTreeSet::new();
    for seal in seals {
        if let Some(batch) = join_again(&seal, &batches, shared) {
            recovery.recovered += seal.members.len() as u64;
            joined.extend(seal.members.first().map(|first| (*first, batch)));
            members.extend(seal.members);
        } else {
            // The members may have been sent as one batch, and have to be sent separately now.
            separated.extend(seal.members);
            recovered.useless_seals.push(seal.number);
        }
    }
    recovered.items.reserve_exact(batches.len() - members.len() + joined.len());
    for StoredBatch { number, record, is_uncertain } in batches {
        if let Some(batch) = joined.remove(&number) {
            recovered.items.push(Item::recovered(batch.bytes(), move || Some(batch)));
        }
        if members.contains(&number) {
            continue;
        }
        match stored_item(number, record, shared) {
            Some(item) => {
                recovery.recovered += 1;
                recovery.uncertain += u64::from(is_uncertain || separated.contains(&number));
                recovered.items.push(item);
            }
            None => recovery.unreadable += 1,
        }
    }
    recovered
}

/// Joins batches that an earlier queue sent as one. Returns `None` if the result is not the document that was sent.
fn join_again(seal: &Seal, batches: &[StoredBatch], shared: &Arc<Shared>) -> Option<SealedBatch> {
    let record = |number: &u64| {
        let index = batches.binary_search_by_key(number, |batch| batch.number).ok()?;
        record::decode(&batches.get(index)?.record)
    };
    let records = seal.members.iter().map(record).collect::<Option<Vec<_>>>()?;
    let sections = records.iter().map(Record::sections).collect::<Option<Vec<_>>>()?;
    let lists = sections.iter().map(Sections::events);
    let (document, _) = join(&seal.id, sections.first()?.rest(), lists).ok()?;
    if crc32fast::hash(&document.bytes) != seal.document_crc {
        return None;
    }
    let batches =
        seal.members.iter().zip(&records).zip(sections).map(|((number, record), sections)| {
            let content = Content::Joinable(sections);
            let bytes = content.memory();
            count(record, bytes, shared);
            pending_batch(*number, record, content, bytes, shared)
        });
    let mut batch = SealedBatch::join(batches.collect(), seal.id.clone()).ok()?;
    batch.set_seal(seal.number);
    Some(batch)
}

/// Creates an item that contains only the record until it is sent.
fn stored_item(number: u64, record: Box<[u8]>, shared: &Arc<Shared>) -> Option<Item> {
    let bytes = record.len();
    count(&record::decode(&record)?, bytes, shared);
    let shared = Arc::clone(shared);
    Some(Item::recovered(bytes, move || {
        let record = Bytes::from(record);
        let decoded = record::decode(&record)?;
        let content = decoded.content(&record);
        let batch = pending_batch(number, &decoded, content, record.len(), &shared);
        Some(SealedBatch::of_one(batch))
    }))
}

/// Counts a batch as recovered.
fn count(record: &Record<'_>, bytes: usize, shared: &Shared) {
    shared.count_recovered(record.accepted, bytes);
    shared.capacity.exceed(bytes);
}

fn pending_batch(
    number: u64,
    record: &Record<'_>,
    content: Content,
    bytes: usize,
    shared: &Arc<Shared>,
) -> PendingBatch {
    let id = record.source_request_id.to_owned();
    let permit = shared.capacity.permit(bytes);
    let mut completion = Completion::new(Arc::clone(shared), id, permit, None);
    completion.set_storage(Storage::Disk);
    completion.set_counted(Counted::recovered(record.accepted));
    PendingBatch {
        completion,
        content,
        users: record.users().to_vec(),
        accepted: record.accepted,
        queued: Instant::now(),
        number: Some(number),
    }
}
