//! The spool: a log on disk of the batches that a queue has accepted and not delivered.
//!
//! # Guarantees
//! - A write that [`Done`] reported as successful survives the end of the process and a loss of power.
//! - Lost frames are detected and counted. There are two exceptions: frames at the end of the log that were written
//!   after the watermark, and whole files that were removed from the beginning of the log.
//! - A delete that was reported as written is not undone, unless its frame is damaged.
//! - A batch keeps its number. Opening a spool never returns a batch twice.
//!
//! # Format
//! All integers are little-endian. `CRC` is the CRC-32 of IEEE 802.3, as in gzip. A folder contains:
//!
//! | file | content |
//! |---|---|
//! | `segment-XXXXXXXX` | a piece of the log. `XXXXXXXX` is its number in eight lower-case hexadecimal digits |
//! | `spare` | the next segment. Its content is ignored |
//! | `watermark` | the position up to which the log was written |
//! | `lock` | an empty file, locked while the spool is open |
//!
//! The log is the segments in ascending order of their numbers. A segment begins with a head of 36 bytes:
//!
//! | offset | length | field |
//! |---|---|---|
//! | 0 | 8 | `FF`, then `mPspool` in ASCII |
//! | 8 | 4 | the version of the format, 1. A reader refuses a folder with a higher version |
//! | 12 | 4 | the number of the segment |
//! | 16 | 8 | the position of the first frame |
//! | 24 | 8 | a bound: all numbers of batches and seals in earlier segments are lower |
//! | 32 | 4 | the CRC of the bytes before |
//!
//! The frames follow the head without gaps. The rest of a segment consists of zeros, or of the content of an earlier
//! segment whose file is reused. A frame has these fields:
//!
//! | offset | length | field |
//! |---|---|---|
//! | 0 | 4 | `FF 6D 50 FE` |
//! | 4 | 4 | the CRC of the segment's number (4 bytes) followed by the frame from offset 8 to its end |
//! | 8 | 4 | the length of the body |
//! | 12 | 4 | the kind |
//! | 16 | 8 | the position: 0 for the first frame of a log, and one more for each further frame |
//! | 24 | 8 | the number of the batch or seal, or 0 for other kinds |
//! | 32 | 4 | the index of the frame in its group |
//! | 36 | | the body |
//!
//! | kind | body |
//! |---|---|
//! | 1, batch | the record of the queue, see below |
//! | 2, seal | the CRC of the document (4), the number of members (4), the number of each member (8), the id as UTF-8 |
//! | 3, delete | the first and the last number (8 and 8) of each range of batches and seals that are deleted |
//! | 4, gaps | the first and the last position (8 and 8) of each missing range that was reported |
//!
//! A record has these fields, one after another. A text is its length in bytes (2), followed by its bytes in UTF-8.
//!
//! | length | field |
//! |---|---|
//! | 8 | when the batch was accepted, in milliseconds since 1970 |
//! | text | the `source_request_id` of the batch |
//! | 2, then 8 each | the number of user keys, then the keys |
//! | 4 × 4 | the positions of the common fields and of the events in the document, each as start and end; zeros if the batch may not be joined |
//! | 2, then text and 4 each | the number of documents, then the id and the length of each |
//! | | the documents, which are JSON |
//!
//! The watermark has 28 bytes: `FF`, `mPmark1` in ASCII, the position of the next frame (8), a number that is higher
//! than all numbers (8), and the CRC of the bytes before. It is ignored if the CRC does not match.
//!
//! # Reading
//! Intact and damaged logs are read in the same way:
//!
//! 1. In each segment, search from the end of the head for the next frame with a valid CRC, and continue the search at
//!    the end of that frame. The segment's number for the CRC is taken from the name of the file. A damaged head
//!    therefore does not matter.
//! 2. A batch or a seal is live from its frame until a delete names its number. A number that occurs again is a copy
//!    and replaces the earlier one.
//! 3. The positions have to be complete from the first position in the oldest head (0 if the head is damaged) to the
//!    last synced position. Three facts show that positions were synced: a frame at position `p` with index `i` in its
//!    group shows it for the positions below `p - i`, a head for the positions below its first position, and the
//!    watermark for the positions below its own. Missing positions among these are damage, unless a frame of kind 4
//!    names them. Missing positions after them belong to a group that was never reported as written.
//! 4. If there is damage, a batch without a seal is uncertain if its number is lower than the bound in the first head
//!    after the damage: its seal may be lost, and the batch may have been sent with another id.
//!
//! # Writing
//! - **Groups.** The thread takes all jobs that have arrived, writes their frames at once, and syncs once. Then it
//!   checks that the path of the folder still names the open files, and replies to the jobs.
//! - **Segments.** A segment is filled with zeros before use, in pieces between the groups. A write inside of a file
//!   does not change the metadata of the file system and needs no additional space. If the file of an old segment is
//!   free, it is reused instead. The next segment is written and synced under the name `spare`, and then renamed. A
//!   segment therefore always has a head and a group.
//! - **Doubt.** If a write or a sync fails, the content of the disk is not known. The same frames, with the same
//!   positions, are written to new segments until a write succeeds. A reader accepts any of the copies.
//! - **Compaction.** The oldest segment is removed when it contains no live frames. If the segments are more than one
//!   and a half times as long as the live frames, the live frames of the oldest segment are copied to the end, a
//!   bounded piece with each group. A removal is durable before the next one. A delete therefore never disappears
//!   before its target.
//! - **A full disk.** If the spare cannot be completed, batches whose sender waits are refused. Other jobs continue in
//!   the last segment and in the spare, if there is one, and then wait for space.
//! - **Damage.** No segment is removed before the damage was reported to the user. Until then, every start finds the
//!   damage again. After that, a frame of kind 4 names the missing positions. Each start also writes such a frame for
//!   the gaps of a group that was never synced.
//!
//! # Alternatives
//! `okaywal` describes its format as unstable and itself as not ready for production, and leaves compaction to the
//! checkpoints of its user. `commitlog` has had no release since 2021. `yaque` documents that its recovery can lose or
//! repeat items.

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
use crate::queue::store::{Done, Durability};
use files::{Disk, Files};
use job::{Job, Reply};
use recovery::Recovered;
use status::Status;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;
use writer::Writer;

/// Values that tests replace.
#[derive(Clone, Copy)]
struct Options {
    /// The length of a segment.
    segment_size: u64,
    /// The interval at which the disk is checked while it is full or the folder is gone.
    poll: Duration,
    /// The first pause before a group in doubt is written again. The pause doubles up to `poll`.
    pause: Duration,
}

const OPTIONS: Options = Options {
    segment_size: 4 * 1024 * 1024,
    poll: Duration::from_secs(1),
    pause: Duration::from_millis(10),
};

/// A spool and its content.
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

/// A note that the batches `members` are sent as one document with the id `id`.
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
    /// The positions that are missing because of damage.
    missing: Vec<ranges::Range>,
}

/// Assigns numbers and sends jobs. Both happen under one lock and therefore in the same order.
struct Line {
    next_number: u64,
    jobs: mpsc::Sender<Job>,
}

impl Spool {
    /// Opens the spool in a folder, or creates one. Blocks while it reads the files.
    ///
    /// # Errors
    /// - [`Storage`](crate::ErrorKind::Storage): the path is a file, the folder cannot be written, it is in use, or
    ///   another version wrote it.
    pub(crate) fn open(folder: &Path) -> Result<Opened, Error> {
        Self::open_on(Disk, folder, OPTIONS)
    }

    fn open_on<F: Files>(files: F, folder: &Path, options: Options) -> Result<Opened, Error> {
        let Recovered { log, batches, seals, damage, missing, unsynced } =
            recovery::open(files, folder, options.segment_size)?;
        let status = Arc::new(Status::default());
        let (jobs, receiver) = mpsc::channel();
        let line = Mutex::new(Line { next_number: log.next_number, jobs });
        let first = Job::Explain(unsynced);
        let writer = Writer::new(log, first, receiver, Arc::clone(&status), options);
        let thread = thread::Builder::new().name("mparticle-spool".to_owned());
        thread.spawn(move || writer.run()).map_err(|error| errors::unusable(folder, error))?;
        Ok(Opened { spool: Self { status, line, missing }, batches, seals, damage })
    }

    /// Writes a batch. Returns its number, which is higher than all earlier numbers, even those before a restart.
    pub(crate) fn accept(
        &self,
        record: Vec<u8>,
        durability: Durability,
        done: impl FnOnce(u64, Result<(), Error>) + Send + 'static,
    ) -> u64 {
        self.send(|number| {
            let done = Box::new(move |result| done(number, result));
            Job::Accept { number, record, durability, reply: Reply::new(Some(done)) }
        })
    }

    /// Writes a seal: a note that batches are sent as one document with an id. Returns the number of the seal.
    pub(crate) fn seal(&self, id: String, members: Vec<u64>, document_crc: u32, done: Done) -> u64 {
        let reply = Reply::new(Some(done));
        self.send(|number| Job::Seal { seal: Seal { number, id, members, document_crc }, reply })
    }

    /// Deletes batches and seals.
    pub(crate) fn delete(&self, numbers: Vec<u64>, done: Option<Done>) {
        self.send(|_| Job::Delete { numbers, reply: Reply::new(done) });
    }

    /// Checks that a batch can be written at the moment.
    ///
    /// # Errors
    /// - [`Storage`](crate::ErrorKind::Storage): the disk is full, a write is in doubt, or the folder is gone.
    pub(crate) fn check(&self) -> Result<(), Error> {
        self.status.check()
    }

    /// Records that the damage that [`open`](Self::open) returned was reported. Until then, every start finds the
    /// damage again, and no segment is removed.
    pub(crate) fn damage_was_reported(&self) {
        if !self.missing.is_empty() {
            self.send(|_| Job::Reported(self.missing.clone()));
        }
    }

    /// Completes earlier jobs, releases the lock and ends the thread.
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
        // If the thread has ended, the job is dropped here, without the lock, which replies to it.
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
