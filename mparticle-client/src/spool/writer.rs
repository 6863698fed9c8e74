//! The thread that writes the log.

use super::Options;
use super::errors;
use super::files::Files;
use super::frame::{self, Kind};
use super::group::Group;
use super::job::{Job, Reply};
use super::log::Log;
use super::status::{Status, Unavailable};
use crate::Error;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

/// The maximum number of bytes of jobs in one group. A single job may be longer.
const GROUP_BYTES: u64 = 1024 * 1024;
/// The number of bytes of live frames that are copied with a group, unless twice the length of its jobs is more.
const COPY_BYTES: u64 = 64 * 1024;
/// The maximum number of jobs that are received at once.
const JOBS_RECEIVED: usize = 4096;
/// The maximum length of a body.
const LONGEST: u64 = 1 << 30;
/// The number of attempts after the spool was asked to close.
const LAST_ATTEMPTS: u32 = 3;

pub(super) struct Writer<F: Files> {
    log: Log<F>,
    jobs: Receiver<Job>,
    /// Jobs that were received and not done, in order.
    waiting: VecDeque<Job>,
    status: Arc<Status>,
    options: Options,
    /// Whether the spare could not be completed.
    is_full: bool,
    /// When the spare is continued and segments without live frames are removed.
    next_attempt: Instant,
    /// Whether the first job waits for space.
    is_blocked: bool,
    /// The length of the last group's jobs.
    last_group: u64,
    closing: Option<Reply>,
    is_disconnected: bool,
}

/// The decision about a job.
enum Admission {
    Taken,
    /// The group has to be written first, or there is no space.
    Later,
    Refused(Error),
}

impl<F: Files> Writer<F> {
    /// Returns a writer that begins with a job.
    pub(super) fn new(
        log: Log<F>,
        first: Job,
        jobs: Receiver<Job>,
        status: Arc<Status>,
        options: Options,
    ) -> Self {
        Self {
            log,
            jobs,
            waiting: VecDeque::from([first]),
            status,
            options,
            is_full: false,
            next_attempt: Instant::now(),
            is_blocked: false,
            last_group: 0,
            closing: None,
            is_disconnected: false,
        }
    }

    /// Does jobs until the spool is closed or dropped.
    pub(super) fn run(mut self) {
        while self.closing.is_none() && !(self.is_disconnected && self.waiting.is_empty()) {
            self.receive();
            self.do_jobs();
            self.tidy();
        }
        let Self { log, closing, waiting, jobs, .. } = self;
        log.close();
        if let Some(reply) = closing {
            reply.send(Ok(()));
        }
        // Dropping the jobs replies to them that the spool is closed.
        drop((waiting, jobs));
    }

    /// Receives jobs. Waits for one if there is nothing else to do.
    fn receive(&mut self) {
        let received = match self.wait() {
            Some(Duration::ZERO) => self.jobs.try_recv(),
            Some(wait) => self.jobs.recv_timeout(wait).map_err(|error| match error {
                RecvTimeoutError::Timeout => TryRecvError::Empty,
                RecvTimeoutError::Disconnected => TryRecvError::Disconnected,
            }),
            None => self.jobs.recv().map_err(|_| TryRecvError::Disconnected),
        };
        self.is_disconnected = matches!(received, Err(TryRecvError::Disconnected));
        self.waiting.extend(received);
        self.waiting.extend(self.jobs.try_iter().take(JOBS_RECEIVED));
    }

    /// Returns how long to wait for a job. `None` means that there is nothing else to do.
    fn wait(&self) -> Option<Duration> {
        if !self.waiting.is_empty() && !self.is_blocked {
            return Some(Duration::ZERO);
        }
        if self.status.unavailable() == Some(Unavailable::Gone) {
            return Some(self.options.poll);
        }
        if self.log.wants_compaction(self.is_full) {
            return Some(Duration::ZERO);
        }
        let has_attempt = self.log.spare.ready().is_none() || self.log.has_dead_segment();
        let attempt = self.next_attempt.saturating_duration_since(Instant::now());
        let attempt = has_attempt.then_some(attempt);
        attempt.into_iter().chain(self.log.watermark.wait()).min()
    }

    /// Writes a group of jobs, after live frames of the oldest segment.
    ///
    /// The copies come first. A delete in the group is then behind all copies of its target.
    fn do_jobs(&mut self) {
        self.is_blocked = false;
        if self.status.unavailable() == Some(Unavailable::Gone) {
            self.check_place();
        }
        let mut group = Group::new(self.log.position);
        self.copy_survivors(&mut group);
        let copied = group.len();
        let mut replies = Vec::new();
        while let Some(job) = self.waiting.pop_front() {
            match self.admit(&job, &group, copied) {
                Admission::Taken => {
                    if self.take(job, &mut group, &mut replies) {
                        break;
                    }
                }
                Admission::Later => {
                    self.waiting.push_front(job);
                    break;
                }
                Admission::Refused(error) => job.refuse(&error),
            }
        }
        self.last_group = group.len() - copied;
        let result = self.write(group);
        for reply in replies {
            reply.send(result.clone());
        }
        if self.is_blocked {
            self.relieve();
        }
    }

    fn copy_survivors(&mut self, group: &mut Group) {
        let is_gone = self.status.unavailable() == Some(Unavailable::Gone);
        if is_gone || !self.log.wants_compaction(self.is_full) || !self.check_place() {
            return;
        }
        let budget = COPY_BYTES.max(self.last_group.saturating_mul(2));
        if let Some(needed) = self.log.copy_survivors(group, budget) {
            self.make_room(needed);
        }
    }

    /// Decides whether a job becomes part of a group.
    fn admit(&mut self, job: &Job, group: &Group, copied: u64) -> Admission {
        let length = job.length();
        if length == 0 {
            return Admission::Taken;
        }
        if length > LONGEST {
            return Admission::Refused(errors::too_large(&self.log.folder));
        }
        let is_grouped = group.len() > 0;
        if is_grouped && group.len() - copied + length > GROUP_BYTES {
            return Admission::Later;
        }
        if group.len() + length > self.log.room() {
            if is_grouped {
                return Admission::Later;
            }
            self.make_room(length);
        }
        match self.status.check() {
            Err(error) if self.status.unavailable() == Some(Unavailable::Gone) => {
                return Admission::Refused(error);
            }
            Err(error) if job.is_awaited_accept() => return Admission::Refused(error),
            _ => {}
        }
        self.is_blocked = length > self.log.room();
        if self.is_blocked { Admission::Later } else { Admission::Taken }
    }

    /// Adds a job to a group. Returns whether the group is complete.
    fn take(&mut self, job: Job, group: &mut Group, replies: &mut Vec<Reply>) -> bool {
        match job {
            Job::Explain(gaps) => {
                group.explain(&gaps);
                return true;
            }
            Job::Reported(gaps) => {
                group.explain(&gaps);
                self.log.holds_evidence = false;
            }
            Job::Accept { number, record, reply, .. } => {
                group.put(Kind::Batch, number, &record);
                replies.push(reply);
            }
            Job::Seal { seal, reply } => {
                group.put(Kind::Seal, seal.number, &frame::encode_seal(&seal));
                replies.push(reply);
            }
            Job::Delete { numbers, reply } => {
                group.delete(numbers);
                replies.push(reply);
            }
            Job::Close(reply) => {
                self.closing = Some(reply);
                return true;
            }
        }
        false
    }

    /// Writes a group. Returns when it is durable, or when it cannot be made durable.
    fn write(&mut self, mut group: Group) -> Result<(), Error> {
        if group.frames == 0 {
            return Ok(());
        }
        if !self.check_place() {
            self.log.discard(&group);
            return Err(errors::gone(&self.log.folder));
        }
        if let Err(error) = self.log.append(&mut group) {
            self.write_again(&mut group, error)?;
        }
        if self.check_place() { Ok(()) } else { Err(errors::gone(&self.log.folder)) }
    }

    /// Writes a group that is in doubt into new segments, until it is durable.
    fn write_again(&mut self, group: &mut Group, mut error: io::Error) -> Result<(), Error> {
        let mut pause = self.options.pause;
        let mut last_attempts = LAST_ATTEMPTS;
        loop {
            self.log.abandon();
            if !self.check_place() {
                self.log.discard(group);
                return Err(errors::gone(&self.log.folder));
            }
            let doubt = errors::doubtful(&self.log.folder, error);
            self.status.set(Unavailable::Doubt, doubt.clone());
            if self.status.is_closing() {
                last_attempts -= 1;
                if last_attempts == 0 {
                    self.log.discard(group);
                    return Err(doubt);
                }
            }
            thread::sleep(pause);
            pause = (pause * 2).min(self.options.poll);
            let written = self.log.make_room(group.len()).and_then(|()| self.log.append(group));
            match written {
                Ok(()) => break,
                Err(again) => error = again,
            }
        }
        self.status.clear(Unavailable::Doubt);
        Ok(())
    }

    /// Returns whether the path of the folder names the open files.
    fn check_place(&self) -> bool {
        let is_in_place = self.log.is_in_place();
        if is_in_place {
            self.status.clear(Unavailable::Gone);
        } else {
            self.status.set(Unavailable::Gone, errors::gone(&self.log.folder));
        }
        is_in_place
    }

    /// Completes the spare for a job, unless an attempt has just failed.
    fn make_room(&mut self, length: u64) {
        let is_due = !self.is_full || self.next_attempt <= Instant::now();
        if is_due && self.check_place() {
            let made = self.log.make_room(length);
            self.note_room(made);
        }
    }

    /// Records the result of an attempt to continue the spare.
    fn note_room(&mut self, attempt: io::Result<()>) {
        match attempt {
            Ok(()) if self.log.spare.ready().is_some() => {
                self.is_full = false;
                self.status.clear(Unavailable::Full);
            }
            Ok(()) => {}
            Err(error) => {
                self.is_full = true;
                self.next_attempt = Instant::now() + self.options.poll;
                self.status.set(Unavailable::Full, errors::full(&self.log.folder, error));
            }
        }
    }

    /// Frees space while the first job waits for it: refuses batches that can be refused, and applies deletes before
    /// they are written, to remove whole segments.
    fn relieve(&mut self) {
        let Err(error) = self.status.check() else { return };
        let is_closing = self.status.is_closing();
        for job in std::mem::take(&mut self.waiting) {
            match job {
                Job::Close(_) => self.waiting.push_back(job),
                _ if is_closing || job.is_awaited_accept() => job.refuse(&error),
                Job::Delete { ref numbers, .. } => {
                    self.log.forget(numbers);
                    self.waiting.push_back(job);
                }
                _ => self.waiting.push_back(job),
            }
        }
    }

    /// Does a bounded piece of the maintenance work.
    fn tidy(&mut self) {
        if self.status.unavailable() == Some(Unavailable::Gone) {
            return;
        }
        if self.log.has_dead_segment() && self.check_place() {
            match self.log.remove_dead_segments() {
                Ok(()) if self.is_full => self.next_attempt = Instant::now(),
                Ok(()) => {}
                Err(_) => self.next_attempt = Instant::now() + self.options.poll,
            }
        }
        let is_due = self.next_attempt <= Instant::now();
        let needs_spare = self.log.spare.ready().is_none() && !self.log.expects_spare();
        if needs_spare && is_due && self.check_place() {
            let filled = self.log.fill_spare();
            self.note_room(filled);
        }
        if self.log.watermark.wait() == Some(Duration::ZERO) {
            self.log.watermark.write(&self.log.files);
        }
    }
}
