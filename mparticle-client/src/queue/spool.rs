//! The thread that writes to the store, and how the queue and its worker talk to it.
//!
//! All of them put jobs into one line, so what comes first is written first. The thread takes what has come together and
//! writes it in one transaction: while the disk is busy with one, the next grows.

mod keeper;

use super::entry::{Arrival, Content, Entry};
use super::parcel::Parcel;
use super::record;
use super::recovery::Recovery;
use super::room::closed;
use super::shared::Shared;
use super::store::{Store, StoreError};
use crate::encoding::EncodedBatch;
use crate::{Error, ErrorKind};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use keeper::Keeper;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::thread;
use tokio::sync::oneshot;

pub(super) type Written = BoxFuture<'static, Result<(), Error>>;
pub(super) type Closed = BoxFuture<'static, ()>;

/// The spool, as the queue and its worker see it. The thread ends when this is dropped.
pub(super) struct Spool {
    jobs: mpsc::Sender<Job>,
}

/// A spool and what was in it.
#[derive(Default)]
pub(super) struct Opened {
    pub(super) spool: Option<Spool>,
    pub(super) parcels: Vec<Parcel>,
    pub(super) recovery: Recovery,
}

/// What the thread is asked to do.
enum Job {
    /// Write a batch, then give it to the worker.
    Accept(Arriving),
    /// Write records under their numbers, and delete others.
    Replace {
        put: Vec<(u64, Vec<u8>)>,
        delete: Vec<u64>,
        reply: oneshot::Sender<Result<(), Error>>,
    },
    Delete(Vec<u64>),
    Close(oneshot::Sender<()>),
}

/// A batch that is to be written. Whatever happens to it, whoever waits gets an answer.
struct Arriving {
    record: Vec<u8>,
    /// `None` once it was passed on.
    arrival: Option<Arrival>,
    /// Who waits until it is on disk. Without anyone, it was accepted before.
    reply: Option<Reply>,
}

type Reply = oneshot::Sender<Result<(), (Error, Box<Arrival>)>>;

impl Spool {
    /// Opens the spool in a folder, on a thread of its own.
    pub(super) async fn open(folder: PathBuf, shared: Arc<Shared>) -> Result<Opened, Error> {
        let (jobs, line) = mpsc::channel();
        let (reply, opened) = oneshot::channel();
        let run = move || match Store::open(&folder) {
            Ok(super::store::Opened { store, entries, damage }) => {
                let last_found = entries.last().map_or(0, |(number, _)| *number);
                let mut recovery = Recovery::default();
                if let Some(damage) = damage {
                    recovery.unreadable = damage.unreadable;
                    recovery.set_aside = damage.set_aside;
                    recovery.damage = Some(damage.what);
                }
                let parcels = recovered(entries, &shared, &mut recovery);
                let next_record = next_record(last_found, &parcels);
                let mut keeper = Keeper::new(store, Arc::clone(&shared), next_record);
                let is_wanted = reply.send(Ok((parcels, recovery))).is_ok();
                let reply = if is_wanted { keeper.run(&line) } else { None };
                keeper.close();
                // Those who come too late learn it before anyone is told that it is closed.
                drop(line);
                if let Some(reply) = reply {
                    _ = reply.send(());
                }
            }
            Err(error) => {
                // Whoever does not wait any more does not want to know.
                _ = reply.send(Err(storage(error)));
            }
        };
        let failed = |error: std::io::Error| {
            let message = format!("no thread for the spool: {error}");
            Error::new(ErrorKind::Config, message).with_source(error)
        };
        thread::Builder::new().name("mparticle-spool".to_owned()).spawn(run).map_err(failed)?;
        let (parcels, recovery) = opened.await.unwrap_or_else(|_| Err(closed()))?;
        if let Some(damage) = &recovery.damage {
            let unreadable = recovery.unreadable;
            tracing::error!(unreadable, "the spool was damaged: {damage}");
        }
        Ok(Opened { spool: Some(Self { jobs }), parcels, recovery })
    }

    /// Writes a batch and gives it to the worker; gives it back if it cannot be written.
    pub(super) async fn store(&self, arrival: Arrival) -> Result<(), (Error, Box<Arrival>)> {
        let (reply, written) = oneshot::channel();
        self.accept(arrival, Some(reply));
        match written.await {
            Ok(result) => result,
            // Cannot be: a job that is dropped answers first.
            Err(_) => Ok(()),
        }
    }

    /// Accepts a batch now and writes it later.
    pub(super) fn store_later(
        &self,
        mut arrival: Arrival,
        shared: &Shared,
    ) -> Result<(), Box<Arrival>> {
        if !shared.count(&mut arrival) {
            return Err(Box::new(arrival));
        }
        self.accept(arrival, None);
        Ok(())
    }

    fn accept(&self, mut arrival: Arrival, reply: Option<Reply>) {
        let record = record_of(&mut arrival.entry);
        let arriving = Arriving { record, arrival: Some(arrival), reply };
        // What cannot be handed over is dropped, and answers by that.
        _ = self.jobs.send(Job::Accept(arriving));
    }

    /// Writes parcels of several batches in place of the batches alone.
    pub(super) fn seal(&self, parcels: &[&Parcel]) -> Written {
        let mut put = Vec::new();
        let mut delete = Vec::new();
        for parcel in parcels {
            let Some(first) = parcel.first_record() else { continue };
            put.push((first, record::encode(parcel)));
            delete.extend(parcel.records().into_iter().filter(|number| *number != first));
        }
        self.replace(put, delete)
    }

    /// Writes the batches of a parcel alone, in place of the parcel.
    pub(super) fn divide(&self, parcel: &Parcel) -> Written {
        let documents = match parcel.apart() {
            Ok(documents) => documents,
            Err(error) => return std::future::ready(Err(error)).boxed(),
        };
        let members = parcel.members.iter().zip(documents);
        let put = members.filter_map(|(member, document)| {
            let record = record::encode_alone(&member.ticket, parcel.accepted, &[document]);
            Some((member.record?, record))
        });
        // The parcel has the number of its first batch.
        self.replace(put.collect(), Vec::new())
    }

    fn replace(&self, put: Vec<(u64, Vec<u8>)>, delete: Vec<u64>) -> Written {
        let (reply, written) = oneshot::channel();
        _ = self.jobs.send(Job::Replace { put, delete, reply });
        async { written.await.unwrap_or_else(|_| Err(closed())) }.boxed()
    }

    /// Forgets records, soon.
    pub(super) fn delete(&self, records: Vec<u64>) {
        if !records.is_empty() {
            // With the thread gone they stay, and are sent once more under the same id.
            _ = self.jobs.send(Job::Delete(records));
        }
    }

    /// Closes the store once everything before is written.
    pub(super) fn close(&self) -> Closed {
        let (reply, closed) = oneshot::channel();
        _ = self.jobs.send(Job::Close(reply));
        async { closed.await.unwrap_or_default() }.boxed()
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        if let (Some(arrival), Some(reply)) = (self.arrival.take(), self.reply.take()) {
            _ = reply.send(Err((closed(), Box::new(arrival))));
        }
    }
}

/// The record of a batch that was just given, which shares its bytes.
fn record_of(entry: &mut Entry) -> Vec<u8> {
    let Entry { ticket, content, accepted, .. } = entry;
    let document = |bytes: Bytes| EncodedBatch {
        source_request_id: ticket.source_request_id().to_owned(),
        bytes,
    };
    match content {
        Content::Joinable(sections) => {
            // Taken out and put back, so that nothing is copied but once.
            let bytes = Bytes::from(std::mem::take(&mut sections.bytes));
            let documents = [document(bytes)];
            let record = record::encode_alone(ticket, *accepted, &documents);
            let [EncodedBatch { bytes, .. }] = documents;
            sections.bytes = bytes.into();
            record
        }
        Content::Whole(document) => {
            record::encode_alone(ticket, *accepted, std::slice::from_ref(document))
        }
        Content::Parts(parts) => record::encode_alone(ticket, *accepted, parts),
    }
}

/// The parcels of the records that were found.
fn recovered(
    entries: Vec<(u64, Vec<u8>)>,
    shared: &Arc<Shared>,
    recovery: &mut Recovery,
) -> Vec<Parcel> {
    let mut parcels = Vec::new();
    for (number, record) in entries {
        match record::decode(number, record, shared) {
            Some(parcel) => {
                recovery.recovered += u64::try_from(parcel.members.len()).unwrap_or(u64::MAX);
                parcels.push(parcel);
            }
            // It stays where it is, for a version that can read it.
            None => recovery.unreadable += 1,
        }
    }
    parcels
}

/// The first number that no record has and none that is found may still be given: the batches of a joined parcel keep
/// theirs, to be written under if it is taken apart, though no record has them meanwhile.
fn next_record(last_found: u64, parcels: &[Parcel]) -> u64 {
    let last = parcels.iter().flat_map(Parcel::records).fold(last_found, u64::max);
    last.saturating_add(1)
}

fn storage(error: StoreError) -> Error {
    Error::new(ErrorKind::Storage, error.to_string()).with_source(error)
}
