//! The spool: a log on disk of the batches that a queue has accepted and not delivered.
//!
//! # Guarantees
//! - What [`Done`] reported as written survives the end of the process and a loss of power.
//! - Nothing is missing in silence. Frames that are lost are counted, except at the end of the log, since the watermark
//!   was last written, and except whole files that were removed at the beginning.
//! - A delete that was reported as written is not undone, unless its frame is damaged.
//! - A batch has one number for its life. A start never returns it twice.
//!
//! # Format
//! All integers are little-endian. `CRC` is the CRC-32 of IEEE 802.3, as in gzip. A folder contains:
//!
//! | file | content |
//! |---|---|
//! | `segment-XXXXXXXX` | a piece of the log. `XXXXXXXX` is its number in eight lower-case hexadecimal digits |
//! | `spare` | the next segment. Its content is ignored |
//! | `watermark` | how far the log reached |
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
//! Frames follow one another. The rest of a segment is zeros, or what is left of an earlier segment whose file is used
//! again. A frame is:
//!
//! | offset | length | field |
//! |---|---|---|
//! | 0 | 4 | `FF 6D 50 FE` |
//! | 4 | 4 | the CRC of the segment's number (4 bytes) followed by the frame from offset 8 to its end |
//! | 8 | 4 | the length of the body |
//! | 12 | 4 | the kind |
//! | 16 | 8 | the position: the first frame of a log has 0, each further frame one more |
//! | 24 | 8 | the number of the batch or seal, else 0 |
//! | 32 | 4 | the index of the frame in its group |
//! | 36 | | the body |
//!
//! | kind | body |
//! |---|---|
//! | 1, batch | the record of the queue, see below |
//! | 2, seal | the CRC of the document (4), the number of members (4), the number of each member (8), the id as UTF-8 |
//! | 3, delete | the first and the last number (8 and 8) of each range of batches and seals that are deleted |
//! | 4, gaps | the first and the last position (8 and 8) of each range that is missing and was reported |
//!
//! A record has these fields, one after another. A text is its length in bytes (2), then UTF-8.
//!
//! | length | field |
//! |---|---|
//! | 8 | when the batch was accepted, in milliseconds since 1970 |
//! | text | the `source_request_id` of the batch |
//! | 2, then 8 each | the number of user keys, then the keys |
//! | 4 × 4 | where the common fields and the events are in the document, each as start and end; zeros if the batch may not be joined |
//! | 2, then text and 4 each | the number of documents, then the id and the length of each |
//! | | the documents, which are JSON |
//!
//! The watermark has 28 bytes: `FF`, `mPmark1` in ASCII, the position of the next frame (8), a number that is higher than
//! all numbers (8), and the CRC of the bytes before. It is ignored if the CRC does not fit.
//!
//! # Reading
//! There is one way to read, for sound and for damaged logs:
//!
//! 1. In each segment, take the next place behind the head where a frame with a valid CRC begins, continue at its end,
//!    and search for the next one. The number for the CRC is the one in the name of the file, so a damaged head does not
//!    matter.
//! 2. A batch and a seal live from their frame on until a delete names their number. A number that occurs again is a copy,
//!    and replaces the earlier one.
//! 3. The positions have to be complete from the first position in the oldest head (0, if it is damaged) to the last
//!    synced one. The frame at position `p` with index `i` in its group shows that all before `p - i` was synced, a head
//!    shows it for what is before its first position, and the watermark for what is before its position. Positions that are
//!    missing there, and that no frame of kind 4 names, are damage. What is missing behind belongs to a group that was
//!    never reported as written.
//! 4. If there is damage, a batch that is in no seal is uncertain: its seal may be lost, and the batch may have been sent
//!    under another id. This holds if its number is lower than the bound in the first head behind the damage.
//!
//! # Writing
//! - **Groups.** The thread takes all jobs that have come together, writes their frames at once, and syncs once. Then it
//!   checks that the path of the folder still names the open files, and answers.
//! - **Segments** are filled with zeros before use, in pieces between the groups: a write inside of a file does not change
//!   the file system's metadata and needs no room. The file of a segment that is no longer needed is used again instead. The
//!   next segment is written and synced under the name `spare`, and then renamed, so that a segment always has a head and a
//!   group.
//! - **Doubt.** If a write or a sync fails, it is not known what is on disk. The same frames, with the same positions, are
//!   written to a new segment until that succeeds. A reader takes either.
//! - **Compaction.** The oldest segment is removed when nothing in it lives. If the segments are more than one and a half
//!   times as long as what lives, the survivors of the oldest are copied to the end, a bounded piece with each group. A
//!   removal is durable before the next one, so a delete never disappears before its target.
//! - **A full disk.** If no spare can be made, batches whose sender waits are refused. Everything else goes on in the last
//!   segment and in the spare, if there is one, and then waits for room.
//! - **Damage.** Nothing is removed before the damage was reported to the user, so every start finds it again until then.
//!   Then a frame of kind 4 names the positions. One more is written at each start for the gaps of a group that was never
//!   synced.
//!
//! # Why not a crate
//! `okaywal` calls its format unstable and itself unfit for production, and leaves all compaction to checkpoints of its
//! user. `commitlog` has had no release since 2021. `yaque` documents that its recovery can lose or repeat items.

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
    /// The positions that are missing because of damage.
    missing: Vec<ranges::Range>,
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

    /// Writes a batch. Returns its number, which is higher than every number before, also across restarts.
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

    /// Notes that the damage which [`open`](Self::open) returned was reported. Until then, every start finds it again, and
    /// no segment is removed.
    pub(crate) fn damage_was_reported(&self) {
        if !self.missing.is_empty() {
            self.send(|_| Job::Reported(self.missing.clone()));
        }
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
