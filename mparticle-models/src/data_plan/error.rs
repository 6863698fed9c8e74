//! The error of reading a data plan, or of selecting a version.

use std::fmt;

use crate::{ReadError, ReadErrorKind};

/// The error of reading a data plan, or of selecting a version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataPlanError {
    kind: DataPlanErrorKind,
    pointer: String,
    message: String,
}

/// The kind of a [`DataPlanError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataPlanErrorKind {
    /// The file cannot be read.
    Unreadable,
    /// The file is not JSON, or it is nested too deeply.
    Syntax,
    /// The JSON is not a data plan.
    NotAPlan,
    /// The file has no version.
    NoVersion,
    /// The file has no plan with the given identifier.
    UnknownPlan,
    /// The plan has no version with the given number.
    UnknownVersion,
    /// The file has several plans, and no identifier was given.
    Ambiguous,
}

impl DataPlanError {
    pub(super) fn new(
        kind: DataPlanErrorKind,
        pointer: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self { kind, pointer: pointer.into(), message: message.into() }
    }

    pub(super) fn syntax(error: &serde_json::Error) -> Self {
        Self::new(DataPlanErrorKind::Syntax, "", format!("the file is not JSON: {error}"))
    }

    pub(super) fn not_a_plan(pointer: &str, reason: &str) -> Self {
        let message = format!(
            "the file is not a data plan: {reason}; expected `data_plan_versions`, \
             `version_document`, `data_points` or `dtpn`"
        );
        Self::new(DataPlanErrorKind::NotAPlan, pointer, message)
    }

    pub(super) fn no_version(message: &str) -> Self {
        Self::new(DataPlanErrorKind::NoVersion, "", message)
    }

    pub(super) fn ambiguous<'i>(ids: impl Iterator<Item = &'i str>) -> Self {
        let message = format!("the file has several plans; select one of {}", list(ids));
        Self::new(DataPlanErrorKind::Ambiguous, "", message)
    }

    pub(super) fn unknown_plan<'i>(id: &str, ids: impl IntoIterator<Item = &'i str>) -> Self {
        let message = format!("there is no plan `{id}`; select one of {}", list(ids));
        Self::new(DataPlanErrorKind::UnknownPlan, "", message)
    }

    pub(super) fn unknown_version(number: i64, numbers: &[i64]) -> Self {
        let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
        let choices = list(numbers.iter().map(String::as_str));
        let message = format!("there is no version {number}; select one of {choices}");
        Self::new(DataPlanErrorKind::UnknownVersion, "", message)
    }

    /// Adds what stands before the pointer.
    pub(super) fn below(mut self, pointer: &str) -> Self {
        self.pointer.insert_str(0, pointer);
        self
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> DataPlanErrorKind {
        self.kind
    }

    /// Returns the JSON pointer of what is wrong. It is empty for the whole file.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Returns what is wrong, and what to do.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

fn list<'i>(items: impl IntoIterator<Item = &'i str>) -> String {
    items.into_iter().collect::<Vec<_>>().join(", ")
}

impl From<ReadError> for DataPlanError {
    fn from(error: ReadError) -> Self {
        let kind = match error.kind() {
            ReadErrorKind::Syntax => DataPlanErrorKind::Syntax,
            _ => DataPlanErrorKind::NotAPlan,
        };
        Self::new(kind, error.pointer(), error.message())
    }
}

impl fmt::Display for DataPlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.pointer.is_empty() {
            write!(f, "at {}: ", self.pointer)?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for DataPlanError {}
