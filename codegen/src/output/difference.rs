//! The difference between a file and its generated content.

use std::fmt;

/// The number of lines that are shown of each version.
const SHOWN_LINES: usize = 3;

/// A file that differs from its generated content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The path of the file relative to the folder, with `/` between its parts.
    pub path: String,
    /// The kind of the difference.
    pub kind: DifferenceKind,
}

/// The kind of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DifferenceKind {
    /// The content differs.
    Stale {
        /// The first line that differs, counted from 1.
        line: usize,
        /// The first generated lines from there on.
        expected: Vec<String>,
        /// The lines in the file instead.
        found: Vec<String>,
    },
    /// The file does not exist.
    Missing,
    /// The file exists, but is not generated any more.
    Orphaned,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.kind {
            DifferenceKind::Missing => write!(f, "missing: {path}"),
            DifferenceKind::Orphaned => write!(f, "orphaned: {path}"),
            DifferenceKind::Stale { line, expected, found } => {
                write!(f, "stale: {path}, line {line}:")?;
                for (label, lines) in [("found", found), ("expected", expected)] {
                    if lines.is_empty() {
                        write!(f, "\n    {label:<8} (end of the file)")?;
                    }
                    for (index, text) in lines.iter().enumerate() {
                        let label = if index == 0 { label } else { "" };
                        write!(f, "\n    {label:<8} | {text}")?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// Returns the first difference between two texts, if there is one.
pub(crate) fn stale(expected: &str, found: &[u8]) -> Option<DifferenceKind> {
    if expected.as_bytes() == found {
        return None;
    }
    let found = String::from_utf8_lossy(found);
    let same = expected
        .split_inclusive('\n')
        .zip(found.split_inclusive('\n'))
        .take_while(|(expected, found)| expected == found)
        .count();
    let from = |text: &str| {
        let lines = text.split_inclusive('\n').skip(same);
        lines.take(SHOWN_LINES).map(visible).collect()
    };
    Some(DifferenceKind::Stale { line: same + 1, expected: from(expected), found: from(&found) })
}

/// Returns a line without its end, with invisible characters escaped.
fn visible(line: &str) -> String {
    let (line, end) = match line.strip_suffix('\n') {
        Some(line) => (line, ""),
        None => (line, " (no newline at the end)"),
    };
    let escape = |c: char| {
        if c.is_control() { c.escape_default().to_string() } else { c.into() }
    };
    line.chars().map(escape).chain([end.to_owned()]).collect()
}
