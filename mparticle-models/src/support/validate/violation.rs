//! A violation of a rule.

use std::fmt;

use super::TimeUnit;
use crate::support::place::Place;

/// A value that violates a rule of mParticle or does not follow advice.
///
/// The `Display` implementation writes one sentence. It contains sizes and names of fields, never the value itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The JSON pointer of the value. It is empty for the whole document.
    pub pointer: String,
    /// The rule.
    pub rule: Rule,
    /// The bound, if the rule has one.
    pub limit: Option<u64>,
    /// The size of the value, in the unit of the bound.
    pub actual: Option<u64>,
    /// The severity of the violation.
    pub severity: Severity,
    /// The names of the fields, if the rule is about several fields.
    pub fields: Vec<&'static str>,
    /// The unit that the value seems to have, for [`Rule::UnixMillis`].
    pub unit: Option<TimeUnit>,
}

/// A rule. Rules that are keywords of JSON Schema have the name of the keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// A text has too many characters.
    MaxLength,
    /// A list has too many items.
    MaxItems,
    /// A map has too many entries.
    MaxProperties,
    /// The name of an entry of a map has too many characters.
    PropertyNames,
    /// A number is too small.
    Minimum,
    /// A number is too large.
    Maximum,
    /// A value is not one of those that mParticle accepts.
    Enum,
    /// A required field is missing.
    Required,
    /// A value has the wrong type.
    Type,
    /// A number is not finite. JSON cannot represent it.
    Finite,
    /// The unknown fields contain the name of a known field. The batch cannot be written.
    RepeatedField,
    /// Advice: the text is not a UUID.
    Uuid,
    /// Advice: the text is not an IP address.
    Ip,
    /// Advice: the time does not seem to be in milliseconds.
    UnixMillis,
    /// Advice: not exactly one field of a group is present.
    ExactlyOneOf,
    /// Advice: a record of an exported list has no key or no value. It is not written.
    IncompleteRecord,
}

impl Rule {
    /// Returns the name of the rule: a keyword of JSON Schema, or a name in the same style.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MaxLength => "maxLength",
            Self::MaxItems => "maxItems",
            Self::MaxProperties => "maxProperties",
            Self::Minimum => "minimum",
            Self::Maximum => "maximum",
            Self::PropertyNames => "propertyNames",
            Self::Enum => "enum",
            Self::Required => "required",
            Self::Type => "type",
            Self::Finite => "finite",
            Self::RepeatedField => "repeatedField",
            Self::Uuid => "uuid",
            Self::Ip => "ip",
            Self::UnixMillis => "unixMillis",
            Self::ExactlyOneOf => "exactlyOneOf",
            Self::IncompleteRecord => "incompleteRecord",
        }
    }

    /// Returns whether the rule is advice. The JSON Schema accepts values that do not follow advice.
    #[must_use]
    pub const fn is_advice(self) -> bool {
        matches!(
            self,
            Self::Uuid | Self::Ip | Self::UnixMillis | Self::ExactlyOneOf | Self::IncompleteRecord
        )
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The severity of a violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// mParticle may truncate the data or interpret it differently, or its behaviour is not documented.
    Warning,
    /// mParticle refuses the data or does not process it, or the data cannot be written.
    Error,
}

/// The effect of data beyond a limit, according to mParticle's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Beyond {
    /// mParticle refuses the data or does not process it.
    #[allow(dead_code, reason = "a schema may have no such limit")]
    Refused,
    /// mParticle truncates the data to the limit.
    Cut,
    /// The behaviour is not documented.
    Undocumented,
}

impl Beyond {
    /// Returns the severity of exceeding the limit.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::Refused => Severity::Error,
            Self::Cut | Self::Undocumented => Severity::Warning,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "the document" } else { &self.pointer };
        write!(f, "{pointer}: {} ({})", self.message(), self.rule)
    }
}

impl Rule {
    /// Returns the message of a rule whose message contains no sizes.
    const fn sentence(self) -> &'static str {
        match self {
            Self::Minimum => "a number below the minimum",
            Self::Maximum => "a number above the maximum",
            Self::Enum => "not one of the values that mParticle accepts",
            Self::Required => "missing, but mParticle requires it",
            Self::Type => "expected an object or null",
            Self::Finite => "not a finite number, which JSON cannot represent",
            Self::RepeatedField => {
                "the name of a known field among the unknown fields; set the field itself"
            }
            Self::Uuid => "not a UUID; mParticle expects the form 8-4-4-4-12 in hexadecimal digits",
            Self::Ip => "not an IPv4 or IPv6 address",
            Self::IncompleteRecord => {
                "a record without a key or a value, which is not written; set the field itself"
            }
            _ => "outside of what mParticle accepts",
        }
    }
}

impl Violation {
    pub(super) fn new(place: &Place<'_>, rule: Rule, severity: Severity) -> Self {
        Self {
            pointer: place.to_string(),
            rule,
            limit: None,
            actual: None,
            severity,
            fields: Vec::new(),
            unit: None,
        }
    }

    /// Returns what is wrong, without the pointer and the rule. It contains sizes and names of fields, never the value.
    #[must_use]
    pub fn message(&self) -> String {
        match self.rule {
            Rule::MaxLength => self.sizes("characters"),
            Rule::MaxItems => self.sizes("items"),
            Rule::MaxProperties => self.sizes("entries"),
            Rule::PropertyNames => self.sizes("characters in the name"),
            Rule::UnixMillis => self.time(),
            Rule::ExactlyOneOf => {
                let (fields, actual) = (self.fields.join(", "), self.actual.unwrap_or_default());
                format!("expected exactly one of {fields}, found {actual}")
            }
            other => other.sentence().to_owned(),
        }
    }

    fn sizes(&self, unit: &str) -> String {
        match (self.actual, self.limit) {
            (Some(actual), Some(limit)) => {
                format!("{actual} {unit}, at most {limit} are allowed")
            }
            _ => format!("too many {unit}"),
        }
    }

    fn time(&self) -> String {
        match self.unit {
            Some(unit) => format!("looks like {unit}; mParticle expects milliseconds"),
            None => "not in milliseconds".to_owned(),
        }
    }
}

impl std::error::Error for Violation {}
