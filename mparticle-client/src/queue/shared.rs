//! The state that the handles of a queue share with its worker.
//!
//! One lock protects the counts and the batches that the worker has not taken. It is held only briefly, and never while
//! a function of the caller runs. The counts are therefore consistent, and every counted batch has been passed on.

use super::capacity::Capacity;
use super::completion::Storage;
use super::counts::{Counted, Counts};
use super::ids::Ids;
use super::outcome_hook::OutcomeHook;
use super::pending_batch::PendingBatch;
use super::{BatchResult, Outcome, Pause, Report, Stats};
use crate::ErrorKind;
use crate::encoding::MAX_REQUEST_BYTES;
use crate::encoding::users::keys;
use crate::models::Batch;
use crate::queue::capacity::Permit;
use crate::send::RequestSender;
use crate::timing::Clock;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

/// The number of batches after which the worker is woken early.
///
/// Waking a thread takes microseconds, which delay the caller of `try_send`. A request contains 100 batches. A slightly
/// larger number keeps the share of delayed calls below one in a hundred. The benchmark `queue` shows this as the 99th
/// percentile.
const WAKE_AFTER_BATCHES: usize = 128;

/// The number of batches that may wait for the worker without being compacted.
const MAX_UNTAKEN: usize = 2 * WAKE_AFTER_BATCHES;

/// A command for the worker.
pub(super) enum Command {
    /// Send all batches that were accepted so far.
    Flush {
        epoch: u64,
        before: Stats,
        deadline: Instant,
        timeout: Duration,
        reply: oneshot::Sender<Report>,
    },
    /// Send all batches, then end.
    Shutdown { before: Stats, deadline: Instant, timeout: Duration, reply: oneshot::Sender<Report> },
    /// Continue after a pause, with other credentials if there is a sender.
    Resume(Option<Arc<RequestSender>>),
    /// Reply after a timeout. The caller may be in a runtime without timers.
    Sleep { deadline: Instant, timeout: Duration, reply: oneshot::Sender<()> },
}

pub(super) struct Shared {
    pub(super) capacity: Arc<Capacity>,
    pub(super) ids: Ids,
    pub(super) clock: Clock,
    hook: Option<OutcomeHook>,
    process: u32,
    state: Mutex<State>,
    wake: Notify,
}

#[derive(Default)]
struct State {
    counts: Counts,
    phase: Phase,
    incoming: Incoming,
    wake_after: WakeAfter,
}

/// A batch that is passed to the worker.
pub(super) struct Arrival {
    pub(super) pending: PendingBatch,
    /// The batch of the caller, if its user keys are not known yet. Computing the keys and freeing the memory of the
    /// batch take about a microsecond, which should not delay the caller of `try_send`.
    pub(super) given: Option<Box<Batch>>,
}

/// The batches and commands that the worker has not taken yet.
#[derive(Default)]
pub(super) struct Incoming {
    pub(super) batches: Vec<Arrival>,
    pub(super) commands: Vec<Command>,
    /// Whether the queue was full for a caller.
    pub(super) was_full: bool,
    bytes: usize,
}

/// The number of batches and bytes after which the worker is woken.
#[derive(Clone, Copy, Default)]
struct WakeAfter {
    batches: usize,
    bytes: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    #[default]
    Open,
    /// Nothing more is accepted.
    Closing,
    /// The worker has ended.
    Ended,
}

impl Shared {
    pub(super) fn new(capacity: Capacity, hook: Option<OutcomeHook>, clock: Clock) -> Self {
        Self {
            capacity: Arc::new(capacity),
            ids: Ids::new(),
            clock,
            hook,
            process: process::id(),
            state: Mutex::default(),
            wake: Notify::new(),
        }
    }

    pub(super) fn now(&self) -> SystemTime {
        (self.clock)()
    }

    /// Whether this process was forked from the one in which the worker runs.
    pub(super) fn is_forked(&self) -> bool {
        process::id() != self.process
    }

    pub(super) fn is_open(&self) -> bool {
        // In a forked process, the lock may be held by a thread that does not exist.
        !self.is_forked() && self.lock().phase == Phase::Open
    }

    pub(super) fn stats(&self) -> Stats {
        if self.is_forked() {
            return Stats::default();
        }
        let now = self.now();
        self.lock().counts.stats_at(now)
    }

    /// Accepts a batch, unless the queue is closed.
    pub(super) fn accept(
        &self,
        mut pending: PendingBatch,
        given: Box<Batch>,
    ) -> Result<(), Box<Batch>> {
        let mut state = self.lock();
        let is_behind = state.incoming.batches.len() >= MAX_UNTAKEN;
        if is_behind {
            drop(state);
            // The worker has not yet freed the memory of earlier batches. This batch is therefore compacted here.
            pending.users = keys(&given);
            pending.compact();
            state = self.lock();
        }
        if state.phase != Phase::Open {
            return Err(given);
        }
        state.counts.accept(&mut pending.completion, pending.accepted);
        let (given, unused) = if is_behind { (None, Some(given)) } else { (Some(given), None) };
        self.hand_over(state, Arrival { pending, given });
        drop(unused);
        Ok(())
    }

    /// Counts a batch as accepted before it is written and passed on, unless the queue is closed.
    pub(super) fn count(&self, batch: &mut PendingBatch) -> bool {
        let mut state = self.lock();
        let is_open = state.phase == Phase::Open;
        if is_open {
            batch.completion.set_storage(Storage::Writing);
            state.counts.accept(&mut batch.completion, batch.accepted);
        }
        is_open
    }

    /// Passes a batch that was written to the worker. If the worker has ended, the batch stays in the spool.
    pub(super) fn stored(&self, mut batch: PendingBatch) {
        let mut state = self.lock();
        batch.completion.set_storage(Storage::Disk);
        if !batch.completion.is_counted() {
            state.counts.accept(&mut batch.completion, batch.accepted);
        }
        self.hand_over_unless_ended(state, batch);
    }

    /// Passes a batch that was counted and could not be written to the worker.
    pub(super) fn not_stored(&self, mut batch: PendingBatch) {
        let mut state = self.lock();
        batch.completion.set_storage(Storage::Memory);
        state.counts.not_stored(batch.completion.bytes());
        if state.phase == Phase::Ended {
            state.counts.drop_volatile();
        }
        self.hand_over_unless_ended(state, batch);
    }

    /// Passes a batch to the worker, or drops it without the lock, which reports its outcome.
    fn hand_over_unless_ended(&self, state: MutexGuard<'_, State>, batch: PendingBatch) {
        if state.phase == Phase::Ended {
            drop(state);
            drop(batch);
        } else {
            self.hand_over(state, Arrival { pending: batch, given: None });
        }
    }

    /// Counts a batch that was found in the spool.
    #[cfg(feature = "spool")]
    pub(super) fn count_recovered(&self, accepted: SystemTime, bytes: usize) {
        self.lock().counts.recover(accepted, bytes);
    }

    /// Counts the outcome of a batch.
    pub(super) fn settled(
        &self,
        counted: Counted,
        outcome: &Outcome,
        bytes: usize,
        storage: Storage,
    ) {
        let mut state = self.lock();
        state.counts.forget(counted);
        // The batches that were pending when the worker ended were counted at that time.
        if state.phase != Phase::Ended {
            state.counts.settle(outcome, bytes, storage);
        }
    }

    pub(super) fn has_hook(&self) -> bool {
        self.hook.is_some()
    }

    /// Calls the outcome hook, if there is one. The call keeps the capacity of the batch until it returns.
    pub(super) fn call_hook(&self, result: BatchResult, permit: Permit) {
        if let Some(hook) = &self.hook {
            hook.call(result, permit);
        }
    }

    pub(super) fn hook(&self) -> Option<&OutcomeHook> {
        self.hook.as_ref()
    }

    pub(super) fn set_paused(&self, paused: Option<Pause>) {
        self.lock().counts.stats.paused = paused;
    }

    pub(super) fn set_health(&self, failing_since: Option<SystemTime>, last: Option<ErrorKind>) {
        let stats = &mut self.lock().counts.stats;
        stats.failing_since = failing_since;
        stats.last_error = last;
    }

    /// Returns the number of pending batches that were accepted before a flush.
    pub(super) fn pending_before(&self, epoch: u64) -> u64 {
        self.lock().counts.pending_before(epoch)
    }

    /// Records that the queue was full for a caller.
    pub(super) fn notify_full(&self) {
        let was_full = std::mem::replace(&mut self.lock().incoming.was_full, true);
        if !was_full {
            self.wake.notify_one();
        }
    }

    /// Sends a command to the worker. Returns `false` if the worker has ended.
    pub(super) fn command(&self, command: Command) -> bool {
        let mut state = self.lock();
        let is_alive = state.phase != Phase::Ended;
        if is_alive {
            state.incoming.commands.push(command);
        }
        drop(state);
        self.wake.notify_one();
        is_alive
    }

    /// Begins a flush. Returns its epoch and the counts at its beginning.
    pub(super) fn begin_flush(&self) -> (u64, Stats) {
        let counts = &mut self.lock().counts;
        (counts.begin_flush(), counts.stats)
    }

    /// Closes the queue for further batches. Returns the counts.
    pub(super) fn close(&self) -> Stats {
        let mut state = self.lock();
        state.phase = state.phase.max(Phase::Closing);
        let before = state.counts.stats;
        drop(state);
        self.capacity.close();
        before
    }

    /// Takes the batches and commands for the worker.
    pub(super) fn take_incoming(&self) -> Incoming {
        std::mem::take(&mut self.lock().incoming)
    }

    /// Sets when the worker is woken: when the next request is full, in view of the batches and bytes that the worker
    /// has accumulated, or by the first batch if `accumulated` is `None`. Returns `false` if the worker must not wait.
    pub(super) fn wake_when_full(&self, accumulated: Option<(usize, usize)>) -> bool {
        let mut state = self.lock();
        state.wake_after = match accumulated {
            Some((batches, bytes)) => WakeAfter {
                batches: WAKE_AFTER_BATCHES.saturating_sub(batches),
                bytes: MAX_REQUEST_BYTES.saturating_sub(bytes),
            },
            None => WakeAfter::default(),
        };
        !state.incoming.wakes(state.wake_after) && state.incoming.commands.is_empty()
    }

    pub(super) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits until the worker is woken.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Ends the queue, and counts the pending batches as dropped or left in the spool. Returns the batches and commands
    /// that the worker had not taken.
    pub(super) fn end(&self) -> Incoming {
        self.capacity.close();
        let mut state = self.lock();
        if state.phase != Phase::Ended {
            state.phase = Phase::Ended;
            state.counts.drop_volatile();
        }
        std::mem::take(&mut state.incoming)
    }

    fn hand_over(&self, mut state: MutexGuard<'_, State>, arrival: Arrival) {
        let wake_after = state.wake_after;
        let was_awake = state.incoming.wakes(wake_after);
        state.incoming.bytes += arrival.pending.content.len();
        state.incoming.batches.push(arrival);
        let wakes = !was_awake && state.incoming.wakes(wake_after);
        drop(state);
        if wakes || self.capacity.has_waiters() {
            self.wake.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Incoming {
    fn wakes(&self, after: WakeAfter) -> bool {
        !self.batches.is_empty()
            && (self.batches.len() >= after.batches || self.bytes >= after.bytes)
    }
}
