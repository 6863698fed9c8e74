//! Checking values against the limits of the service, before they are sent.
//!
//! All violations are found at once, each with its place. Checking a valid value allocates nothing: places are linked on
//! the stack. The characters of a text are counted only if its bytes exceed the limit.

mod report;
mod time_unit;
mod uuid;
mod values;
mod violation;

use super::place::Place;

pub use report::{AttributeLimits, Report};
pub use time_unit::TimeUnit;
pub use violation::{Beyond, Rule, Severity, Violation};

#[cfg(test)]
mod tests;

/// A type whose values can be checked.
pub trait Validate {
    /// Reports every violation in this value, which is at `place`.
    fn check(&self, place: &Place<'_>, report: &mut Report);
}

/// Returns every violation in a value.
#[must_use]
pub fn run<T: Validate + ?Sized>(value: &T) -> Vec<Violation> {
    let mut report = Report::new();
    value.check(&Place::root(), &mut report);
    report.into_violations()
}
