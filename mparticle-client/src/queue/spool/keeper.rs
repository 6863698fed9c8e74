//! What runs on the spool's thread.

use super::super::shared::Shared;
use super::super::store::Store;
use super::{Arriving, Job, storage};
use crate::Error;
use std::mem;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;
use tokio::sync::oneshot;

/// How many bytes are written in one transaction; more would keep those waiting who came first.
const GROUP_BYTES: usize = 4 * 1024 * 1024;

/// How many jobs are done in one transaction.
const GROUP_JOBS: usize = 1024;

/// How long nothing has to come before the thread does its housekeeping.
const IDLE: Duration = Duration::from_millis(200);

/// How long to wait after a deletion failed.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

pub(super) struct Keeper {
    store: Store,
    shared: Arc<Shared>,
    next_record: u64,
    /// What is to be deleted, with the next transaction.
    deletes: Vec<u64>,
    is_tidy: bool,
}

/// Jobs that are done in one transaction.
#[derive(Default)]
struct Group {
    arriving: Vec<(u64, Arriving)>,
    replacing: Vec<Replacing>,
    bytes: usize,
    jobs: usize,
}

/// Records that take the place of others.
struct Replacing {
    put: Vec<(u64, Vec<u8>)>,
    delete: Vec<u64>,
    reply: oneshot::Sender<Result<(), Error>>,
}

/// Why a group takes no more jobs.
enum End {
    Written,
    Closed(Option<oneshot::Sender<()>>),
}

impl Keeper {
    pub(super) fn new(store: Store, shared: Arc<Shared>, next_record: u64) -> Self {
        Self { store, shared, next_record, deletes: Vec::new(), is_tidy: false }
    }

    /// Does jobs until it is told to close, or nobody is left to give it any.
    pub(super) fn run(&mut self, line: &Receiver<Job>) -> Option<oneshot::Sender<()>> {
        loop {
            let first = match self.next(line) {
                Ok(Some(job)) => job,
                Ok(None) => continue,
                Err(Gone) => return None,
            };
            let mut group = Group::default();
            let end = self.gather(first, line, &mut group);
            self.write(group);
            if let End::Closed(reply) = end {
                return reply;
            }
        }
    }

    /// The next job. `None`: there was time for housekeeping.
    fn next(&mut self, line: &Receiver<Job>) -> Result<Option<Job>, Gone> {
        if self.is_tidy && self.deletes.is_empty() {
            return line.recv().map(Some).map_err(|_| Gone);
        }
        // Deletions that are left over have failed before.
        match line.recv_timeout(if self.deletes.is_empty() { IDLE } else { AFTER_FAILURE }) {
            Ok(job) => return Ok(Some(job)),
            Err(RecvTimeoutError::Disconnected) => return Err(Gone),
            Err(RecvTimeoutError::Timeout) => {}
        }
        self.write(Group::default());
        // A failure is no one's concern: it is tried again after the next deletion.
        while self.store.tidy().unwrap_or(false) {
            if let Ok(job) = line.try_recv() {
                return Ok(Some(job));
            }
        }
        self.is_tidy = self.deletes.is_empty();
        Ok(None)
    }

    /// Takes what has come together.
    fn gather(&mut self, first: Job, line: &Receiver<Job>, group: &mut Group) -> End {
        let mut next = Some(first);
        while let Some(job) = next {
            group.jobs += 1;
            match job {
                Job::Accept(arriving) => {
                    let number = self.next_record;
                    self.next_record += 1;
                    group.bytes += arriving.record.len();
                    group.arriving.push((number, arriving));
                }
                Job::Replace { put, delete, reply } => {
                    group.bytes += put.iter().map(|(_, record)| record.len()).sum::<usize>();
                    group.replacing.push(Replacing { put, delete, reply });
                }
                Job::Delete(records) => self.deletes.extend(records),
                Job::Close(reply) => return End::Closed(Some(reply)),
            }
            let is_full = group.bytes >= GROUP_BYTES || group.jobs >= GROUP_JOBS;
            next = if is_full { None } else { line.try_recv().ok() };
        }
        End::Written
    }

    /// Writes a group and tells everyone.
    fn write(&mut self, group: Group) {
        let written = self.commit(&group);
        let Group { arriving, replacing, .. } = group;
        let mut accepted = Vec::with_capacity(arriving.len());
        let mut told = Vec::new();
        for (number, mut arriving) in arriving {
            let Some(mut arrival) = arriving.arrival.take() else { continue };
            arrival.entry.record = Some(number);
            match (&written, arriving.reply.take()) {
                (Ok(()), reply) => {
                    arrival.entry.ticket.set_durable();
                    accepted.push(arrival);
                    told.extend(reply);
                }
                (Err(error), Some(reply)) => {
                    _ = reply.send(Err((error.clone(), Box::new(arrival))));
                }
                // It was accepted before, and is delivered from memory.
                (Err(_), None) => accepted.push(arrival),
            }
        }
        self.shared.accept_stored(accepted.into_iter());
        for reply in told {
            // Whoever does not wait any more has given the batch away all the same.
            _ = reply.send(Ok(()));
        }
        for Replacing { reply, .. } in replacing {
            _ = reply.send(written.clone());
        }
    }

    fn commit(&mut self, group: &Group) -> Result<(), Error> {
        let arriving = group.arriving.iter().map(|(number, job)| (*number, job.record.as_slice()));
        let replacing = group.replacing.iter().flat_map(|job| &job.put);
        let replacing = replacing.map(|(number, record)| (*number, record.as_slice()));
        let puts: Vec<(u64, &[u8])> = arriving.chain(replacing).collect();
        let replaced = group.replacing.iter().flat_map(|job| &job.delete);
        let deletes: Vec<u64> = self.deletes.iter().chain(replaced).copied().collect();
        if puts.is_empty() && deletes.is_empty() {
            return Ok(());
        }
        self.is_tidy = false;
        let Err(mut error) = self.store.commit(&puts, &deletes) else {
            self.deletes.clear();
            return Ok(());
        };
        // What is done need not wait for what finds no room, and may make some. If that fails, too, it is tried again
        // later.
        if !puts.is_empty() && !self.deletes.is_empty() {
            let done = mem::take(&mut self.deletes);
            if self.store.commit(&[], &done).is_err() {
                self.deletes = done;
            } else {
                match self.store.commit(&puts, &deletes) {
                    Ok(()) => return Ok(()),
                    Err(again) => error = again,
                }
            }
        }
        let error = storage(error);
        tracing::error!("the spool cannot be written: {error:#}");
        Err(error)
    }

    /// Closes the store.
    pub(super) fn close(self) {
        if let Err(error) = self.store.close() {
            tracing::warn!("the spool was not closed: {error}");
        }
    }
}

struct Gone;
