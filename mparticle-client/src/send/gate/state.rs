//! What the gate allows at a given time.
//!
//! What holds of it:
//! - While it is closed, nobody enters. A later answer never makes it open earlier.
//! - After a closing, those under way who entered after it are never more than the allowance: one at first, twice as
//!   many with each success. Answers to requests from before the closing change nothing about that, save that another
//!   429 closes it again.
//! - While requests are spaced out, one that may enter but for the spacing waits a second for it at most, so that who
//!   sends seldom is hardly slowed.
//! - A cancelled request leaves no trace.

use super::meter::{Count, Meter};
use super::pace::{Pacing, Throttling, asks_for_pacing, interval};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// An allowance of this many requests at a time binds nobody any more.
const FULLY_OPEN: u32 = 64;
/// The greatest time that spacing holds back the head of the line.
const GREATEST_SPACING: Duration = Duration::from_secs(1);

/// A sleep may last this much longer than asked for. The next one is shorter for it, or intervals near it would double.
const LATENESS: Duration = Duration::from_millis(2);

/// What the gate allows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct GateState {
    flow: Flow,
    /// How often it was closed. What entered before the last closing tells nothing about the time after it.
    closings: u64,
    /// How often an acceleration limit halved the rate. What entered before is no reason to halve it again.
    halvings: u64,
    meter: Meter,
    pacing: Option<Pacing>,
    throttling: Option<Throttling>,
    spacing: Spacing,
    /// How many wait in line.
    line: usize,
}

/// How many may pass at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Flow {
    #[default]
    Open,
    /// Nobody until then, and not more than the allowance after.
    Held { until: Instant, allowance: u32, under_way: u32 },
}

/// The times before which no further request is sent, one for each spaced-out request. The latest of them counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Spacing {
    /// Of requests that are under way, with their number: any of them may still be cancelled.
    open: BTreeMap<Instant, u32>,
    /// Of those that were answered.
    settled: Option<Instant>,
}

/// Whether a request may enter.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// Yes.
    Now(Permit),
    /// Not before this time.
    At(Instant),
    /// Not before one of those under way is answered.
    AfterAnAnswer,
}

/// What the gate has to know about a request it let through.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub(super) struct Permit {
    closings: u64,
    halvings: u64,
    count: Option<Count>,
    space: Option<Instant>,
}

impl GateState {
    /// Lets a request enter if it may. `since` is when it came first in line, so that spacing holds it back only so long.
    pub(super) fn poll(&mut self, now: Instant, since: Instant) -> Entry {
        let interval = self.interval(now);
        let spaced = interval.and(self.spacing.next()).map(|next| {
            since.checked_add(GREATEST_SPACING).map_or(next, |latest| next.min(latest))
        });
        // Whoever is told a time finds the gate open then, if nothing else happens.
        match spaced.max(self.closed_until()).filter(|at| now < *at) {
            _ if self.is_taken(now) => Entry::AfterAnAnswer,
            Some(at) => Entry::At(at),
            None => Entry::Now(self.admit(now, interval)),
        }
    }

    /// Whether the gate has opened, but not wholly, and as many are under way as may be.
    fn is_taken(&self, now: Instant) -> bool {
        match self.flow {
            Flow::Open => false,
            Flow::Held { until, allowance, under_way } => until <= now && allowance <= under_way,
        }
    }

    fn admit(&mut self, now: Instant, interval: Option<Duration>) -> Permit {
        let is_open = matches!(self.flow, Flow::Open);
        if let Flow::Held { under_way, .. } = &mut self.flow {
            *under_way = under_way.saturating_add(1);
        }
        Permit {
            closings: self.closings,
            halvings: self.halvings,
            count: (is_open && interval.is_none()).then(|| self.meter.count(now)),
            space: interval.and_then(|interval| self.spacing.reserve(now, interval)),
        }
    }

    /// The request was accepted.
    pub(super) fn accepted(&mut self, permit: Permit, used: Option<f64>, now: Instant) {
        if self.is_over(&permit) {
            self.double();
        }
        self.settle(permit);
        if let Some(used) = used {
            self.pace(used, now);
        }
    }

    /// The answer was a 429 for sending too fast.
    pub(super) fn closed(&mut self, permit: Permit, until: Instant, now: Instant) {
        self.settle(permit);
        let until = self.closed_until().map_or(until, |before| before.max(until));
        self.flow = Flow::Held { until, allowance: 1, under_way: 0 };
        self.closings = self.closings.wrapping_add(1);
        self.meter.interrupt(now);
    }

    /// The answer was a 429 for growing too fast.
    pub(super) fn slowed(&mut self, permit: Permit, now: Instant) {
        self.is_over(&permit);
        if permit.halvings == self.halvings {
            let rate = self.allowed_rate(now).or_else(|| self.meter.rate_so_far(now));
            if let Some(rate) = rate {
                self.throttling = Some(Throttling::halve(rate, now));
                self.halvings = self.halvings.wrapping_add(1);
                self.meter.interrupt(now);
            }
        }
        self.settle(permit);
    }

    /// Something else came of it, which tells nothing about the limits.
    pub(super) fn failed(&mut self, permit: Permit) {
        self.is_over(&permit);
        self.settle(permit);
    }

    /// The upload was cancelled.
    #[expect(clippy::needless_pass_by_value, reason = "a permit is settled once")]
    pub(super) fn cancelled(&mut self, permit: Permit) {
        self.is_over(&permit);
        if let Some(count) = permit.count {
            self.meter.forget(count);
        }
        if let Some(next) = permit.space {
            self.spacing.give_back(next);
        }
    }

    /// Until when nobody enters; in the past when the gate has opened since, but not wholly.
    pub(super) fn closed_until(&self) -> Option<Instant> {
        match self.flow {
            Flow::Open => None,
            Flow::Held { until, .. } => Some(until),
        }
    }

    /// How long nobody enters from now on.
    pub(super) fn closed_for(&self, now: Instant) -> Duration {
        self.closed_until().map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// Whether anyone waits in line.
    pub(super) fn has_line(&self) -> bool {
        self.line > 0
    }

    pub(super) fn line_up(&mut self) {
        self.line = self.line.saturating_add(1);
    }

    pub(super) fn leave_line(&mut self) {
        self.line = self.line.saturating_sub(1);
    }

    /// Takes a request off those under way; whether it was one of them.
    fn is_over(&mut self, permit: &Permit) -> bool {
        match &mut self.flow {
            Flow::Held { under_way, .. } if permit.closings == self.closings => {
                *under_way = under_way.saturating_sub(1);
                true
            }
            _ => false,
        }
    }

    fn double(&mut self) {
        if let Flow::Held { allowance, .. } = &mut self.flow {
            *allowance = allowance.saturating_mul(2);
            if *allowance >= FULLY_OPEN {
                self.flow = Flow::Open;
            }
        }
    }

    /// Follows the percentage of the limit that is used. Pacing begins when it is known what to pace.
    fn pace(&mut self, used: f64, now: Instant) {
        let pacing = self.pacing.filter(|pacing| pacing.rate(now).is_some());
        self.pacing = if !asks_for_pacing(used) {
            None
        } else if let Some(pacing) = pacing {
            Some(pacing.heard(used, now))
        } else {
            let usual_rate = self.meter.rate(now);
            if usual_rate.is_some() {
                self.meter.interrupt(now);
            }
            usual_rate.map(|usual_rate| Pacing::new(usual_rate, used, now))
        };
    }

    /// The time between two requests, while they are spaced out.
    fn interval(&mut self, now: Instant) -> Option<Duration> {
        if self.pacing.is_none() && self.throttling.is_none() {
            return None;
        }
        let rate = self.allowed_rate(now);
        if rate.is_none() {
            (self.pacing, self.throttling) = (None, None);
        }
        rate.map(interval)
    }

    fn allowed_rate(&self, now: Instant) -> Option<f64> {
        let paced = self.pacing.and_then(|pacing| pacing.rate(now));
        let throttled = self.throttling.and_then(|throttling| throttling.rate(now));
        paced.into_iter().chain(throttled).reduce(f64::min)
    }

    #[expect(clippy::needless_pass_by_value, reason = "a permit is settled once")]
    fn settle(&mut self, permit: Permit) {
        if let Some(next) = permit.space {
            self.spacing.settle(next);
        }
    }
}

impl Spacing {
    fn next(&self) -> Option<Instant> {
        let open = self.open.last_key_value().map(|(next, _)| *next);
        open.max(self.settled)
    }

    /// Sets the time of the next request by the one that is sent now.
    fn reserve(&mut self, now: Instant, interval: Duration) -> Option<Instant> {
        let is_late = |due: &Instant| now.saturating_duration_since(*due) <= LATENESS;
        let due = self.next().filter(is_late).map_or(now, |due| due.min(now));
        let next = due.checked_add(interval)?;
        let number = self.open.entry(next).or_default();
        *number = number.saturating_add(1);
        Some(next)
    }

    fn settle(&mut self, next: Instant) {
        self.give_back(next);
        self.settled = self.settled.max(Some(next));
    }

    fn give_back(&mut self, next: Instant) {
        if let Some(number) = self.open.get_mut(&next) {
            *number = number.saturating_sub(1);
            if *number == 0 {
                self.open.remove(&next);
            }
        }
    }
}

#[cfg(test)]
mod tests;
