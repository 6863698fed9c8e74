//! The line of requests that wait for the rate: their numbers, and the credit that grants numbers in order.
//!
//! Credit grows with time. The first number in line is granted once there is credit for its weight. A granted number
//! blocks no other: further credit goes to the next number, whether or not the owner of the granted number has been
//! polled. A number whose owner has left is skipped, and its credit goes to the next number.
//!
//! Callers may drop their uploads after some time. If numbers were granted strictly in order, each number would then be
//! granted shortly before its owner leaves, too late for a response. Therefore, once the first number in line was
//! abandoned, other numbers lapse at nine tenths of the age that it had reached. Their owners draw new numbers, and
//! younger numbers are granted in time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The heaviest request: a bulk request of 100 batches.
const MAX_WEIGHT: f64 = 100.0;

/// A tolerance for the rounding errors of sums.
const ROUNDING: f64 = 1e-6;

/// The share of the age of an abandoned number at which other numbers lapse.
const LAPSES_AT: f64 = 0.9;

/// The time for which an abandonment has an effect.
const REMEMBERED: Duration = Duration::from_secs(30);

/// A number in the line. Lower numbers go first.
pub(super) type Number = u64;

#[derive(Debug, Default)]
pub(super) struct Line {
    next: Number,
    /// The total weight of all numbers that were ever drawn.
    drawn: u64,
    /// The total weight of all numbers before the first waiting one.
    passed: u64,
    /// The credit for the first waiting number, or for the next number if none is waiting.
    credit: f64,
    waiting: BTreeMap<Number, Member>,
    granted: BTreeSet<Number>,
    abandonment: Option<Abandonment>,
}

#[derive(Debug)]
struct Member {
    weight: u32,
    /// The total weight of all numbers up to and including this one.
    end: u64,
    drawn: Instant,
    wake: Arc<Notify>,
}

/// The reason why a number leaves the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Departure {
    /// The request is sent, or its deadline has passed.
    Done,
    /// The caller has dropped the upload.
    CallerGone,
}

/// The last time at which a caller dropped the first upload in line, and how long that upload had waited.
#[derive(Clone, Copy, Debug)]
struct Abandonment {
    age: Duration,
    seen: Instant,
}

impl Line {
    /// Draws the next number for a request of `weight` batches. `again` is the number that the request had before, if
    /// any, and is used again. `wake` is notified when the state of the number changes.
    pub(super) fn draw(
        &mut self,
        again: Option<Number>,
        weight: u32,
        wake: Arc<Notify>,
        now: Instant,
    ) -> Number {
        if self.is_idle() {
            // Credit that grew while the line was empty is limited to this request. It would allow a burst otherwise.
            self.credit = self.credit.min(f64::from(weight));
        }
        let number = again.unwrap_or_else(|| {
            self.next += 1;
            self.drawn += u64::from(weight);
            self.next
        });
        let end = if again.is_some() { self.passed } else { self.drawn };
        self.waiting.insert(number, Member { weight, end, drawn: now, wake });
        self.grow(0.0, now);
        number
    }

    /// Adds credit, grants the numbers that it covers, and wakes their owners.
    pub(super) fn grow(&mut self, batches: f64, now: Instant) {
        self.credit += batches;
        while let Some(first) = self.waiting.first_entry() {
            let (number, member) = (*first.key(), first.get());
            // The numbers before this one were granted or have left.
            self.passed = self.passed.max(member.end.saturating_sub(u64::from(member.weight)));
            let weight = f64::from(member.weight);
            let is_overdue =
                self.abandonment.is_some_and(|abandonment| abandonment.is_near(member, now));
            if !is_overdue && self.credit + ROUNDING < weight {
                return;
            }
            let member = first.remove();
            if !is_overdue {
                self.credit = (self.credit - weight).max(0.0);
                self.granted.insert(number);
            }
            self.passed = self.passed.max(member.end);
            member.wake.notify_one();
        }
        self.passed = self.drawn;
        self.credit = self.credit.min(MAX_WEIGHT);
    }

    /// Whether no number is waiting.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn is_granted(&self, number: Number) -> bool {
        self.granted.contains(&number)
    }

    /// Whether a number that its owner still uses is no longer in the line.
    pub(super) fn has_lapsed(&self, number: Number) -> bool {
        !self.granted.contains(&number) && !self.waiting.contains_key(&number)
    }

    /// Returns how much more credit the number needs. It needs less if others leave.
    pub(super) fn missing(&self, number: Number) -> f64 {
        let member = self.waiting.get(&number);
        member.map_or(0.0, |member| {
            self.missing_to(member.end).max(f64::from(member.weight) - self.credit)
        })
    }

    /// Returns how much more credit a number would need that is drawn now.
    pub(super) fn missing_for_next(&self, weight: u32) -> f64 {
        self.missing_to(self.drawn + u64::from(weight))
    }

    /// Removes a number from the line.
    pub(super) fn leave(&mut self, number: Number, departure: Departure, now: Instant) {
        let is_first = self.waiting.keys().next() == Some(&number);
        let member = self.waiting.remove(&number);
        if let (Some(member), true, Departure::CallerGone) = (member, is_first, departure) {
            let age = now.saturating_duration_since(member.drawn);
            self.abandonment = Some(Abandonment { age, seen: now });
        }
        self.granted.remove(&number);
        self.grow(0.0, now);
        // The owner of the first number may sleep for too long: there may have been others before it.
        if let Some((_, first)) = self.waiting.first_key_value() {
            first.wake.notify_one();
        }
    }

    /// Wakes the owners of all waiting numbers, for a change that concerns all of them.
    pub(super) fn wake_all(&self) {
        self.waiting.values().for_each(|member| member.wake.notify_one());
    }

    fn missing_to(&self, end: u64) -> f64 {
        let weight = u32::try_from(end.saturating_sub(self.passed)).unwrap_or(u32::MAX);
        (f64::from(weight) - self.credit).max(0.0)
    }
}

impl Abandonment {
    /// Whether the caller is likely to drop this upload soon, too.
    fn is_near(&self, member: &Member, now: Instant) -> bool {
        let waited = now.saturating_duration_since(member.drawn);
        now < self.seen + REMEMBERED && waited > self.age.mul_f64(LAPSES_AT)
    }
}

#[cfg(test)]
mod tests {
    use super::{Departure, Line};
    use std::sync::LazyLock;
    use std::time::Duration;
    use tokio::time::Instant;

    /// Returns the same instant for all tests, to stop time.
    fn now() -> Instant {
        static NOW: LazyLock<Instant> = LazyLock::new(Instant::now);
        *NOW
    }

    fn draw(line: &mut Line, weights: &[u32]) -> Vec<u64> {
        weights.iter().map(|weight| line.draw(None, *weight, <_>::default(), now())).collect()
    }

    fn granted(line: &Line, numbers: &[u64]) -> Vec<bool> {
        numbers.iter().map(|number| line.is_granted(*number)).collect()
    }

    #[test]
    fn numbers_are_granted_in_order_as_credit_grows() {
        let mut line = Line::default();
        let numbers = draw(&mut line, &[1, 100, 1]);
        for (credit, expected) in [
            (0.5, [false, false, false]),
            (0.5, [true, false, false]),
            (99.0, [true, false, false]),
            (1.0, [true, true, false]),
            (1.0, [true, true, true]),
        ] {
            line.grow(credit, now());
            assert_eq!(granted(&line, &numbers), expected, "after {credit} more");
        }
    }

    #[test]
    fn an_owner_that_is_never_polled_blocks_no_other() {
        let mut line = Line::default();
        let numbers = draw(&mut line, &[1, 1, 1]);
        line.grow(3.0, now());
        line.leave(numbers[2], Departure::Done, now());
        let later = draw(&mut line, &[1]);
        line.grow(1.0, now());
        assert!(line.is_granted(later[0]));
    }

    #[test]
    fn an_abandoned_number_takes_no_time_and_its_credit_goes_to_the_next() {
        let mut line = Line::default();
        let numbers = draw(&mut line, &[100, 60, 1, 1]);
        line.grow(60.0, now());
        line.leave(numbers[0], Departure::CallerGone, now());
        assert_eq!(granted(&line, &numbers[1..]), [true, false, false]);
        line.leave(numbers[2], Departure::CallerGone, now());
        assert!((line.missing(numbers[3]) - 1.0).abs() < 1e-9);
        line.grow(1.0, now());
        assert!(line.is_granted(numbers[3]));
    }

    #[test]
    fn once_the_first_was_abandoned_numbers_lapse_before_they_reach_its_age() {
        let (mut line, start) = (Line::default(), now());
        let at = |tenths: u32| start + tenths * Duration::from_millis(100);
        let draw = |line: &mut Line, tenths| line.draw(None, 1, <_>::default(), at(tenths));
        let [first, second, third] = [0, 1, 15].map(|tenths| draw(&mut line, tenths));
        line.leave(second, Departure::CallerGone, at(16));
        line.grow(0.0, at(19));
        assert!(!line.has_lapsed(first), "only the first in line counts");
        line.leave(first, Departure::CallerGone, at(20));
        let [old, young] = [20, 25].map(|tenths| draw(&mut line, tenths));
        line.grow(1.0, at(21));
        assert!(line.is_granted(third));
        line.grow(1.0, at(39));
        assert!(line.has_lapsed(old) && line.is_granted(young));
        // After half a minute, the abandonment no longer has an effect.
        let old = draw(&mut line, 40);
        line.grow(0.5, at(321));
        assert!(!line.has_lapsed(old));
        // A deadline that has passed is not an abandonment.
        line.leave(old, Departure::Done, at(322));
        let old = draw(&mut line, 322);
        line.grow(0.1, at(621));
        assert!(!line.has_lapsed(old));
    }

    #[test]
    fn a_request_that_was_refused_is_sent_before_younger_ones() {
        let mut line = Line::default();
        let numbers = draw(&mut line, &[1, 1, 1]);
        line.grow(1.0, now());
        line.leave(numbers[0], Departure::CallerGone, now());
        assert_eq!(line.draw(Some(numbers[0]), 1, <_>::default(), now()), numbers[0]);
        assert!((line.missing(numbers[0]) - 1.0).abs() < 1e-9);
        line.grow(1.0, now());
        assert_eq!(granted(&line, &numbers), [true, false, false]);
        line.grow(2.0, now());
        assert_eq!(granted(&line, &numbers), [true, true, true]);
    }

    #[test]
    fn credit_that_grows_while_the_line_is_empty_covers_one_request() {
        for weight in [1, 100] {
            let mut line = Line::default();
            line.grow(1e9, now());
            let numbers = draw(&mut line, &[weight, 1]);
            assert_eq!(granted(&line, &numbers), [true, false]);
        }
    }

    #[test]
    fn the_missing_credit_includes_the_numbers_ahead() {
        let mut line = Line::default();
        let numbers = draw(&mut line, &[10, 5]);
        line.grow(2.5, now());
        let missing =
            [line.missing(numbers[0]), line.missing(numbers[1]), line.missing_for_next(1)];
        for (found, expected) in missing.into_iter().zip([7.5, 12.5, 13.5]) {
            assert!((found - expected).abs() < 1e-9, "{missing:?}");
        }
        line.grow(100.0, now());
        assert!(line.missing(numbers[1]) < 1e-9);
    }
}
