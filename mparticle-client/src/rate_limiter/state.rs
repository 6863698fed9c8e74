//! The state of the rate limiter, and the decision which requests may be sent. It neither waits nor reads a clock.

use super::line::{Departure, Line, Number};
use super::snapshot::RateLimiterSnapshot;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The lowest rate, in batches per second.
const MIN_RATE: f64 = 1.0;
/// The first rate if the limit is not known, in batches per second.
const FIRST_RATE: f64 = 10.0;
/// The new rate as a share of the batches that were accepted in the last second.
const DECREASE: f64 = 0.9;
/// The time after a decrease in which the rate does not grow.
const HOLD: Duration = Duration::from_secs(8);
/// The growth of the rate per second.
const GROWTH: f64 = 0.02;
/// The growth per second while mParticle reports that less than half of the limit is used.
const FAST_GROWTH: f64 = 0.2;
/// The growth per second while the limit is not known.
const DOUBLING: f64 = 1.0;
/// The time after which a rate is dropped if it delayed no request.
const UNUSED: Duration = Duration::from_secs(60);
/// The time over which accepted batches are counted.
const WINDOW: Duration = Duration::from_secs(1);
/// The interval between two probes while the limiter is closed.
const PROBE_EVERY: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct State {
    /// `None` if there is no limit, which is the normal state.
    rate: Option<Rate>,
    line: Line,
    /// The time up to which credit was added.
    grown: Option<Instant>,
    closing: Option<Closing>,
    /// The batches that were accepted within the last second.
    accepted: VecDeque<(Instant, u32)>,
}

#[derive(Debug)]
struct Rate {
    /// Batches per second.
    value: f64,
    phase: Phase,
    /// When the rate was created or last decreased.
    decreased: Instant,
    /// Whether a request that was sent since then was accepted.
    is_proven: bool,
    /// The time before which the rate does not grow.
    holds_until: Instant,
    /// The time up to which the growth was computed.
    grown: Instant,
    /// When the rate last delayed a request.
    binding: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The limit is not known: the rate doubles every second until the next 429.
    Doubling,
    /// The limit is known approximately: the rate grows slowly.
    Steady,
}

#[derive(Clone, Copy, Debug)]
struct Closing {
    since: Instant,
    until: Instant,
    next_probe: Instant,
}

/// The position of a request in the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// The slot was reserved while there was no rate.
    Unlimited,
    Numbered(Number),
}

/// Whether a request with a slot may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readiness {
    Ready,
    /// The request may be sent after this time.
    After(Duration),
    /// The slot was reserved before there was a rate, or too long ago. Another slot has to be reserved.
    Lapsed,
}

impl State {
    /// Reserves a slot for a request of `weight` batches. If the request would not be allowed before the deadline,
    /// returns the time after which it would be. A request that was sent and not accepted passes its old slot as
    /// `again`, and is then sent before younger requests.
    pub(super) fn reserve(
        &mut self,
        again: Option<Slot>,
        weight: u32,
        wake: &Arc<Notify>,
        now: Instant,
        deadline: Option<Instant>,
    ) -> Result<Slot, Duration> {
        self.advance(now);
        let again = match again {
            Some(Slot::Numbered(number)) => Some(number),
            Some(Slot::Unlimited) | None => None,
        };
        let wait = self.wait_for_next(again.is_some(), weight, now);
        // A request without a wait may be sent even if a timer has woken it slightly after the deadline.
        if deadline.is_some_and(|deadline| !wait.is_zero() && now + wait > deadline) {
            return Err(wait);
        }
        let Some(rate) = &mut self.rate else { return Ok(Slot::Unlimited) };
        let number = self.line.draw(again, weight, Arc::clone(wake), now);
        if !self.line.is_granted(number) {
            rate.binding = now;
        }
        Ok(Slot::Numbered(number))
    }

    /// Returns whether the request with a slot may be sent.
    pub(super) fn readiness(&mut self, slot: Slot, now: Instant) -> Readiness {
        self.advance(now);
        let closed_for = self.closed_for(now);
        if !closed_for.is_zero() {
            return if self.is_probe_due(now) {
                Readiness::Ready
            } else {
                Readiness::After(closed_for)
            };
        }
        match (slot, &self.rate) {
            (_, None) => Readiness::Ready,
            (Slot::Unlimited, Some(_)) => Readiness::Lapsed,
            (Slot::Numbered(number), Some(_)) if self.line.has_lapsed(number) => Readiness::Lapsed,
            (Slot::Numbered(number), Some(_)) if self.line.is_granted(number) => Readiness::Ready,
            (Slot::Numbered(number), Some(rate)) => {
                Readiness::After(seconds(self.line.missing(number) / rate.value))
            }
        }
    }

    /// Returns the same as [`readiness`](Self::readiness). A request that is sent while the limiter is closed counts as
    /// a probe.
    pub(super) fn start(&mut self, slot: Slot, now: Instant) -> Readiness {
        let readiness = self.readiness(slot, now);
        if let (Readiness::Ready, Some(closing)) = (readiness, &mut self.closing) {
            closing.next_probe = now + PROBE_EVERY;
        }
        readiness
    }

    /// Removes a slot from the line.
    pub(super) fn leave(&mut self, slot: Slot, departure: Departure, now: Instant) {
        if let Slot::Numbered(number) = slot {
            self.line.leave(number, departure, now);
        }
    }

    /// Handles an accepted request that was sent at `sent`. `used` is the used percentage of the limit.
    pub(super) fn accepted(&mut self, weight: u32, used: Option<f64>, sent: Instant, now: Instant) {
        self.advance(now);
        if self.closing.is_some_and(|closing| sent > closing.since) {
            // A probe was accepted: mParticle accepts requests again before the closing ends.
            self.closing = None;
            self.line.wake_all();
        }
        self.accepted.push_back((now, weight));
        self.forget_acceptances(now);
        if let Some(rate) = &mut self.rate {
            rate.is_proven |= sent > rate.decreased;
            rate.grow(used, now);
        }
    }

    /// Handles status 429 for a request that was sent at `sent`: closes the limiter, then decreases the rate.
    pub(super) fn refused(&mut self, closed_for: Duration, sent: Instant, now: Instant) {
        self.advance(now);
        let accepted = self.accepted_per_second(now);
        match &mut self.rate {
            None if accepted < FIRST_RATE => self.make_rate(FIRST_RATE, Phase::Doubling, now),
            None => self.make_rate(DECREASE * accepted, Phase::Steady, now),
            // The request was sent before the last decrease, which already accounts for it.
            Some(rate) if sent <= rate.decreased => {}
            Some(rate) if rate.is_proven => rate.decrease(accepted, now),
            // Nothing was accepted at this rate. The accepted batches therefore do not measure the limit.
            Some(rate) if rate.phase == Phase::Steady => rate.decrease(DECREASE * rate.value, now),
            Some(_) => {}
        }
        if closed_for > self.closed_for(now) {
            self.close(closed_for, now);
        }
    }

    /// Handles status 429 because the rate grows faster than mParticle allows. The rate does not grow for `hold_for`.
    pub(super) fn accelerated(&mut self, hold_for: Duration, now: Instant) {
        self.advance(now);
        if self.rate.is_none() {
            let accepted = self.accepted_per_second(now);
            let value = if accepted > 0.0 { accepted } else { FIRST_RATE };
            self.make_rate(value, Phase::Steady, now);
        }
        if let Some(rate) = &mut self.rate {
            rate.phase = Phase::Steady;
            rate.holds_until = rate.holds_until.max(now + hold_for);
        }
    }

    /// Returns the time for which nothing is sent, except probes.
    pub(super) fn closed_for(&self, now: Instant) -> Duration {
        self.closing.map(|closing| closing.until.saturating_duration_since(now)).unwrap_or_default()
    }

    pub(super) fn snapshot(&self, now: Instant) -> RateLimiterSnapshot {
        let batches_per_second = self.rate.as_ref().map(|rate| rate.value);
        RateLimiterSnapshot { batches_per_second, closed_for: self.closed_for(now) }
    }

    pub(super) fn restore(&mut self, snapshot: &RateLimiterSnapshot, now: Instant) {
        self.advance(now);
        let value = snapshot.batches_per_second.filter(|rate| rate.is_finite());
        match (value, &mut self.rate) {
            (None, _) => self.rate = None,
            (Some(value), None) => self.make_rate(value, Phase::Steady, now),
            (Some(value), Some(rate)) => rate.value = value.max(MIN_RATE),
        }
        self.close(snapshot.closed_for, now);
    }

    fn close(&mut self, closed_for: Duration, now: Instant) {
        let (until, next_probe) = (now + closed_for, now + PROBE_EVERY);
        self.closing = Some(Closing { since: now, until, next_probe });
        self.line.wake_all();
    }

    /// Adds the credit up to `now`, and drops a rate that is no longer needed.
    fn advance(&mut self, now: Instant) {
        let mut from = self.grown.unwrap_or(now);
        if let Some(closing) = self.closing {
            from = from.max(closing.until);
            self.closing = Some(closing).filter(|closing| closing.until > now);
        }
        self.grown = self.grown.max(Some(now));
        let Some(rate) = &mut self.rate else { return };
        self.line.grow(rate.value * now.saturating_duration_since(from).as_secs_f64(), now);
        if self.closing.is_some() || !self.line.is_idle() {
            rate.binding = now;
        } else if now > rate.binding + UNUSED {
            self.rate = None;
        }
    }

    /// Returns how long a slot that is reserved now would have to wait.
    fn wait_for_next(&self, goes_first: bool, weight: u32, now: Instant) -> Duration {
        if self.is_probe_due(now) {
            return Duration::ZERO;
        }
        let in_line = match &self.rate {
            // A rate that doubles is a guess. No request should fail because of it.
            Some(rate) if rate.phase == Phase::Steady && !goes_first => {
                seconds(self.line.missing_for_next(weight) / rate.value)
            }
            _ => Duration::ZERO,
        };
        self.closed_for(now).saturating_add(in_line)
    }

    /// Whether one request may be sent although the limiter is closed. Because of these probes, a wrong header cannot
    /// stop a process for an hour.
    fn is_probe_due(&self, now: Instant) -> bool {
        self.closing.is_some_and(|closing| now >= closing.next_probe && now < closing.until)
    }

    fn make_rate(&mut self, value: f64, phase: Phase, now: Instant) {
        self.rate = Some(Rate {
            value: value.max(MIN_RATE),
            phase,
            decreased: now,
            is_proven: false,
            holds_until: now + HOLD,
            grown: now,
            binding: now,
        });
    }

    /// Returns how many batches were accepted in the last second.
    fn accepted_per_second(&mut self, now: Instant) -> f64 {
        self.forget_acceptances(now);
        self.accepted.iter().map(|(_, weight)| f64::from(*weight)).sum()
    }

    fn forget_acceptances(&mut self, now: Instant) {
        while self.accepted.front().is_some_and(|(at, _)| *at + WINDOW <= now) {
            self.accepted.pop_front();
        }
    }
}

impl Rate {
    fn decrease(&mut self, accepted: f64, now: Instant) {
        // At a low rate, a second is too short to count acceptances reliably. The rate is therefore at most halved.
        let accepted = accepted.min(self.value).max(self.value / 2.0);
        self.value = (DECREASE * accepted).max(MIN_RATE);
        self.phase = Phase::Steady;
        self.decreased = now;
        self.is_proven = false;
        self.holds_until = self.holds_until.max(now + HOLD);
        self.grown = now;
    }

    fn grow(&mut self, used: Option<f64>, now: Instant) {
        let elapsed = now.saturating_duration_since(self.grown).min(WINDOW).as_secs_f64();
        self.grown = now;
        let growth = match self.phase {
            Phase::Doubling if used.is_none_or(|used| used < 80.0) => DOUBLING,
            _ if now <= self.holds_until => return,
            _ if used.is_some_and(|used| used < 50.0) => FAST_GROWTH,
            _ => GROWTH,
        };
        self.value *= (1.0 + growth).powf(elapsed);
    }
}

/// Converts a number of seconds into a duration of at most a day.
fn seconds(seconds: f64) -> Duration {
    const DAY: f64 = 24.0 * 60.0 * 60.0;
    Duration::from_secs_f64(seconds.clamp(0.0, DAY))
}

#[cfg(test)]
mod tests;
