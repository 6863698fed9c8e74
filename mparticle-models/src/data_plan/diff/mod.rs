//! The differences between two versions of a data plan.

mod compare;
mod rules;

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::DataPlanVersion;
use compare::Comparison;

/// Returns the differences between two versions of a data plan.
///
/// The order of points and attributes does not matter, and descriptions are not compared. If several points have the
/// same key, the last one counts, as for a [`Linter`](super::Linter). A point that describes nothing is left out;
/// [`Linter::plan_findings`](super::Linter::plan_findings) reports it.
///
/// # Examples
///
/// ```
/// use mparticle_models::data_plan::{ChangeKind, DataPlanFile, diff};
///
/// let version = |values: &str| {
///     let json = r#"{ "data_points": [{
///         "match": { "type": "screen_view", "criteria": { "screen_name": "Cart" } },
///         "validator": { "type": "json_schema", "definition": { "properties": {
///             "data": { "properties": { "custom_attributes": { "properties": {
///                 "size": { "type": "string", "enum": VALUES }
///             } } } }
///         } } }
///     }] }"#;
///     DataPlanFile::from_str(&json.replace("VALUES", values))?.select(None, None)
/// };
/// let diff = diff(&version(r#"["S", "M"]"#)?, &version(r#"["S", "M", "L"]"#)?);
/// assert_eq!(diff.changes.len(), 1);
/// assert_eq!(diff.changes[0].kind, ChangeKind::Widened);
/// assert!(!diff.breaks_data());
/// # Ok::<(), mparticle_models::data_plan::DataPlanError>(())
/// ```
#[must_use]
pub fn diff(old: &DataPlanVersion, new: &DataPlanVersion) -> Diff {
    let (old, new) = (definitions(old), definitions(new));
    let mut comparison = Comparison::default();
    for (key, definition) in &old {
        match new.get(key) {
            None => comparison.point_removed(key),
            Some(changed) => comparison.point(key, definition, changed),
        }
    }
    for (key, definition) in &new {
        if !old.contains_key(key) {
            let same = |(key, other): &(&String, &Value)| {
                other == &definition && !new.contains_key(key.as_str())
            };
            let earlier = old.iter().find(same).map(|(key, _)| key.as_str());
            comparison.point_added(key, earlier);
        }
    }
    Diff { changes: comparison.changes }
}

/// Returns the definition of each point by its match key.
fn definitions(version: &DataPlanVersion) -> BTreeMap<String, Value> {
    let points = version.version_document.iter().flat_map(|document| &document.data_points);
    let definition = |point: &crate::DataPoint| {
        let definition = point.validator.as_ref().and_then(|v| v.definition.clone());
        Some((point.match_key()?, definition.unwrap_or(Value::Bool(true))))
    };
    points.filter_map(definition).collect()
}

/// The differences between two versions of a data plan. Returned by [`diff`].
///
/// `Display` writes one line per change.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Diff {
    /// The changes, sorted by point. Added points come last.
    pub changes: Vec<Change>,
}

/// A difference between two versions of a data plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// The match key of the point, such as `custom_event:other:Signed up`.
    pub point: String,

    /// The JSON pointer of the attribute in an event, such as `/data/custom_attributes/plan`, or in the attributes of the
    /// user. `*` stands for each item of a list. `None` if the change concerns the point as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribute: Option<String>,

    /// The kind of the change.
    pub kind: ChangeKind,

    /// The change in words.
    pub detail: String,

    /// Whether code that uses types generated from the old version may no longer compile.
    pub breaks_code: bool,

    /// Whether data that follows the old version may not follow the new version.
    pub breaks_data: bool,
}

/// The kinds of [`Change`]s.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ChangeKind {
    /// The point or attribute is new.
    Added,
    /// The point or attribute is gone.
    Removed,
    /// Fewer values are allowed.
    Narrowed,
    /// More values are allowed.
    Widened,
    /// Other values are allowed: neither only fewer nor only more.
    Changed,
    /// The point or attribute is new, and one with the same definition is gone.
    PossiblyRenamed,
}

impl Diff {
    /// Returns whether code that uses types generated from the old version may no longer compile.
    #[must_use]
    pub fn breaks_code(&self) -> bool {
        self.changes.iter().any(|change| change.breaks_code)
    }

    /// Returns whether data that follows the old version may not follow the new version.
    #[must_use]
    pub fn breaks_data(&self) -> bool {
        self.changes.iter().any(|change| change.breaks_data)
    }
}

impl ChangeKind {
    /// Returns the kind in words.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Narrowed => "narrowed",
            Self::Widened => "widened",
            Self::Changed => "changed",
            Self::PossiblyRenamed => "possibly renamed",
        }
    }
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.point.escape_debug())?;
        if let Some(attribute) = &self.attribute {
            write!(f, " {}", attribute.escape_debug())?;
        }
        write!(f, ": {}", self.kind)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail.escape_debug())?;
        }
        match (self.breaks_code, self.breaks_data) {
            (true, true) => f.write_str(" (breaks code and data)"),
            (true, false) => f.write_str(" (breaks code)"),
            (false, true) => f.write_str(" (breaks data)"),
            (false, false) => Ok(()),
        }
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.changes.iter().try_for_each(|change| writeln!(f, "{change}"))
    }
}
