//! Compares another schema with `schema/`: the schema that mParticle publishes, or another version of our own.
//!
//! Both schemas are bundled and rewritten by the passes of the generator. Differences in references, `allOf` and event
//! wrappers therefore have no effect. A schema that defines types at our own locations is another version of ours: each
//! of its types is compared with our type at the same location. Any other schema is a published one: its root is
//! compared with our batch, and `schema/differences.toml` explains the known differences.

mod accepts;
mod compare;
mod document;
mod explanations;
mod fields;
mod objects;
mod table;
mod variants;

use std::fmt::{self, Write as _};
use std::path::Path;

use self::compare::Comparison;
use self::document::Document;
use self::explanations::Explanations;
pub use self::table::{Readme, readme};
use crate::diagnostic::{self, Diagnostic};

/// The direction of a difference: the change from our schema to the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Change {
    /// The other schema has something that ours lacks.
    Adds,
    /// The other schema lacks something that ours has.
    Removes,
    /// The other schema accepts less.
    Narrows,
    /// The other schema accepts more.
    Widens,
    /// The other schema accepts something else.
    Changes,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Adds => "adds",
            Self::Removes => "removes",
            Self::Narrows => "narrows",
            Self::Widens => "widens",
            Self::Changes => "changes",
        })
    }
}

/// One difference between the other schema and ours.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The place in our schema, `file#pointer`. For an added field, it is the place that the field would have.
    pub ours: String,
    /// The direction of the difference.
    pub change: Change,
    /// The part that differs, such as `field`, `value xbox`, `null` or `maxLength`.
    pub what: String,
    /// The place in the other schema, `file#pointer`.
    pub theirs: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { change, what, ours, theirs } = self;
        let name = ours.rsplit('/').next().filter(|_| what == "field").unwrap_or_default();
        let space = if name.is_empty() { "" } else { " " };
        writeln!(f, "{change} {what}{space}{name}\n  --> {theirs}\n  ours: {ours}")
    }
}

/// The result of a comparison.
#[derive(Debug)]
pub struct Report {
    /// The differences without an explanation, in the order of our schema.
    pub differences: Vec<Difference>,
    /// The number of differences that `differences.toml` explains.
    pub explained: usize,
    /// The explanations that no longer apply.
    pub stale: Vec<Diagnostic>,
    /// Whether the other schema is a published one, to which the explanations apply.
    pub published: bool,
}

impl Report {
    /// Returns whether there is nothing to do.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.differences.is_empty() && self.stale.is_empty()
    }

    /// Returns the report as text, with a summary as its last line.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        let mut text = String::new();
        for difference in &self.differences {
            let _ = writeln!(text, "{difference}");
        }
        if !self.stale.is_empty() {
            text += &diagnostic::render(&self.stale, color);
            text.push('\n');
        }
        if self.published && !self.differences.is_empty() {
            text += "change schema/, or add each one to the `explains` of a row of schema/differences.toml:\n";
            for Difference { change, what, ours, .. } in &self.differences {
                let _ = writeln!(
                    text,
                    "  {{ change = \"{change}\", what = [\"{what}\"], at = [\"{ours}\"] }},"
                );
            }
            text.push('\n');
        }
        text + &self.summary()
    }

    fn summary(&self) -> String {
        let (found, stale) = (self.differences.len(), self.stale.len());
        if !self.published {
            return format!("{} from schema/\n", count(found, "difference"));
        }
        format!(
            "{} from schema/, {} explained, {}\n",
            count(found, "unexplained difference"),
            self.explained,
            count(stale, "stale explanation"),
        )
    }
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

/// Compares the schema at `theirs`, a file or a folder, with the folder `ours`.
///
/// # Errors
/// Returns all mistakes because of which a schema, or `differences.toml` in our folder, cannot be read.
pub fn drift(theirs: &Path, ours: &Path) -> Result<Report, Vec<Diagnostic>> {
    let theirs = Document::read(theirs)?;
    let explanations = Explanations::load(ours)?;
    let ours = Document::read(ours)?;
    let mut comparison = Comparison::new(&theirs, &ours);
    let published = !theirs.shares_locations(&ours);
    if published {
        comparison.published(&explanations.published)?;
    } else {
        comparison.versions();
    }
    let differences = comparison.differences();
    if !published {
        return Ok(Report { differences, explained: 0, stale: Vec::new(), published });
    }
    let stale = explanations.stale(&differences);
    let found = differences.len();
    let unexplained: Vec<_> =
        differences.into_iter().filter(|difference| !explanations.explain(difference)).collect();
    let explained = found - unexplained.len();
    Ok(Report { differences: unexplained, explained, stale, published })
}
