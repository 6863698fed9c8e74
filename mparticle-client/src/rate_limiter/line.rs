//! The line of those who wait for the rate: numbers, and the credit that serves them in order.
//!
//! Credit grows with time. The first number that has not been granted is granted once there is credit for its weight.
//! A grant is kept for its owner but blocks nobody: the credit goes on to the next number, whether or not the owner has
//! been polled. A number whose owner has left is skipped, and the credit that has grown towards it serves the next one.

use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::Notify;

/// The heaviest request: a bulk request of 100 batches.
const MAX_WEIGHT: f64 = 100.0;

/// What is lost when decimal fractions are added in binary.
const ROUNDING: f64 = 1e-6;

/// A number in the line. Lower numbers go first.
pub(super) type Number = u64;

#[derive(Debug, Default)]
pub(super) struct Line {
    next: Number,
    /// The total weight of all numbers that were ever drawn.
    drawn: u64,
    /// All lower numbers are granted.
    granted: Number,
    /// The total weight up to the last number that was granted.
    granted_weight: u64,
    /// What has grown towards the first number that is not granted. If there is none, it serves the next to come.
    credit: f64,
    /// Everyone in the line, granted or not.
    members: BTreeMap<Number, Member>,
}

#[derive(Debug)]
struct Member {
    weight: u32,
    /// The total weight of all numbers up to this one.
    end: u64,
    wake: Arc<Notify>,
}

impl Line {
    /// Draws the next number for a request of some batches. `wake` is notified when it may have been granted.
    pub(super) fn draw(&mut self, weight: u32, wake: Arc<Notify>) -> Number {
        if self.is_idle() {
            // What has grown meanwhile pays for this request at most. Otherwise a burst would build up.
            self.credit = self.credit.min(f64::from(weight));
        }
        let number = self.next;
        self.next += 1;
        self.drawn += u64::from(weight);
        self.members.insert(number, Member { weight, end: self.drawn, wake });
        self.grow(0.0);
        number
    }

    /// Adds credit, and grants and wakes as many as it serves.
    pub(super) fn grow(&mut self, batches: f64) {
        self.credit += batches;
        for (&number, member) in self.members.range(self.granted..) {
            let weight = f64::from(member.weight);
            if self.credit + ROUNDING < weight {
                return;
            }
            self.credit = (self.credit - weight).max(0.0);
            self.granted = number + 1;
            self.granted_weight = member.end;
            member.wake.notify_one();
        }
        self.granted = self.next;
        self.granted_weight = self.drawn;
        self.credit = self.credit.min(MAX_WEIGHT);
    }

    /// Whether every number is granted.
    pub(super) fn is_idle(&self) -> bool {
        self.granted == self.next
    }

    pub(super) fn is_granted(&self, number: Number) -> bool {
        number < self.granted
    }

    /// How much credit has to grow until the number is granted. It may be less, if others leave.
    pub(super) fn missing(&self, number: Number) -> f64 {
        let end = self.members.get(&number).map_or(self.granted_weight, |member| member.end);
        self.missing_to(end)
    }

    /// How much credit has to grow until a number would be granted that was drawn now.
    pub(super) fn missing_for_next(&self, weight: u32) -> f64 {
        self.missing_to(self.drawn + u64::from(weight))
    }

    /// Removes a number, whether it was used or not.
    pub(super) fn leave(&mut self, number: Number) {
        if self.members.remove(&number).is_some() {
            self.grow(0.0);
            // Its turn may be nearer than it thought, when those before it have left.
            if let Some((_, member)) = self.members.range(self.granted..).next() {
                member.wake.notify_one();
            }
        }
    }

    /// Wakes the owners of all numbers, since more has changed than the credit.
    pub(super) fn wake_all(&self) {
        self.members.values().for_each(|member| member.wake.notify_one());
    }

    fn missing_to(&self, end: u64) -> f64 {
        let weight = u32::try_from(end.saturating_sub(self.granted_weight)).unwrap_or(u32::MAX);
        (f64::from(weight) - self.credit).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Line;

    fn draw(line: &mut Line, weights: &[u32]) -> Vec<u64> {
        weights.iter().map(|weight| line.draw(*weight, <_>::default())).collect()
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
            line.grow(credit);
            assert_eq!(granted(&line, &numbers), expected, "after {credit} more");
        }
    }

    #[test]
    fn an_owner_who_never_looks_holds_up_nobody() {
        let mut line = Line::default();
        let numbers = draw(&mut line, &[1, 1, 1]);
        line.grow(3.0);
        line.leave(numbers[2]);
        let later = draw(&mut line, &[1]);
        line.grow(1.0);
        assert!(line.is_granted(later[0]));
    }

    #[test]
    fn a_number_that_was_left_takes_no_time_and_its_credit_serves_the_next() {
        let mut line = Line::default();
        let numbers = draw(&mut line, &[100, 60, 1]);
        line.grow(60.0);
        line.leave(numbers[0]);
        assert_eq!(granted(&line, &numbers[1..]), [true, false]);
        let numbers = draw(&mut line, &[1, 1, 1, 1]);
        line.leave(numbers[1]);
        line.leave(numbers[2]);
        line.grow(3.0);
        assert!(line.is_granted(numbers[3]));
    }

    #[test]
    fn what_grows_while_nobody_waits_pays_for_one_request_and_no_more() {
        for weight in [1, 100] {
            let mut line = Line::default();
            line.grow(1e9);
            let numbers = draw(&mut line, &[weight, 1]);
            assert_eq!(granted(&line, &numbers), [true, false]);
        }
    }

    #[test]
    fn what_is_missing_counts_everyone_ahead() {
        let mut line = Line::default();
        let numbers = draw(&mut line, &[10, 5]);
        line.grow(2.5);
        let missing =
            [line.missing(numbers[0]), line.missing(numbers[1]), line.missing_for_next(1)];
        for (found, expected) in missing.into_iter().zip([7.5, 12.5, 13.5]) {
            assert!((found - expected).abs() < 1e-9, "{missing:?}");
        }
        line.grow(100.0);
        assert!(line.missing(numbers[1]) < 1e-9);
    }
}
