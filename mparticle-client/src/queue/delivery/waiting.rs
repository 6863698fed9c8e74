//! Flushes and shutdowns, and the end of the worker.

use super::{Delivery, Item};
use crate::queue::shared::Command;
use crate::queue::{Report, Stats};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

/// The time by which a shutdown may exceed its timeout, to close the spool and to wait for the outcome hook.
const GRACE_PERIOD: Duration = Duration::from_millis(50);

/// The maximum time for which a shutdown waits for a disk that does not respond.
const MAX_CLOSE_TIME: Duration = Duration::from_secs(5);

/// The interval between retries of failed requests during a flush or a shutdown.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// The number of batches that are settled before the clock is read again.
const SETTLED_AT_ONCE: usize = 256;

pub(super) struct Flush {
    pub(super) epoch: u64,
    pub(super) before: Stats,
    pub(super) deadline: Instant,
    /// The number of calls of the outcome hook that have to return. It is known once every batch has its outcome.
    pub(super) hook_calls: Option<u64>,
    pub(super) reply: oneshot::Sender<Report>,
}

pub(super) struct Shutdown {
    pub(super) deadline: Instant,
    pub(super) replies: Vec<(Stats, oneshot::Sender<Report>)>,
}

impl Delivery {
    /// Whether a flush or a shutdown is in progress.
    pub(super) fn is_awaited(&self) -> bool {
        self.shutdown.is_some() || !self.flushes.is_empty()
    }

    /// Retries failed requests at an interval during a flush or a shutdown.
    pub(super) fn retry_for_waiters(&mut self, now: Instant) {
        if !self.is_awaited() {
            self.next_retry = None;
        } else if self.next_retry.is_none_or(|at| at <= now) {
            self.dispatch.retry_now(now);
            self.next_retry = Some(now + RETRY_INTERVAL);
        }
    }

    /// Returns the earliest deadline of the flushes and the shutdown.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let flushes = self.flushes.iter().map(|flush| flush.deadline);
        flushes.chain(self.shutdown.as_ref().map(|shutdown| shutdown.deadline)).min()
    }

    /// Sends the reports of flushes that are complete, that cannot be completed, or whose timeout has elapsed.
    pub(super) fn answer_flushes(&mut self, now: Instant) {
        if self.flushes.is_empty() {
            return;
        }
        let is_stuck = self.is_stuck();
        for mut flush in std::mem::take(&mut self.flushes) {
            let pending = self.shared.pending_before(flush.epoch);
            if pending == 0 && flush.hook_calls.is_none() {
                flush.hook_calls = Some(self.wait_for_hook(flush.deadline - now));
            }
            let is_complete = flush.hook_calls.is_some_and(|calls| self.hook_returned(calls));
            if is_complete || is_stuck || flush.deadline <= now {
                let report = Report::between(&flush.before, &self.shared.stats());
                // An error means that the caller no longer waits.
                _ = flush.reply.send(Report { pending, ..report });
            } else {
                self.flushes.push(flush);
            }
        }
    }

    /// Wakes the worker when all calls of the outcome hook so far have returned, or when the timeout elapses. Returns
    /// the number of calls.
    ///
    /// A thread of the runtime's pool waits instead of a timer. With paused time, a timer would not wait for the hook.
    fn wait_for_hook(&self, timeout: Duration) -> u64 {
        let Some(hook) = self.shared.hook() else { return 0 };
        let (progress, calls, shared) =
            (Arc::clone(hook.progress()), hook.sent(), Arc::clone(&self.shared));
        if progress.returned() < calls {
            spawn_blocking(move || {
                progress.wait(calls, timeout);
                shared.wake();
            });
        }
        calls
    }

    fn hook_returned(&self, calls: u64) -> bool {
        self.shared.hook().is_none_or(|hook| hook.progress().returned() >= calls)
    }

    /// Whether the shutdown is complete.
    pub(super) fn is_done(&self, now: Instant) -> bool {
        let Some(shutdown) = &self.shutdown else { return false };
        self.is_stuck() || shutdown.deadline <= now || self.shared.stats().pending == 0
    }

    /// Whether the queue is paused and no request is in flight that could change that.
    fn is_stuck(&self) -> bool {
        self.is_paused && self.dispatch.is_idle()
    }

    /// Ends the queue: closes the spool, reports an outcome for every batch, and sends all reports.
    ///
    /// The counts are updated first, which takes almost no time. If reporting the outcomes of many batches takes longer
    /// than the timeout, it continues after the reports were sent.
    pub(super) async fn end(mut self) {
        let now = Instant::now();
        let deadline = self.shutdown.as_ref().map_or(now, |shutdown| shutdown.deadline);
        let until = deadline.clamp(now, now + MAX_CLOSE_TIME) + GRACE_PERIOD;
        self.delete_from_store();
        if let Some(closed) = self.close_store() {
            _ = timeout_at(until, closed).await;
        }
        let mut answers =
            Answers { flushes: std::mem::take(&mut self.flushes), shutdown: self.shutdown.take() };
        let mut count = 0;
        self.abandon(|delivery| {
            count += 1;
            if count % SETTLED_AT_ONCE == 0 && Instant::now() >= until {
                answers.send(delivery);
            }
        });
        if let Some(hook) = self.shared.hook() {
            let (progress, calls) = (Arc::clone(hook.progress()), hook.sent());
            let time_left = until - Instant::now();
            // An error means that the runtime is shutting down.
            _ = spawn_blocking(move || progress.wait(calls, time_left)).await;
        }
        answers.send(&self);
    }

    fn close_store(&mut self) -> Option<oneshot::Receiver<()>> {
        let store = self.store.take()?;
        let (reply, closed) = oneshot::channel();
        store.close(Box::new(move |result| {
            if let Err(error) = result {
                tracing::warn!("the spool was not closed properly: {error:#}");
            }
            // An error means that the worker no longer waits.
            _ = reply.send(());
        }));
        Some(closed)
    }

    /// Reports the outcome of a queue that has ended for every remaining batch. Calls `settled` after each.
    fn abandon(&mut self, mut settled: impl FnMut(&Self)) {
        let incoming = self.shared.end();
        for command in incoming.commands {
            match command {
                Command::Flush { before, reply, .. } | Command::Shutdown { before, reply, .. } => {
                    _ = reply.send(Report::at_the_end(&before, &self.shared.stats()));
                }
                Command::Resume(_) | Command::Sleep { .. } => {}
            }
        }
        let sealed: Vec<_> = self.sealed.drain().map(|(_, batch)| batch).collect();
        for batch in sealed {
            batch.abandon();
            settled(self);
        }
        let accumulated: Vec<_> = self.accumulator.take_all().collect();
        let incoming = incoming.batches.into_iter().map(|arrival| {
            let bytes = arrival.pending.content.len();
            Item::Pending { batches: vec![arrival.pending], bytes }
        });
        for item in accumulated.into_iter().chain(incoming) {
            if let Some(batch) = self.seal(item) {
                batch.abandon();
            }
            settled(self);
        }
    }
}

/// The reports that are to be sent at the end of the queue.
struct Answers {
    flushes: Vec<Flush>,
    shutdown: Option<Shutdown>,
}

impl Answers {
    /// Sends the reports that were not sent yet.
    fn send(&mut self, delivery: &Delivery) {
        let stats = delivery.shared.stats();
        for Flush { before, reply, .. } in self.flushes.drain(..) {
            _ = reply.send(Report::at_the_end(&before, &stats));
        }
        for (before, reply) in
            self.shutdown.take().into_iter().flat_map(|shutdown| shutdown.replies)
        {
            _ = reply.send(Report::at_the_end(&before, &stats));
        }
    }
}

/// A worker that is dropped reports an outcome for every batch, too.
impl Drop for Delivery {
    fn drop(&mut self) {
        self.abandon(|_| {});
        if let Some(store) = self.store.take() {
            store.close(Box::new(|_| {}));
        }
    }
}

/// Returns the earlier of the deadlines on the clock of the caller and on the clock of the worker. A test may have
/// paused one of them.
pub(super) fn earlier(deadline: Instant, timeout: Duration) -> Instant {
    Instant::now().checked_add(timeout).map_or(deadline, |own| own.min(deadline))
}
