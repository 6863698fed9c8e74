//! Reads an input on a thread of its own, and feeds the uploads.

use super::Done;
use super::options::{Age, Options, Recent};
use super::pending_records::Span;
use super::state::{Route, State};
use super::stop::{Reason, Stop};
use crate::failure::Failure;
use crate::input::entries::Rules;
use crate::input::{Content, Entries, Entry, Input, Mapping, Problem, Source};
use mparticle_client::SplitByAge;
use mparticle_client::models::{Batch, Severity};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::mpsc::error::SendError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many bytes are read ahead of the uploads.
const READ_AHEAD_BYTES: usize = 4 * 1024 * 1024;

/// What a batch takes in memory beside its text.
const BATCH_BYTES: usize = 4096;

/// A batch on its way to an upload.
pub(super) struct Job {
    pub(super) batch: Box<Batch>,
    pub(super) span_id: u64,
    /// Lets the reader read on once the batch was pulled.
    pub(super) _permit: Arc<OwnedSemaphorePermit>,
}

/// A part of a batch.
enum Part {
    Send(Route, Box<Batch>),
    /// It is not historical, and only historical data is sent.
    TooRecent(Box<Batch>, Problem),
}

/// What the thread needs.
pub(super) struct Reader {
    pub(super) source: Source,
    pub(super) options: Arc<Options>,
    pub(super) done: Done,
    /// The time at which the age of events is measured.
    pub(super) started: SystemTime,
    pub(super) state: Arc<Mutex<State>>,
    pub(super) stop: Stop,
    pub(super) routes: HashMap<Route, UnboundedSender<Job>>,
    pub(super) handle: Handle,
}

/// Locks the state. A thread that panicked has left it usable.
pub(super) fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reader {
    /// Reads until the end, or until it is told to stop.
    pub(super) fn run(self, input: Input) -> Result<(), Failure> {
        let Input { records, namespace, mapping, .. } = input;
        let (mapping, given_back) = (mapping.as_ref(), Some(&self.options.given_back));
        let (linter, now) = (self.options.linter.as_ref(), SystemTime::now());
        let rules = Rules { namespace, mapping, given_back, linter, now };
        let mut entries = Entries::new(records, rules, &self.done);
        let budget = Arc::new(Semaphore::new(READ_AHEAD_BYTES));
        while self.stop.reason().is_none() {
            let entry = entries.next().map_err(|error| self.source.failure(&error));
            lock(&self.state).counts.skipped = entries.skipped();
            let Some(entry) = entry? else { return Ok(()) };
            let bytes = (entry.bytes + BATCH_BYTES).min(READ_AHEAD_BYTES);
            let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
            let permit = self.handle.block_on(Arc::clone(&budget).acquire_many_owned(bytes));
            // The semaphore is never closed.
            let Ok(permit) = permit else { return Ok(()) };
            self.handle(entry, permit, mapping);
            self.check_limits();
        }
        Ok(())
    }

    fn handle(&self, entry: Entry, permit: OwnedSemaphorePermit, mapping: Option<&Mapping>) {
        let Entry { before, end, line, content, notes, .. } = entry;
        let span = Span { before, end, line, parts: 0 };
        let mut state = lock(&self.state);
        match content {
            Content::Nothing => {
                for note in &notes {
                    state.note(line, note);
                }
                state.counts.empty += 1;
                state.begin(span);
            }
            Content::Failed(problem, text) => {
                state.fail_record(line, &problem, &text, mapping);
                state.begin(span);
            }
            Content::Batch(batch) => self.send(*batch, notes, span, permit, &mut state),
        }
    }

    /// Passes a batch to the uploads, unless something is wrong with it.
    fn send(
        &self,
        mut batch: Batch,
        notes: Vec<Problem>,
        span: Span,
        permit: OwnedSemaphorePermit,
        state: &mut State,
    ) {
        batch.environment.get_or_insert_with(|| self.options.environment.clone());
        let violations = batch.validate();
        let problems: Vec<Problem> = violations.iter().map(Problem::from).chain(notes).collect();
        let is_fatal = |one: &&Problem| self.options.strict && one.severity == Severity::Error;
        let fatal = problems.iter().find(is_fatal);
        let others = problems.iter().filter(|one| fatal != Some(one));
        others.for_each(|problem| state.note(span.line, problem));
        if let Some(problem) = fatal {
            let span_id = state.begin(Span { parts: 1, ..span });
            return state.fail_batch(span_id, &[batch], problem);
        }
        let parts = self.parts(batch);
        let span_id = state.begin(Span { parts: parts.len(), ..span });
        let permit = Arc::new(permit);
        for part in parts {
            match part {
                Part::Send(route, batch) => {
                    let job = Job { batch, span_id, _permit: Arc::clone(&permit) };
                    let Some(sender) = self.routes.get(&route) else { continue };
                    if let Err(SendError(job)) = sender.send(job) {
                        state.return_batch(span_id, *job.batch);
                    }
                }
                Part::TooRecent(batch, problem) => state.fail_batch(span_id, &[*batch], &problem),
            }
        }
    }

    /// Divides a batch by the age of its events.
    fn parts(&self, batch: Batch) -> Vec<Part> {
        let Age::Historical { recent } = self.options.age else {
            return vec![Part::Send(Route::Usual, Box::new(batch))];
        };
        let parts = SplitByAge::of(batch, self.started);
        let send_historical =
            parts.historical.map(|batch| Part::Send(Route::Historical, Box::new(batch)));
        let rest = parts.recent.map(|batch| match recent {
            Recent::Send => Part::Send(Route::Usual, Box::new(batch)),
            Recent::Report => {
                let problem = too_recent(&batch);
                Part::TooRecent(Box::new(batch), problem)
            }
        });
        send_historical.into_iter().chain(rest).collect()
    }

    fn check_limits(&self) {
        let state = lock(&self.state);
        if state.error.is_some() {
            self.stop.stop(Reason::CannotWrite);
        } else if self.options.stop_after.is_some_and(|most| state.counts.failed >= most) {
            self.stop.stop(Reason::TooManyFailures);
        }
    }
}

fn too_recent(batch: &Batch) -> Problem {
    if batch.events.is_empty() {
        let message = "the batch has no events, and the historical endpoint requires at least one";
        return Problem::new("noEvents", message).at("/events");
    }
    let message = "the events are less than 72 hours old, or have no timestamp; pass --split-by-age to send them to the \
                   usual endpoint";
    Problem::new("tooRecent", message).at("/events")
}
