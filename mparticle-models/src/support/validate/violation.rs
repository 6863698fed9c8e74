//! What a violation says.

use std::fmt;

/// A value that breaks a rule of the service, or advice.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The JSON pointer of the value; empty for the whole document.
    pub pointer: String,
    /// The rule that it breaks.
    pub rule: Rule,
    /// The bound, where the rule has one.
    pub limit: Option<u64>,
    /// The value's size in the unit of the bound.
    pub actual: Option<u64>,
    /// How bad it is.
    pub severity: Severity,
    /// The fields that the rule is about, where it is about several.
    pub fields: Vec<&'static str>,
}

/// A rule; those of JSON Schema go by its keywords.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// A text has too many characters.
    MaxLength,
    /// A list has too many items.
    MaxItems,
    /// A map has too many entries.
    MaxProperties,
    /// The name of a map's entry has too many characters.
    PropertyNames,
    /// A value is not one of a closed set.
    Enum,
    /// A field that must be written is missing.
    Required,
    /// A value is of the wrong kind.
    Type,
    /// A number is not finite, so JSON cannot hold it.
    Finite,
    /// Advice: the text is not a UUID.
    Uuid,
    /// Advice: the text is not an IP address.
    Ip,
    /// Advice: the time looks like seconds.
    UnixMillis,
    /// Advice: not exactly one field of a group is present.
    ExactlyOneOf,
}

impl Rule {
    /// The rule's name: a keyword of JSON Schema, or one of ours in the same style.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MaxLength => "maxLength",
            Self::MaxItems => "maxItems",
            Self::MaxProperties => "maxProperties",
            Self::PropertyNames => "propertyNames",
            Self::Enum => "enum",
            Self::Required => "required",
            Self::Type => "type",
            Self::Finite => "finite",
            Self::Uuid => "uuid",
            Self::Ip => "ip",
            Self::UnixMillis => "unixMillis",
            Self::ExactlyOneOf => "exactlyOneOf",
        }
    }

    /// Whether this is advice: the JSON Schema accepts the value all the same.
    #[must_use]
    pub const fn is_advice(self) -> bool {
        matches!(self, Self::Uuid | Self::Ip | Self::UnixMillis | Self::ExactlyOneOf)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How bad a violation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The data may be cut or taken otherwise than meant, or no source says what happens.
    Warning,
    /// The data is refused or not processed.
    Error,
}

/// What happens to data beyond a limit, according to mParticle's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Beyond {
    /// It is refused or not processed.
    Refused,
    /// It is cut to the limit.
    Cut,
    /// Nothing is documented.
    Undocumented,
}

impl Beyond {
    /// How bad it is to go beyond the limit.
    #[must_use]
    pub const fn severity(self) -> Severity {
        match self {
            Self::Refused => Severity::Error,
            Self::Cut | Self::Undocumented => Severity::Warning,
        }
    }
}

/// A sentence with a hint; it names sizes, never the value itself.
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pointer = if self.pointer.is_empty() { "the document" } else { &self.pointer };
        write!(f, "{pointer}: ")?;
        match self.rule {
            Rule::MaxLength => self.sizes(f, "characters")?,
            Rule::MaxItems => self.sizes(f, "items")?,
            Rule::MaxProperties => self.sizes(f, "entries")?,
            Rule::PropertyNames => self.sizes(f, "characters in the name")?,
            Rule::Enum => f.write_str("not one of the values that mParticle accepts")?,
            Rule::Required => f.write_str("missing, but mParticle requires it")?,
            Rule::Type => f.write_str("expected an object or nothing at all")?,
            Rule::Finite => f.write_str("not a finite number, which JSON cannot hold")?,
            Rule::Uuid => f.write_str(
                "not a UUID; mParticle expects the form 8-4-4-4-12 in hexadecimal digits",
            )?,
            Rule::Ip => f.write_str("not an IPv4 or IPv6 address")?,
            Rule::UnixMillis => {
                f.write_str("looks like seconds; mParticle expects milliseconds")?;
            }
            Rule::ExactlyOneOf => {
                let fields = self.fields.join(", ");
                write!(
                    f,
                    "expected exactly one of {fields}, found {}",
                    self.actual.unwrap_or_default()
                )?;
            }
        }
        write!(f, " ({})", self.rule)
    }
}

impl Violation {
    fn sizes(&self, f: &mut fmt::Formatter<'_>, unit: &str) -> fmt::Result {
        match (self.actual, self.limit) {
            (Some(actual), Some(limit)) => {
                write!(f, "{actual} {unit}, at most {limit} are allowed")
            }
            _ => write!(f, "too many {unit}"),
        }
    }
}

impl std::error::Error for Violation {}
