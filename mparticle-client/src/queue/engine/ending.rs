//! Flushes and shutdowns: what is hurried for them, what they are told, and how the worker ends.

use super::{Engine, Work};
use crate::queue::filling::Group;
use crate::queue::spool::Closed;
use crate::queue::{Report, Stats};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

/// How long the spool may take to close when the worker ends. Longer only if the disk hangs.
const CLOSING: Duration = Duration::from_secs(5);

/// How long a failed request waits at most to be made again while a flush or a shutdown waits for it, unless the server
/// asked for more.
const IMPATIENCE: Duration = Duration::from_secs(1);

pub(super) struct Flush {
    pub(super) wave: u64,
    pub(super) before: Stats,
    pub(super) deadline: Instant,
    pub(super) reply: oneshot::Sender<Report>,
}

pub(super) struct Closing {
    pub(super) deadline: Instant,
    pub(super) replies: Vec<(Stats, oneshot::Sender<Report>)>,
}

impl Engine {
    /// Whether someone waits for everything to be sent.
    pub(super) fn hurries(&self) -> bool {
        self.closing.is_some() || !self.flushes.is_empty()
    }

    /// Has failed requests made again, from time to time.
    pub(super) fn hurry(&mut self, now: Instant) {
        if self.patient_until.is_none_or(|until| until <= now) {
            self.sender.retry_now();
            self.patient_until = Some(now + IMPATIENCE);
        }
    }

    pub(super) fn answer_flushes(&mut self, now: Instant) {
        if self.flushes.is_empty() {
            return;
        }
        let is_stuck = self.is_paused && self.running.is_empty();
        let stats = self.shared.stats();
        for flush in std::mem::take(&mut self.flushes) {
            let pending = self.shared.outstanding(flush.wave);
            if pending == 0 || is_stuck || flush.deadline <= now {
                let report = Report { pending, ..Report::between(&flush.before, &stats) };
                // Whoever does not wait any more does not want to know.
                _ = flush.reply.send(report);
            } else {
                self.flushes.push(flush);
            }
        }
    }

    pub(super) fn is_done(&self, now: Instant) -> bool {
        let Some(closing) = &self.closing else { return false };
        let is_stuck = self.is_paused && self.running.is_empty();
        is_stuck || closing.deadline <= now || self.shared.stats().pending == 0
    }

    /// Gives up what is left, and says so.
    pub(super) async fn end(mut self) {
        let flushes = std::mem::take(&mut self.flushes);
        let closing = self.closing.take();
        if let Some(closed) = self.abandon() {
            _ = timeout(CLOSING, closed).await;
        }
        let stats = self.shared.stats();
        for Flush { before, reply, .. } in flushes {
            _ = reply.send(Report::at_the_end(&before, &stats));
        }
        for (before, reply) in closing.into_iter().flat_map(|closing| closing.replies) {
            _ = reply.send(Report::at_the_end(&before, &stats));
        }
    }

    /// Settles everything that is left, and begins to close the spool.
    fn abandon(&mut self) -> Option<Closed> {
        let arrivals = self.shared.end();
        self.running.clear();
        self.flights.clear();
        self.line_up_all();
        let waiting: Vec<Work> = self.waiting.take_all().map(|(_, work)| work).collect();
        for work in waiting {
            self.parcels_of_work(work);
        }
        for arrival in arrivals.batches {
            self.parcels_of(vec![Group::of(arrival.entry, Vec::new())]);
        }
        for (_, parcel) in self.parcels.drain() {
            parcel.abandon();
        }
        self.spool.take().map(|spool| spool.close())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        _ = self.abandon();
    }
}

/// A deadline by the caller's clock, which may be one that a test has stopped; then what the worker's says.
pub(super) fn earlier(deadline: Instant, timeout: Duration) -> Instant {
    Instant::now().checked_add(timeout).map_or(deadline, |own| own.min(deadline))
}
