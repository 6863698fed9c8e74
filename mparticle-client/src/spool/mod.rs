//! The spool: a log on disk of the batches that a queue has accepted and not delivered.

mod damage;
mod errors;
mod files;
mod frame;
mod group;
mod job;
mod log;
mod ranges;
mod recovery;
mod spare;
mod status;
#[cfg(test)]
mod tests;
mod watermark;
mod writer;

pub(crate) use damage::Damage;

use crate::Error;
use crate::queue::store::{Accepted, Done, Durability};
use files::{Disk, Files};
use job::{Job, Reply};
use recovery::Recovered;
use status::Status;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;
use writer::Writer;

/// What tests set to other values.
#[derive(Clone, Copy)]
struct Options {
    /// The length of a segment.
    segment_size: u64,
    /// How often the disk is looked at while it is full or the folder is gone.
    poll: Duration,
    /// The pause before a group in doubt is written again. It doubles up to `poll`.
    pause: Duration,
}

const OPTIONS: Options = Options {
    segment_size: 4 * 1024 * 1024,
    poll: Duration::from_secs(1),
    pause: Duration::from_millis(10),
};

/// A spool and what was in it.
pub(crate) struct Opened {
    pub(crate) spool: Spool,
    /// By number, ascending.
    pub(crate) batches: Vec<StoredBatch>,
    /// By number, ascending.
    pub(crate) seals: Vec<Seal>,
    pub(crate) damage: Damage,
}

/// A batch that was accepted and not deleted.
pub(crate) struct StoredBatch {
    pub(crate) number: u64,
    /// The bytes that were accepted.
    pub(crate) record: Box<[u8]>,
    /// Whether a seal of the batch may be missing, because the log is damaged.
    pub(crate) is_uncertain: bool,
}

/// The batches `members` were sent as one document with the id `id`.
pub(crate) struct Seal {
    pub(crate) number: u64,
    pub(crate) id: String,
    pub(crate) members: Vec<u64>,
    /// The CRC-32 of the document.
    pub(crate) document_crc: u32,
}

/// An open spool.
pub(crate) struct Spool {
    status: Arc<Status>,
    line: Mutex<Line>,
}

/// Numbers are given and jobs are sent under one lock, so that both are in one order.
struct Line {
    next_number: u64,
    jobs: mpsc::Sender<Job>,
}

impl Spool {
    /// Opens the spool in a folder, or creates one. Blocks while it reads.
    ///
    /// # Errors
    /// The folder is a file, cannot be written, is in use, or was written by a newer or by an earlier version.
    pub(crate) fn open(folder: &Path) -> Result<Opened, Error> {
        Self::open_on(Disk, folder, OPTIONS)
    }

    fn open_on<F: Files>(files: F, folder: &Path, options: Options) -> Result<Opened, Error> {
        let Recovered { log, batches, seals, damage, gaps } =
            recovery::open(files, folder, options.segment_size)?;
        let status = Arc::new(Status::default());
        let (jobs, receiver) = mpsc::channel();
        let line = Mutex::new(Line { next_number: log.next_number, jobs });
        let first = Job::Explain(gaps);
        let writer = Writer::new(log, first, receiver, Arc::clone(&status), options);
        let thread = thread::Builder::new().name("mparticle-spool".to_owned());
        thread.spawn(move || writer.run()).map_err(|error| errors::unusable(folder, error))?;
        Ok(Opened { spool: Self { status, line }, batches, seals, damage })
    }

    /// Writes a batch. Returns its number, which is higher than every number before, also across restarts.
    pub(crate) fn accept(&self, record: Vec<u8>, durability: Durability, done: Accepted) -> u64 {
        self.send(|number| {
            let done = Box::new(move |result: Result<(), Error>| done(result.map(|()| number)));
            Job::Accept { number, record, durability, reply: Reply::new(Some(done)) }
        })
    }

    /// Writes that batches are sent as one document with an id. Returns the number of the seal.
    pub(crate) fn seal(&self, id: String, members: Vec<u64>, document_crc: u32, done: Done) -> u64 {
        let reply = Reply::new(Some(done));
        self.send(|number| Job::Seal { seal: Seal { number, id, members, document_crc }, reply })
    }

    /// Deletes batches and seals.
    pub(crate) fn delete(&self, numbers: Vec<u64>, done: Option<Done>) {
        self.send(|_| Job::Delete { numbers, reply: Reply::new(done) });
    }

    /// Returns whether a batch would be written now.
    ///
    /// # Errors
    /// The disk is full, a write is in doubt, or the folder is gone.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.status.check()
    }

    /// Removes the report of the damage that [`open`](Self::open) returned.
    pub(crate) fn damage_was_reported(&self) {
        self.send(|_| Job::RemoveReport);
    }

    /// Writes what was asked before, releases the lock and ends the thread.
    pub(crate) fn close(&self, done: Done) {
        self.status.begin_closing();
        self.send(|_| Job::Close(Reply::new(Some(done))));
    }

    fn send(&self, job: impl FnOnce(u64) -> Job) -> u64 {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        let number = line.next_number;
        let job = job(number);
        line.next_number += u64::from(job.has_number());
        let unsent = line.jobs.send(job);
        // A job that comes after the end of the thread is answered here, without the lock.
        drop(line);
        drop(unsent);
        number
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        self.status.begin_closing();
    }
}
