//! The checks that generated code calls, and what they found.

use std::net::IpAddr;

use serde_json::Value;

use super::uuid::is_uuid;
use super::violation::{Beyond, Rule, Severity, Violation};
use crate::support::place::Place;
use crate::support::values::{AttributeValue, Scalar};

/// Violations found so far.
#[derive(Debug, Default)]
pub struct Report {
    violations: Vec<Violation>,
}

/// The limits on an attribute's value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttributeLimits {
    /// Characters of a text that stands alone.
    pub scalar: Option<(u64, Beyond)>,
    /// Items of a list.
    pub items: Option<(u64, Beyond)>,
    /// Characters of a text in a list.
    pub item: Option<(u64, Beyond)>,
}

impl Report {
    /// Nothing found.
    #[must_use]
    pub const fn new() -> Self {
        Self { violations: Vec::new() }
    }

    /// What was found.
    #[must_use]
    pub fn into_violations(self) -> Vec<Violation> {
        self.violations
    }

    /// A text of at most `max` characters, counted as Unicode code points.
    #[inline]
    pub fn max_length(&mut self, place: &Place<'_>, text: &str, max: u64, beyond: Beyond) {
        if let Some(actual) = longer(text, max) {
            self.beyond(place, Rule::MaxLength, max, actual, beyond);
        }
    }

    /// A list of at most `max` items.
    #[inline]
    pub fn max_items(&mut self, place: &Place<'_>, len: usize, max: u64, beyond: Beyond) {
        if size(len) > max {
            self.beyond(place, Rule::MaxItems, max, size(len), beyond);
        }
    }

    /// A map of at most `max` entries.
    #[inline]
    pub fn max_properties(&mut self, place: &Place<'_>, len: usize, max: u64, beyond: Beyond) {
        if size(len) > max {
            self.beyond(place, Rule::MaxProperties, max, size(len), beyond);
        }
    }

    /// A map whose keys have at most `max` characters each.
    #[inline]
    pub fn name_length<'k, K>(&mut self, place: &Place<'_>, keys: K, max: u64, beyond: Beyond)
    where
        K: IntoIterator<Item = &'k String>,
    {
        for key in keys {
            if let Some(actual) = longer(key, max) {
                self.beyond(&place.key(key), Rule::PropertyNames, max, actual, beyond);
            }
        }
    }

    /// A value of a closed set.
    #[inline]
    pub fn known(&mut self, place: &Place<'_>, is_known: bool) {
        if !is_known {
            self.plain(place, Rule::Enum, Severity::Error);
        }
    }

    /// A field of the object here that must be written is missing.
    pub fn missing(&mut self, place: &Place<'_>, field: &str) {
        self.plain(&place.field(field), Rule::Required, Severity::Error);
    }

    /// JSON that must be an object, or null for nothing at all.
    #[inline]
    pub fn object(&mut self, place: &Place<'_>, value: &Value) {
        if !value.is_object() && !value.is_null() {
            self.plain(place, Rule::Type, Severity::Error);
        }
    }

    /// A number that JSON can hold.
    #[inline]
    pub fn finite(&mut self, place: &Place<'_>, is_finite: bool) {
        if !is_finite {
            self.plain(place, Rule::Finite, Severity::Error);
        }
    }

    /// A text that ought to be a UUID.
    #[inline]
    pub fn uuid(&mut self, place: &Place<'_>, text: &str) {
        if !is_uuid(text) {
            self.plain(place, Rule::Uuid, Severity::Warning);
        }
    }

    /// A text that ought to be an IPv4 or IPv6 address.
    #[inline]
    pub fn ip(&mut self, place: &Place<'_>, text: &str) {
        if text.parse::<IpAddr>().is_err() {
            self.plain(place, Rule::Ip, Severity::Warning);
        }
    }

    /// A time that ought to be in milliseconds.
    ///
    /// What would be a moment of 1970 to 1973 in milliseconds is a moment of 1970 to 5138 in seconds. Zero is fine: it
    /// stands for an unknown time.
    #[inline]
    pub fn unix_millis(&mut self, place: &Place<'_>, millis: i64) {
        const LEAST: u64 = 100_000_000_000;
        if millis != 0 && millis.unsigned_abs() < LEAST {
            self.plain(place, Rule::UnixMillis, Severity::Warning);
        }
    }

    /// A group of fields of which exactly one ought to be present.
    #[inline]
    pub fn exactly_one_of(&mut self, place: &Place<'_>, fields: &[(&'static str, bool)]) {
        let present = fields.iter().filter(|(_, present)| *present).count();
        if present != 1 {
            let fields = fields.iter().map(|(name, _)| *name).collect();
            self.push(
                place,
                Rule::ExactlyOneOf,
                Severity::Warning,
                Some((1, size(present))),
                fields,
            );
        }
    }

    /// A scalar whose text has at most `max` characters.
    #[inline]
    pub fn scalar_length(&mut self, place: &Place<'_>, scalar: &Scalar, max: u64, beyond: Beyond) {
        if let Scalar::String(text) = scalar {
            self.max_length(place, text, max, beyond);
        }
    }

    /// An attribute's value within its limits.
    pub fn attribute_value(
        &mut self,
        place: &Place<'_>,
        value: &AttributeValue,
        limits: AttributeLimits,
    ) {
        match value {
            AttributeValue::Scalar(scalar) => {
                if let Some((max, beyond)) = limits.scalar {
                    self.scalar_length(place, scalar, max, beyond);
                }
            }
            AttributeValue::List(items) => {
                if let Some((max, beyond)) = limits.items {
                    self.max_items(place, items.len(), max, beyond);
                }
                let Some((max, beyond)) = limits.item else { return };
                for (index, item) in items.iter().enumerate() {
                    self.scalar_length(&place.index(index), item, max, beyond);
                }
            }
        }
    }

    #[cold]
    fn beyond(&mut self, place: &Place<'_>, rule: Rule, limit: u64, actual: u64, beyond: Beyond) {
        self.push(place, rule, beyond.severity(), Some((limit, actual)), Vec::new());
    }

    #[cold]
    fn plain(&mut self, place: &Place<'_>, rule: Rule, severity: Severity) {
        self.push(place, rule, severity, None, Vec::new());
    }

    #[cold]
    fn push(
        &mut self,
        place: &Place<'_>,
        rule: Rule,
        severity: Severity,
        sizes: Option<(u64, u64)>,
        fields: Vec<&'static str>,
    ) {
        let (limit, actual) = sizes.unzip();
        self.violations.push(Violation {
            pointer: place.to_string(),
            rule,
            limit,
            actual,
            severity,
            fields,
        });
    }
}

/// The characters of a text that has more than `max`.
#[inline]
fn longer(text: &str, max: u64) -> Option<u64> {
    // No text has more characters than bytes.
    if size(text.len()) <= max {
        return None;
    }
    Some(size(text.chars().count())).filter(|count| *count > max)
}

/// No Rust target has pointers wider than 64 bits, so this never saturates.
#[inline]
fn size(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
