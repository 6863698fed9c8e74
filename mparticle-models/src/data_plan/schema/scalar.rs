//! Checks a scalar against a schema. The fast path for typed events and the check of JSON share this.

use super::{Check, NumberRules, Pattern, Schema, TextRules, Type, pattern};
use crate::data_plan::Rules;
use crate::data_plan::instance::{Instance, number_text};
use crate::support::{Number, Place, Scalar};
use std::cmp::Ordering;

/// A scalar of an event or a JSON text.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ScalarRef<'a> {
    Null,
    Boolean(bool),
    Number(Number),
    Text(&'a str),
}

impl<'a> From<&'a Scalar> for ScalarRef<'a> {
    fn from(scalar: &'a Scalar) -> Self {
        match scalar {
            Scalar::Null => Self::Null,
            Scalar::Boolean(value) => Self::Boolean(*value),
            Scalar::Number(number) => Self::Number(*number),
            Scalar::String(text) => Self::Text(text),
        }
    }
}

impl<'a> ScalarRef<'a> {
    /// Returns the scalar that an instance is, if it is one.
    pub(super) fn of(instance: &'a Instance) -> Option<Self> {
        Some(match instance {
            Instance::Null => Self::Null,
            Instance::Boolean(value) => Self::Boolean(*value),
            Instance::Number(number) => Self::Number(*number),
            Instance::Text(text) => Self::Text(text),
            Instance::List(_) | Instance::Object(_) | Instance::NotJson => return None,
        })
    }

    /// Returns whether JSON can represent the scalar.
    pub(crate) fn is_finite(&self) -> bool {
        !matches!(self, Self::Number(number) if !number.is_finite())
    }

    pub(super) fn has_type(self, wanted: Type) -> bool {
        match (self, wanted) {
            (Self::Null, Type::Null)
            | (Self::Boolean(_), Type::Boolean)
            | (Self::Number(_), Type::Number)
            | (Self::Text(_), Type::String) => true,
            (Self::Number(number), Type::Integer) => number.as_f64().fract() == 0.0,
            _ => false,
        }
    }

    /// Returns the number or boolean that the platform takes a text for, if one of the types is wanted.
    fn coerced(self, wanted: &[Type]) -> Option<Self> {
        let Self::Text(text) = self else { return None };
        wanted.iter().find_map(|wanted| match wanted {
            Type::Boolean if text.eq_ignore_ascii_case("true") => Some(Self::Boolean(true)),
            Type::Boolean if text.eq_ignore_ascii_case("false") => Some(Self::Boolean(false)),
            Type::Number | Type::Integer => {
                let number = Self::Number(numeric(text)?);
                number.has_type(*wanted).then_some(number)
            }
            _ => None,
        })
    }

    fn equals(self, instance: &Instance) -> bool {
        match (self, instance) {
            (Self::Null, Instance::Null) => true,
            (Self::Boolean(a), Instance::Boolean(b)) => a == *b,
            (Self::Number(_), Instance::Number(b)) => self
                .number()
                .is_some_and(|a| a.partial_cmp(&b.as_f64()).is_some_and(Ordering::is_eq)),
            (Self::Text(a), Instance::Text(b)) => a == b,
            _ => false,
        }
    }

    fn number(self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(number.as_f64()),
            _ => None,
        }
    }
}

/// Reads a text that is a number: digits, with an optional sign, fraction and exponent.
fn numeric(text: &str) -> Option<Number> {
    let known = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    let framed = text.ends_with(|c: char| c.is_ascii_digit())
        && text.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit());
    if framed && text.chars().all(known) { Number::from_json_text(text) } else { None }
}

impl Check<'_> {
    /// Checks a scalar. Rules that are made of other schemas are left to [`Check::combined`].
    pub(crate) fn scalar(&mut self, schema: &Schema, scalar: ScalarRef<'_>, place: &Place<'_>) {
        let Some(effective) = self.typed(schema, scalar, place) else { return };
        match effective {
            ScalarRef::Number(number) => {
                if let Some(rules) = &schema.number {
                    self.number(rules, number.as_f64(), place);
                }
            }
            ScalarRef::Text(text) => {
                if let Some(rules) = &schema.text {
                    self.text(rules, text, place);
                }
            }
            ScalarRef::Null | ScalarRef::Boolean(_) => {}
        }
        if schema.constant.as_ref().is_some_and(|constant| !scalar.equals(constant)) {
            self.fail(place, "const", || "should be equal to constant".to_owned());
        }
        let among = |values: &Vec<Instance>| values.iter().any(|value| scalar.equals(value));
        if schema.values.as_ref().is_some_and(|values| !among(values)) {
            self.fail(place, "enum", || "should be equal to one of the allowed values".to_owned());
        }
    }

    /// Checks the type, and returns the value that other rules apply to. The platform stops at a type error.
    fn typed<'v>(
        &mut self,
        schema: &Schema,
        scalar: ScalarRef<'v>,
        place: &Place<'_>,
    ) -> Option<ScalarRef<'v>> {
        let Some(types) = &schema.types else { return Some(scalar) };
        if types.names.iter().any(|wanted| scalar.has_type(*wanted)) {
            return Some(scalar);
        }
        let platform = self.rules == Rules::platform();
        if let Some(coerced) = scalar.coerced(&types.names).filter(|_| platform) {
            return Some(coerced);
        }
        self.fail(place, "type", || format!("should be {}", types.text));
        (!platform).then_some(scalar)
    }

    fn number(&mut self, rules: &NumberRules, number: f64, place: &Place<'_>) {
        for limit in &rules.limits {
            let (bound, sign) = (limit.bound, sign(limit.keyword));
            let fits = match sign {
                "<=" => number <= bound,
                "<" => number < bound,
                ">=" => number >= bound,
                _ => number > bound,
            };
            if !fits {
                self.fail(place, limit.keyword, || {
                    format!("should be {sign} {}", number_text(bound))
                });
            }
        }
        if let Some(divisor) = rules.multiple_of {
            let quotient = number / divisor;
            // Beyond this bound JavaScript writes an exponent, which the library misreads.
            if quotient.fract() != 0.0 || quotient.abs() >= 1e21 {
                let expected = || format!("should be multiple of {}", number_text(divisor));
                self.fail(place, "multipleOf", expected);
            }
        }
    }

    fn text(&mut self, rules: &TextRules, text: &str, place: &Place<'_>) {
        if rules.longest.is_some() || rules.shortest.is_some() {
            self.length(rules, text, place);
        }
        if let Some(pattern) = rules.pattern.as_ref().filter(|pattern| !pattern.matches(text)) {
            let expected = || format!("should match pattern \"{}\"", pattern.text);
            self.fail(place, "pattern", expected);
        }
        if let Some((format, name)) = &rules.format {
            if !format.accepts(text, self.rules) {
                self.fail(place, "format", || format!("should match format \"{name}\""));
            }
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "no text is that long")]
    fn length(&mut self, rules: &TextRules, text: &str, place: &Place<'_>) {
        let length = if self.rules == Rules::platform() {
            text.encode_utf16().count()
        } else {
            text.chars().count()
        } as f64;
        if let Some(longest) = rules.longest.filter(|longest| length > *longest) {
            let longest = number_text(longest);
            let expected = || format!("should NOT be longer than {longest} characters");
            self.fail(place, "maxLength", expected);
        }
        if let Some(shortest) = rules.shortest.filter(|shortest| length < *shortest) {
            let shortest = number_text(shortest);
            let expected = || format!("should NOT be shorter than {shortest} characters");
            self.fail(place, "minLength", expected);
        }
    }
}

impl Pattern {
    pub(super) fn matches(&self, text: &str) -> bool {
        self.regex.is_match(&pattern::with_surrogates(text))
    }
}

/// Returns the comparison that a bound of a number stands for.
fn sign(keyword: &str) -> &'static str {
    match keyword {
        "maximum" => "<=",
        "exclusiveMaximum" => "<",
        "minimum" => ">=",
        _ => ">",
    }
}
