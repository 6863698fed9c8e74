//! Counts the violations of many batches by their rules.

use crate::models::{Severity, Violation};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// The number of places of a rule that are kept.
const MAX_PLACES: usize = 5;

/// The violations of many batches, counted by rule, with the first places of each.
///
/// It takes the same memory for any number of violations. It contains JSON pointers, which may name attributes, but no
/// values. It is serialized as an object with a member for each rule.
///
/// # Examples
/// ```
/// use mparticle_client::ViolationSummary;
/// use mparticle_client::models::{Batch, Environment};
///
/// let batches = [Batch::new(Environment::Production).with_ip("localhost")];
/// let mut summary = ViolationSummary::default();
/// for (number, batch) in batches.iter().enumerate() {
///     for violation in batch.validate() {
///         summary.add(&format!("batch {number}"), &violation);
///     }
/// }
/// assert_eq!(
///     summary.to_string(),
///     "ip: 1 warning; first: batch 0 at /ip: not an IPv4 or IPv6 address\n"
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ViolationSummary {
    rules: BTreeMap<String, ViolatedRule>,
}

/// A rule, and how often it was violated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ViolatedRule {
    /// How many violations are errors.
    pub errors: u64,
    /// How many violations are warnings.
    pub warnings: u64,
    /// The first places, at most five.
    #[serde(rename = "first")]
    pub places: Vec<ViolationPlace>,
}

/// Where a rule was violated, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ViolationPlace {
    /// The name of the batch.
    #[serde(rename = "place")]
    pub batch: String,
    /// The JSON pointer in the batch.
    pub pointer: String,
    /// One sentence with sizes and names of fields.
    pub message: String,
}

impl ViolationSummary {
    /// Adds a violation of a batch, which is named in [`ViolationPlace::batch`].
    pub fn add(&mut self, batch: &str, violation: &Violation) {
        let Violation { rule, severity, pointer, .. } = violation;
        self.add_other(rule.as_str(), *severity, batch, pointer, || violation.message());
    }

    /// Adds a violation of a rule that is not one of mParticle's, such as a batch that cannot be read.
    ///
    /// `message` is called only if the place is kept.
    pub fn add_other(
        &mut self,
        rule: &str,
        severity: Severity,
        batch: &str,
        pointer: &str,
        message: impl FnOnce() -> String,
    ) {
        if !self.rules.contains_key(rule) {
            self.rules.insert(rule.to_owned(), ViolatedRule::default());
        }
        let Some(rule) = self.rules.get_mut(rule) else { return };
        match severity {
            Severity::Error => rule.errors += 1,
            Severity::Warning => rule.warnings += 1,
        }
        if rule.places.len() < MAX_PLACES {
            rule.places.push(ViolationPlace {
                batch: batch.to_owned(),
                pointer: pointer.to_owned(),
                message: message(),
            });
        }
    }

    /// Returns the rules that were violated, in the order of their names.
    pub fn rules(&self) -> impl Iterator<Item = (&str, &ViolatedRule)> {
        self.rules.iter().map(|(name, rule)| (name.as_str(), rule))
    }

    /// Returns the number of violations that are errors.
    #[must_use]
    pub fn errors(&self) -> u64 {
        self.rules.values().map(|rule| rule.errors).sum()
    }

    /// Returns the number of violations that are warnings.
    #[must_use]
    pub fn warnings(&self) -> u64 {
        self.rules.values().map(|rule| rule.warnings).sum()
    }

    /// Whether nothing was added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// Writes a line for each rule, with its first place. The alternate form, `{:#}`, writes all places that were kept, each on
/// a line of its own.
impl fmt::Display for ViolationSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, rule) in self.rules() {
            write!(f, "{name}: {rule}")?;
            match rule.places.first() {
                Some(first) if !f.alternate() => writeln!(f, "; first: {first}")?,
                _ => writeln!(f)?,
            }
            if f.alternate() {
                rule.places.iter().try_for_each(|place| writeln!(f, "  {place}"))?;
                let kept = u64::try_from(rule.places.len()).unwrap_or(u64::MAX);
                let more = (rule.errors + rule.warnings).saturating_sub(kept);
                if more > 0 {
                    writeln!(f, "  and {more} more")?;
                }
            }
        }
        Ok(())
    }
}

/// Writes the numbers of errors and warnings.
impl fmt::Display for ViolatedRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (errors, warnings) = (Count(self.errors, "error"), Count(self.warnings, "warning"));
        match (self.errors, self.warnings) {
            (_, 0) => write!(f, "{errors}"),
            (0, _) => write!(f, "{warnings}"),
            _ => write!(f, "{errors}, {warnings}"),
        }
    }
}

impl fmt::Display for ViolationPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A name in the pointer may contain line breaks.
        match self.pointer.as_str() {
            "" => write!(f, "{}: {}", self.batch, self.message),
            pointer => write!(f, "{} at {}: {}", self.batch, pointer.escape_debug(), self.message),
        }
    }
}

struct Count(u64, &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.0, self.1, if self.0 == 1 { "" } else { "s" })
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_PLACES, ViolationSummary};
    use crate::models::{Batch, Severity};

    #[test]
    fn violations_are_counted_by_rule_with_the_first_places() {
        let mut summary = ViolationSummary::default();
        assert!(summary.is_empty());
        let batch = Batch::from_str(r#"{"environment":"mars","ip":"x","api_key":"k"}"#).unwrap();
        for number in 0..10 {
            for violation in batch.validate() {
                summary.add(&format!("line {number}"), &violation);
            }
        }
        summary.add_other("malformed", Severity::Error, "line 11", "", || "is no JSON".to_owned());
        summary.add_other("malformed", Severity::Warning, "line 12", "", String::new);
        assert_eq!((summary.errors(), summary.warnings()), (11, 11));
        assert!(summary.rules().all(|(_, rule)| rule.places.len() <= MAX_PLACES));
        let text = summary.to_string();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("enum: 10 errors; first: line 0 at /environment: "), "{text}");
        assert!(lines[1].starts_with("ip: 10 warnings; first: line 0 at /ip: "), "{text}");
        assert_eq!(lines[2], "malformed: 1 error, 1 warning; first: line 11: is no JSON");

        let text = format!("{summary:#}");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "enum: 10 errors");
        assert!(lines[5].starts_with("  line 4 at /environment: "), "{text}");
        assert_eq!(lines[6..8], ["  and 5 more", "ip: 10 warnings"]);
        assert_eq!(lines[14], "malformed: 1 error, 1 warning");
    }
}
