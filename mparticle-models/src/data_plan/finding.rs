//! What the linter finds.

use std::fmt;

use crate::{DataPointMatch, Scalar};

/// A difference between a batch and a data plan, or something wrong in the plan itself.
///
/// `Display` writes one line, which contains the value that was found. Values may be personal data; the linter never
/// logs them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The kind of the difference.
    pub kind: FindingKind,

    /// What was checked.
    pub subject: Subject,

    /// The JSON pointer of the value in the batch, or in the version of the plan for a
    /// [`PlanFault`](FindingKind::PlanFault). For a missing or unplanned attribute, it is the pointer of the attribute
    /// itself.
    pub pointer: String,

    /// The point that describes the data. For an unplanned event, how a point would describe it.
    pub point: Option<DataPointMatch>,

    /// The name of the event, attribute or identity.
    pub key: Option<String>,

    /// The keyword of the schema that the value contradicts.
    pub keyword: Option<&'static str>,

    /// What the plan expects, in words.
    pub expected: Option<String>,

    /// The value that was found. Lists and objects are written as JSON text.
    pub actual: Option<Scalar>,
}

/// The kinds of [`Finding`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FindingKind {
    /// The plan has no such event.
    UnplannedEvent,
    /// The plan has no such attribute or identity.
    UnplannedAttribute,
    /// A required attribute or identity is missing.
    MissingAttribute,
    /// A value differs from what the plan allows.
    InvalidValue,
    /// Any other difference, such as a list that is too long.
    Other,
    /// The batch names another data plan, or another version. Nothing else was checked.
    OtherPlan,
    /// The batch cannot be checked, because it has the wrong structure or contains a number that JSON cannot represent.
    Unreadable,
    /// Something is wrong in the plan. The other rules of the plan still apply.
    PlanFault,
}

/// What a [`Finding`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Subject {
    /// The event with this index in the batch.
    Event(usize),
    /// The attributes of the user.
    UserAttributes,
    /// The identities of the user, and the identifiers of the device.
    UserIdentities,
    /// The batch as a whole.
    Batch,
    /// The plan.
    Plan,
}

impl Finding {
    pub(super) fn new(kind: FindingKind, subject: Subject, pointer: impl Into<String>) -> Self {
        Self {
            kind,
            subject,
            pointer: pointer.into(),
            point: None,
            key: None,
            keyword: None,
            expected: None,
            actual: None,
        }
    }
}

impl FindingKind {
    /// Returns the kind in words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnplannedEvent => "unplanned event",
            Self::UnplannedAttribute => "unplanned attribute",
            Self::MissingAttribute => "missing attribute",
            Self::InvalidValue => "invalid value",
            Self::Other => "other difference",
            Self::OtherPlan => "other data plan",
            Self::Unreadable => "unreadable batch",
            Self::PlanFault => "fault in the plan",
        }
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Writes the place, the kind, the name, what is expected and what was found.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "/" } else { &self.pointer };
        write!(f, "{place}: {}", self.kind)?;
        if let Some(key) = &self.key {
            write!(f, " `{}`", key.escape_debug())?;
        }
        if let Some(expected) = &self.expected {
            write!(f, ": {}", expected.escape_debug())?;
        }
        match &self.actual {
            Some(Scalar::String(text)) => write!(f, ", found \"{}\"", text.escape_debug()),
            Some(Scalar::Number(number)) => write!(f, ", found {number}"),
            Some(Scalar::Boolean(value)) => write!(f, ", found {value}"),
            Some(Scalar::Null) => write!(f, ", found null"),
            None => Ok(()),
        }
    }
}
