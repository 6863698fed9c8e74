//! What the handles of a queue and its worker share: the counts, and what goes from the ones to the other.
//!
//! Everything is behind one lock, which is held for moments only and never while a function of the caller runs. So the
//! counts are of one moment, and what was counted has been handed over.

use super::entry::Arrival;
use super::hook::Hook;
use super::ids::Ids;
use super::room::Room;
use super::ticket::Tally;
use super::{Outcome, Report, Stats};
use crate::encoding::MAX_REQUEST_BYTES;
use crate::send::RequestSender;
use std::collections::BTreeMap;
use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

/// After how many batches the worker is woken before its time. A little more than a request holds, so that fewer than
/// one call of a hundred pays for waking a thread.
const WAKING_BATCHES: usize = 128;

/// What tells the time of day.
pub(super) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// What the worker is asked to do.
pub(super) enum Command {
    /// Send everything accepted so far.
    Flush {
        wave: u64,
        before: Stats,
        deadline: Instant,
        timeout: Duration,
        reply: oneshot::Sender<Report>,
    },
    /// Send everything, then end.
    Shutdown { before: Stats, deadline: Instant, timeout: Duration, reply: oneshot::Sender<Report> },
    /// Send with other credentials, or try again with the same.
    Resume(Option<Arc<RequestSender>>),
}

pub(super) struct Shared {
    pub(super) room: Arc<Room>,
    pub(super) ids: Ids,
    hook: Option<Hook>,
    clock: Clock,
    process: u32,
    state: Mutex<State>,
    /// Tells the worker to look.
    called: Notify,
}

#[derive(Default)]
struct State {
    stats: Stats,
    phase: Phase,
    arrivals: Arrivals,
    alarm: Alarm,
    /// Batches that were accepted between two flushes have the same number.
    wave: u64,
    /// How many of each wave are pending.
    outstanding: BTreeMap<u64, u64>,
}

/// What the worker has not seen yet.
#[derive(Default)]
pub(super) struct Arrivals {
    pub(super) batches: Vec<Arrival>,
    pub(super) commands: Vec<Command>,
    /// Whether someone found no room, so that waiting for company makes no sense.
    pub(super) crowded: bool,
    bytes: usize,
    held: Held,
}

/// What the worker has while it waits.
#[derive(Clone, Copy, Default)]
pub(super) struct Held {
    /// How many batches, after joining, of the request that arrivals would fill.
    pub(super) batches: usize,
    pub(super) bytes: usize,
    /// Whether it will look when something that is under way has ended.
    pub(super) is_busy: bool,
}

/// Whether the worker has to be woken for the first arrival.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Alarm {
    #[default]
    Unset,
    /// It wakes up by itself in time.
    Set,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    #[default]
    Open,
    /// Takes nothing more, delivers what it has.
    Closing,
    /// The worker is gone.
    Ended,
}

impl Shared {
    pub(super) fn new(room: Room, hook: Option<Hook>, clock: Clock) -> Self {
        Self {
            room: Arc::new(room),
            ids: Ids::new(),
            hook,
            clock,
            process: process::id(),
            state: Mutex::default(),
            called: Notify::new(),
        }
    }

    /// The time of day.
    pub(super) fn now(&self) -> SystemTime {
        (self.clock)()
    }

    /// Whether this is another process than the one in which the worker runs.
    pub(super) fn is_forked(&self) -> bool {
        process::id() != self.process
    }

    pub(super) fn is_open(&self) -> bool {
        // A forked process may have a lock that nobody is left to release.
        !self.is_forked() && self.lock().phase == Phase::Open
    }

    pub(super) fn stats(&self) -> Stats {
        if self.is_forked() {
            return Stats::default();
        }
        self.lock().stats
    }

    /// Takes a batch in, unless the queue is closed.
    pub(super) fn accept(&self, mut arrival: Arrival) -> Result<(), Box<Arrival>> {
        let mut state = self.lock();
        if state.phase != Phase::Open {
            return Err(Box::new(arrival));
        }
        state.count(&mut arrival);
        let alarm = state.alarm;
        let wakes = state.arrivals.push(arrival, alarm) || self.is_stuck(&state);
        drop(state);
        if wakes {
            self.called.notify_one();
        }
        Ok(())
    }

    /// Counts a batch that the worker gets later, unless the queue is closed.
    #[cfg(feature = "spool")]
    pub(super) fn count(&self, arrival: &mut Arrival) -> bool {
        let mut state = self.lock();
        let is_open = state.phase == Phase::Open;
        if is_open {
            state.count(arrival);
        }
        is_open
    }

    /// Takes batches in that the spool holds, counting those that are not counted yet. If the worker is gone they stay
    /// in the spool.
    #[cfg(feature = "spool")]
    pub(super) fn accept_stored(&self, arrivals: impl Iterator<Item = Arrival>) {
        let mut late = Vec::new();
        let mut wakes = false;
        let mut state = self.lock();
        for mut arrival in arrivals {
            if !arrival.entry.ticket.is_counted() {
                state.count(&mut arrival);
            }
            if state.phase == Phase::Ended {
                late.push(arrival);
            } else {
                let alarm = state.alarm;
                wakes |= state.arrivals.push(arrival, alarm);
            }
        }
        wakes |= self.is_stuck(&state);
        drop(state);
        if wakes {
            self.called.notify_one();
        }
        // BatchResult here, without the lock.
        drop(late);
    }

    /// Counts a batch that was found in the spool.
    #[cfg(feature = "spool")]
    pub(super) fn recover(&self, ticket: &mut super::ticket::Ticket) {
        let mut state = self.lock();
        state.stats.recovered += 1;
        let wave = state.enter(ticket.bytes());
        ticket.counted(wave);
    }

    pub(super) fn set_paused(&self, paused: bool) {
        self.lock().stats.paused = paused;
    }

    /// How many batches of a wave and all before it are pending.
    pub(super) fn outstanding(&self, wave: u64) -> u64 {
        self.lock().outstanding.range(..=wave).map(|(_, count)| count).sum()
    }

    /// Says that there was no room for someone.
    pub(super) fn crowd(&self) {
        let first = !std::mem::replace(&mut self.lock().arrivals.crowded, true);
        if first {
            self.called.notify_one();
        }
    }

    /// Asks the worker for something; `false` if it is gone.
    pub(super) fn ask(&self, command: Command) -> bool {
        let mut state = self.lock();
        let listens = state.phase != Phase::Ended;
        if listens {
            state.arrivals.commands.push(command);
        }
        drop(state);
        self.called.notify_one();
        listens
    }

    /// Begins a flush: its number, and the counts as it begins.
    pub(super) fn begin_flush(&self) -> (u64, Stats) {
        let mut state = self.lock();
        let wave = state.wave;
        state.wave += 1;
        (wave, state.stats)
    }

    /// Lets no more batches in.
    pub(super) fn close(&self) -> Stats {
        let mut state = self.lock();
        state.phase = state.phase.max(Phase::Closing);
        let before = state.stats;
        drop(state);
        self.room.close();
        before
    }

    /// What has come for the worker, which is awake from now on.
    pub(super) fn take(&self) -> Arrivals {
        let mut state = self.lock();
        state.alarm = Alarm::Set;
        let room = Vec::with_capacity(state.arrivals.batches.len().min(4 * WAKING_BATCHES));
        let next = Arrivals { batches: room, ..Arrivals::default() };
        std::mem::replace(&mut state.arrivals, next)
    }

    /// Notes what the worker holds of a request that is not full, and waits with. `false`: enough has come in the
    /// meantime to fill it.
    pub(super) fn hold(&self, held: Held) -> bool {
        let mut state = self.lock();
        state.arrivals.held = held;
        let Arrivals { batches, bytes, .. } = &state.arrivals;
        let (count, bytes) = (held.batches + batches.len(), held.bytes + bytes);
        batches.is_empty()
            || (count < WAKING_BATCHES && bytes < MAX_REQUEST_BYTES && !self.is_stuck(&state))
    }

    /// Notes that the worker will not look by itself. `false`: something has come in the meantime.
    pub(super) fn sleep(&self) -> bool {
        let mut state = self.lock();
        let nothing_came = state.arrivals.batches.is_empty() && state.arrivals.commands.is_empty();
        if nothing_came {
            state.alarm = Alarm::Unset;
        }
        nothing_came
    }

    /// Waits until the worker is wanted.
    pub(super) async fn called(&self) {
        self.called.notified().await;
    }

    /// Notes that the worker is gone; what had come for it is returned.
    pub(super) fn end(&self) -> Arrivals {
        self.room.close();
        let mut state = self.lock();
        state.phase = Phase::Ended;
        std::mem::take(&mut state.arrivals)
    }

    /// Whether someone waits for room that nothing under way is going to make.
    fn is_stuck(&self, state: &State) -> bool {
        !state.arrivals.held.is_busy && self.room.is_crowded()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tally for Shared {
    fn settled(&self, wave: u64, outcome: &Outcome, bytes: usize) {
        let mut state = self.lock();
        state.stats.settled(outcome, bytes);
        if let Some(count) = state.outstanding.get_mut(&wave) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                state.outstanding.remove(&wave);
            }
        }
    }

    fn hook(&self) -> Option<&Hook> {
        self.hook.as_ref()
    }
}

impl State {
    fn count(&mut self, arrival: &mut Arrival) {
        self.stats.accepted += 1;
        let wave = self.enter(arrival.entry.ticket.bytes());
        arrival.entry.ticket.counted(wave);
    }

    fn enter(&mut self, bytes: usize) -> u64 {
        self.stats.entered(bytes);
        *self.outstanding.entry(self.wave).or_default() += 1;
        self.wave
    }
}

impl Arrivals {
    /// Adds a batch; whether the worker has to be woken.
    fn push(&mut self, arrival: Arrival, alarm: Alarm) -> bool {
        let Held { batches: batches_held, bytes: bytes_held, .. } = self.held;
        let bytes_before = bytes_held + self.bytes;
        self.bytes += arrival.entry.ticket.bytes();
        self.batches.push(arrival);
        let enough = batches_held + self.batches.len() == WAKING_BATCHES
            || (bytes_before < MAX_REQUEST_BYTES && bytes_held + self.bytes >= MAX_REQUEST_BYTES);
        enough || (alarm == Alarm::Unset && self.batches.len() == 1)
    }
}
