//! What a queue finds in its spool.

use super::accumulator::Item;
use super::completion::Completion;
use super::pending_batch::{Content, PendingBatch};
use super::record::{self, Record};
use super::sealed_batch::SealedBatch;
use super::shared::Shared;
use super::store::BatchStore;
use crate::encoding::sections::{Sections, join};
use crate::spool::{Opened, Seal, Spool, StoredBatch};
use crate::{Error, ErrorKind};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// What a queue found in its spool when it was built (feature `spool`).
///
/// The guide has [a table of what to do](crate::guide::sending_from_a_service#damage).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recovery {
    /// The batches that an earlier queue had accepted and not delivered. They are sent first.
    pub recovered: u64,
    /// The records that could not be read because the files are damaged. Each was a batch, a note that batches were sent
    /// as one, or a note that batches were delivered.
    pub unreadable: u64,
    /// Of the recovered batches, those near damage. They may have been sent before, as part of another batch. mParticle
    /// then counts their events twice.
    pub uncertain: u64,
    /// A description of the damage, for people. It names files, but no content of batches.
    pub damage: Option<String>,
}

impl Recovery {
    /// Whether nothing was damaged.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.damage.is_none() && self.unreadable == 0 && self.uncertain == 0
    }
}

/// A spool and what was in it.
#[derive(Default)]
pub(super) struct OpenedStore {
    pub(super) store: Option<Arc<dyn BatchStore>>,
    pub(super) recovered: Recovered,
    pub(super) recovery: Recovery,
}

/// Opens a spool on a thread of its own, because that can take a while.
pub(super) async fn open(folder: PathBuf, shared: &Arc<Shared>) -> Result<OpenedStore, Error> {
    let (reply, opened) = oneshot::channel();
    let shared = Arc::clone(shared);
    // An error means that the caller waits no longer.
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

/// The batches that a queue recovered.
#[derive(Default)]
pub(super) struct Recovered {
    /// In the order of acceptance.
    pub(super) items: BTreeMap<u64, Item>,
    /// Seals that are of no use, because one of their members is missing.
    pub(super) useless_seals: Vec<u64>,
}

/// Makes batches of what was found in the spool, and counts them.
pub(super) fn recover(
    batches: Vec<StoredBatch>,
    seals: Vec<Seal>,
    recovery: &mut Recovery,
    shared: &Arc<Shared>,
) -> Recovered {
    let mut recovered = Recovered::default();
    let mut found: BTreeMap<u64, (Record, bool)> = BTreeMap::new();
    for StoredBatch { number, record, is_uncertain } in batches {
        match record::decode(record) {
            Some(record) => _ = found.insert(number, (record, is_uncertain)),
            None => recovery.unreadable += 1,
        }
    }
    for seal in seals {
        match join_again(&seal, &found, shared) {
            Some(batch) => {
                recovery.recovered += batch.numbers().count() as u64 - 1;
                seal.members.iter().for_each(|number| _ = found.remove(number));
                let first = seal.members.first().copied().unwrap_or_default();
                recovered.items.insert(first, Item::Sealed(batch));
            }
            None => {
                // The members may have been sent as one. They can only be sent alone now.
                for number in &seal.members {
                    found.entry(*number).and_modify(|(_, is_uncertain)| *is_uncertain = true);
                }
                recovered.useless_seals.push(seal.number);
            }
        }
    }
    for (number, (record, is_uncertain)) in found {
        recovery.recovered += 1;
        recovery.uncertain += u64::from(is_uncertain);
        let content = record.content();
        let bytes = content.len();
        let batches = vec![pending_batch(number, &record, content, shared)];
        recovered.items.insert(number, Item::Pending { batches, bytes });
    }
    recovered
}

/// Joins batches that an earlier queue sent as one. Returns `None` if the result is not what was sent.
fn join_again(
    seal: &Seal,
    found: &BTreeMap<u64, (Record, bool)>,
    shared: &Arc<Shared>,
) -> Option<SealedBatch> {
    let records = seal.members.iter().map(|number| Some((*number, &found.get(number)?.0)));
    let records = records.collect::<Option<Vec<_>>>()?;
    let sections = records.iter().map(|(_, record)| record.sections());
    let sections = sections.collect::<Option<Vec<_>>>()?;
    let (document, _) =
        join(&seal.id, sections.first()?.rest(), sections.iter().map(Sections::events)).ok()?;
    if !seal.is_of(&document.bytes) {
        return None;
    }
    let batches = records.into_iter().zip(sections).map(|((number, record), sections)| {
        pending_batch(number, record, Content::Joinable(sections), shared)
    });
    let mut batch = SealedBatch::join(batches.collect(), seal.id.clone()).ok()?;
    batch.set_seal(seal.number);
    Some(batch)
}

fn pending_batch(
    number: u64,
    record: &Record,
    content: Content,
    shared: &Arc<Shared>,
) -> PendingBatch {
    let permit = shared.capacity.exceed(content.memory());
    let id = record.source_request_id.clone();
    let mut completion = Completion::new(Arc::clone(shared), id, permit, None);
    shared.count_recovered(&mut completion, record.accepted);
    PendingBatch {
        completion,
        content,
        users: record.users.clone(),
        accepted: record.accepted,
        queued: Instant::now(),
        number: Some(number),
    }
}
