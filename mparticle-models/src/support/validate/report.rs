//! The checks that generated code calls, and the report of violations.

use std::net::IpAddr;

use serde_json::Value;

use super::time_unit::TimeUnit;
use super::uuid::is_uuid;
use super::violation::{Beyond, Rule, Severity, Violation};
use crate::support::locate::Shaped;
use crate::support::place::Place;
use crate::support::values::{AttributeValue, Extra, Scalar};

/// The violations of a value.
#[derive(Debug, Default)]
pub struct Report {
    violations: Vec<Violation>,
}

/// The limits of an attribute's value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttributeLimits {
    /// The maximum number of characters of a text outside a list.
    pub scalar: Option<(u64, Beyond)>,
    /// The maximum number of items of a list.
    pub items: Option<(u64, Beyond)>,
    /// The maximum number of characters of a text in a list.
    pub item: Option<(u64, Beyond)>,
}

impl Report {
    /// Creates an empty report.
    #[must_use]
    pub const fn new() -> Self {
        Self { violations: Vec::new() }
    }

    /// Returns the violations.
    #[must_use]
    pub fn into_violations(self) -> Vec<Violation> {
        self.violations
    }

    /// Checks a text of at most `max` characters, counted as Unicode code points.
    #[inline]
    pub fn max_length(&mut self, place: &Place<'_>, text: &str, max: u64, beyond: Beyond) {
        if let Some(actual) = longer(text, max) {
            self.beyond(place, Rule::MaxLength, max, actual, beyond);
        }
    }

    /// Checks a list of at most `max` items.
    #[inline]
    pub fn max_items(&mut self, place: &Place<'_>, len: usize, max: u64, beyond: Beyond) {
        if size(len) > max {
            self.beyond(place, Rule::MaxItems, max, size(len), beyond);
        }
    }

    /// Checks a map of at most `max` entries.
    #[inline]
    pub fn max_properties(&mut self, place: &Place<'_>, len: usize, max: u64, beyond: Beyond) {
        if size(len) > max {
            self.beyond(place, Rule::MaxProperties, max, size(len), beyond);
        }
    }

    /// Checks a map whose keys have at most `max` characters each.
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

    /// Checks a number that must not be below the minimum.
    #[inline]
    #[allow(dead_code, reason = "a schema may have no such limit")]
    pub fn minimum(&mut self, place: &Place<'_>, is_below: bool, beyond: Beyond) {
        if is_below {
            self.plain(place, Rule::Minimum, beyond.severity());
        }
    }

    /// Checks a number that must not be above the maximum.
    #[inline]
    #[allow(dead_code, reason = "a schema may have no such limit")]
    pub fn maximum(&mut self, place: &Place<'_>, is_above: bool, beyond: Beyond) {
        if is_above {
            self.plain(place, Rule::Maximum, beyond.severity());
        }
    }

    /// Checks a value of a closed set.
    #[inline]
    pub fn known(&mut self, place: &Place<'_>, is_known: bool) {
        if !is_known {
            self.plain(place, Rule::Enum, Severity::Error);
        }
    }

    /// Reports that a required field of this object is missing.
    pub fn missing(&mut self, place: &Place<'_>, field: &str) {
        self.plain(&place.field(field), Rule::Required, Severity::Error);
    }

    /// Checks JSON that must be an object or null.
    #[inline]
    pub fn object(&mut self, place: &Place<'_>, value: &Value) {
        if !value.is_object() && !value.is_null() {
            self.plain(place, Rule::Type, Severity::Error);
        }
    }

    /// Checks a number, which must be finite.
    #[inline]
    pub fn finite(&mut self, place: &Place<'_>, is_finite: bool) {
        if !is_finite {
            self.plain(place, Rule::Finite, Severity::Error);
        }
    }

    /// Checks a text that should be a UUID.
    #[inline]
    pub fn uuid(&mut self, place: &Place<'_>, text: &str) {
        if !is_uuid(text) {
            self.plain(place, Rule::Uuid, Severity::Warning);
        }
    }

    /// Checks a text that should be an IPv4 or IPv6 address.
    #[inline]
    pub fn ip(&mut self, place: &Place<'_>, text: &str) {
        if text.parse::<IpAddr>().is_err() {
            self.plain(place, Rule::Ip, Severity::Warning);
        }
    }

    /// Checks a time, which should be in milliseconds.
    #[inline]
    pub fn unix_millis(&mut self, place: &Place<'_>, millis: i64) {
        if let Some(unit) = TimeUnit::other_than_millis(millis) {
            self.push(Violation {
                unit: Some(unit),
                ..Violation::new(place, Rule::UnixMillis, Severity::Warning)
            });
        }
    }

    /// Checks the unknown fields of a `T`, which must not have the name of a known field.
    #[inline]
    pub fn extra<T: Shaped>(&mut self, place: &Place<'_>, extra: &Extra) {
        for key in extra.keys().filter(|key| T::SHAPE.has_field(key)) {
            self.plain(&place.key(key), Rule::RepeatedField, Severity::Error);
        }
    }

    /// Checks the fields beside tag and content, which must not have the key of one of the two.
    #[inline]
    pub fn envelope(&mut self, place: &Place<'_>, keys: [&str; 2], extra: &Extra) {
        for key in extra.keys().filter(|key| keys.contains(&key.as_str())) {
            self.plain(&place.key(key), Rule::RepeatedField, Severity::Error);
        }
    }

    /// Checks a record of a list from which an object was read. It should have a key and a value.
    #[inline]
    pub fn record(&mut self, place: &Place<'_>, is_complete: bool) {
        if !is_complete {
            self.plain(place, Rule::IncompleteRecord, Severity::Warning);
        }
    }

    /// Checks a group of fields of which exactly one should be present.
    #[inline]
    pub fn exactly_one_of(&mut self, place: &Place<'_>, fields: &[(&'static str, bool)]) {
        let present = fields.iter().filter(|(_, present)| *present).count();
        if present != 1 {
            self.push(Violation {
                limit: Some(1),
                actual: Some(size(present)),
                fields: fields.iter().map(|(name, _)| *name).collect(),
                ..Violation::new(place, Rule::ExactlyOneOf, Severity::Warning)
            });
        }
    }

    /// Checks a scalar whose text has at most `max` characters.
    #[inline]
    pub fn scalar_length(&mut self, place: &Place<'_>, scalar: &Scalar, max: u64, beyond: Beyond) {
        if let Scalar::String(text) = scalar {
            self.max_length(place, text, max, beyond);
        }
    }

    /// Checks the limits of an attribute's value.
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
        self.push(Violation {
            limit: Some(limit),
            actual: Some(actual),
            ..Violation::new(place, rule, beyond.severity())
        });
    }

    #[cold]
    fn plain(&mut self, place: &Place<'_>, rule: Rule, severity: Severity) {
        self.push(Violation::new(place, rule, severity));
    }

    #[cold]
    fn push(&mut self, violation: Violation) {
        self.violations.push(violation);
    }
}

/// Returns the number of characters of a text that has more than `max`.
#[inline]
fn longer(text: &str, max: u64) -> Option<u64> {
    // A text never has more characters than bytes.
    if size(text.len()) <= max {
        return None;
    }
    Some(size(text.chars().count())).filter(|count| *count > max)
}

/// Converts a number. No Rust target has pointers wider than 64 bits. The conversion therefore never saturates.
#[inline]
fn size(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
