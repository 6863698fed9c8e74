//! How a file differs from what the generator makes, and how that is shown.

use std::fmt;

/// How many lines of each side a stale file shows.
const SHOWN_LINES: usize = 3;

/// A file that is not as the generator would have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The file's path relative to the folder, with `/` between its parts.
    pub path: String,
    /// How it differs.
    pub kind: DifferenceKind,
}

/// How a file differs from what the generator makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DifferenceKind {
    /// Its contents are other ones.
    Stale {
        /// The first line that differs, counted from 1.
        line: usize,
        /// The generated lines from there on, a few of them.
        expected: Vec<String>,
        /// The lines that stand in the file instead.
        found: Vec<String>,
    },
    /// It does not exist.
    Missing,
    /// It exists, though nothing generates it.
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

/// Where two texts begin to differ, if they do.
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

/// A line without its end, with what cannot be seen written out.
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
