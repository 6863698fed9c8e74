//! The line of requests that wait for the rate: numbers, and the credit that serves them in order.
//!
//! Credit grows with time. The first number that has not been granted is granted once there is credit for its weight.
//! A grant is kept for its owner but blocks nobody: the credit goes on to the next number, whether or not the owner has
//! been polled. A number whose owner has left is skipped, and the credit that has grown towards it serves the next one.
//!
//! Callers that drop their uploads after some time would turn a line in order into waste: each number would be granted
//! just before its owner leaves, too late for an answer. Therefore, once the first in line has left, numbers lapse at
//! nine tenths of the age that it had reached. Their owners draw again, and younger numbers are granted in time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The heaviest request: a bulk request of 100 batches.
const MAX_WEIGHT: f64 = 100.0;

/// What is lost when decimal fractions are added in binary.
const ROUNDING: f64 = 1e-6;

/// At which share of that age a number lapses.
const LAPSES_AT: f64 = 0.9;

/// For how long an abandonment is remembered.
const REMEMBERED: Duration = Duration::from_secs(30);

/// A number in the line. Lower numbers go first.
pub(super) type Number = u64;

#[derive(Debug, Default)]
pub(super) struct Line {
    next: Number,
    /// The total weight of all numbers that were ever drawn.
    drawn: u64,
    /// The total weight of all numbers before the first one that waits.
    passed: u64,
    /// What has grown towards the first number that waits. If there is none, it serves the next to come.
    credit: f64,
    waiting: BTreeMap<Number, Member>,
    granted: BTreeSet<Number>,
    abandonment: Option<Abandonment>,
}

#[derive(Debug)]
struct Member {
    weight: u32,
    /// The total weight of all numbers up to this one.
    end: u64,
    drawn: Instant,
    wake: Arc<Notify>,
}

/// Why a number leaves the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Departure {
    /// The request goes, or its deadline has passed.
    Done,
    /// The caller has dropped the upload.
    CallerGone,
}

/// When the first in line was last dropped by its caller, and how long it had waited.
#[derive(Clone, Copy, Debug)]
struct Abandonment {
    age: Duration,
    seen: Instant,
}

impl Line {
    /// Draws the next number for a request of some batches, or takes the number again that the request had before.
    /// `wake` is notified when something has changed for it.
    pub(super) fn draw(
        &mut self,
        again: Option<Number>,
        weight: u32,
        wake: Arc<Notify>,
        now: Instant,
    ) -> Number {
        if self.is_idle() {
            // What has grown meanwhile pays for this request at most. Otherwise a burst would build up.
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

    /// Adds credit, and grants and wakes as many as it serves.
    pub(super) fn grow(&mut self, batches: f64, now: Instant) {
        self.credit += batches;
        while let Some(first) = self.waiting.first_entry() {
            let (number, member) = (*first.key(), first.get());
            // The numbers before it were granted or have left.
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

    /// Whether nobody waits to be granted.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn is_granted(&self, number: Number) -> bool {
        self.granted.contains(&number)
    }

    /// Whether a number that its owner still holds is no longer in the line.
    pub(super) fn has_lapsed(&self, number: Number) -> bool {
        !self.granted.contains(&number) && !self.waiting.contains_key(&number)
    }

    /// How much credit has to grow until the number is granted, or less if others leave.
    pub(super) fn missing(&self, number: Number) -> f64 {
        let member = self.waiting.get(&number);
        member.map_or(0.0, |member| {
            self.missing_to(member.end).max(f64::from(member.weight) - self.credit)
        })
    }

    /// How much credit has to grow until a number would be granted that was drawn now.
    pub(super) fn missing_for_next(&self, weight: u32) -> f64 {
        self.missing_to(self.drawn + u64::from(weight))
    }

    /// Removes a number, whether it was used or not.
    pub(super) fn leave(&mut self, number: Number, departure: Departure, now: Instant) {
        let is_first = self.waiting.keys().next() == Some(&number);
        let member = self.waiting.remove(&number);
        if let (Some(member), true, Departure::CallerGone) = (member, is_first, departure) {
            let age = now.saturating_duration_since(member.drawn);
            self.abandonment = Some(Abandonment { age, seen: now });
        }
        self.granted.remove(&number);
        self.grow(0.0, now);
        // The first one may have computed its sleep when there were others before it.
        if let Some((_, first)) = self.waiting.first_key_value() {
            first.wake.notify_one();
        }
    }

    /// Wakes the owners of all numbers, because more has changed than the credit.
    pub(super) fn wake_all(&self) {
        self.waiting.values().for_each(|member| member.wake.notify_one());
    }

    fn missing_to(&self, end: u64) -> f64 {
        let weight = u32::try_from(end.saturating_sub(self.passed)).unwrap_or(u32::MAX);
        (f64::from(weight) - self.credit).max(0.0)
    }
}

impl Abandonment {
    /// Whether the owner of a number is about to leave as well.
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

    /// The same instant for all tests, so that nothing ages.
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
    fn an_owner_who_never_looks_holds_up_nobody() {
        let mut line = Line::default();
        let numbers = draw(&mut line, &[1, 1, 1]);
        line.grow(3.0, now());
        line.leave(numbers[2], Departure::Done, now());
        let later = draw(&mut line, &[1]);
        line.grow(1.0, now());
        assert!(line.is_granted(later[0]));
    }

    #[test]
    fn a_number_that_was_left_takes_no_time_and_its_credit_serves_the_next() {
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
    fn once_the_first_has_left_numbers_lapse_before_they_reach_its_age() {
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
        // After half a minute the line is in order again.
        let old = draw(&mut line, 40);
        line.grow(0.5, at(321));
        assert!(!line.has_lapsed(old));
        // A deadline that has passed says nothing about callers.
        line.leave(old, Departure::Done, at(322));
        let old = draw(&mut line, 322);
        line.grow(0.1, at(621));
        assert!(!line.has_lapsed(old));
    }

    #[test]
    fn a_request_that_was_refused_goes_before_younger_ones() {
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
    fn what_grows_while_nobody_waits_pays_for_one_request_and_no_more() {
        for weight in [1, 100] {
            let mut line = Line::default();
            line.grow(1e9, now());
            let numbers = draw(&mut line, &[weight, 1]);
            assert_eq!(granted(&line, &numbers), [true, false]);
        }
    }

    #[test]
    fn what_is_missing_counts_everyone_ahead() {
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
