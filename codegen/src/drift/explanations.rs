//! Reads `differences.toml`: the known differences from the published schema, and their reasons.
//!
//! The file has two uses: the tables of `schema/README.md` are generated from it, and its entries explain the
//! differences that a comparison finds. An entry that explains nothing is an error.

use std::path::Path;

use indexmap::IndexMap;
use serde::Deserialize;
use toml::Spanned;

use super::{Change, Difference};
use crate::diagnostic::{Code, Diagnostic, Origin};
use crate::overrides::line_at;

pub(super) const FILE: &str = "differences.toml";

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Explanations {
    pub(super) published: Published,
    /// The rows about data that our schema accepts and the published one does not.
    #[serde(default)]
    pub(super) more: Vec<Row>,
    /// The rows about data that the published schema accepts and ours does not.
    #[serde(default)]
    pub(super) less: Vec<Row>,
    #[serde(default)]
    pub(super) limits: Vec<Limit>,
    #[serde(default)]
    pub(super) other: Vec<Choice>,
    #[serde(skip)]
    text: String,
}

/// The counterparts of the types of the published schema. Other counterparts follow from the references.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Published {
    /// The location of the root in our schema.
    pub(super) root: String,
    /// The locations in our schema of definitions that are not referred to, by name.
    #[serde(default)]
    pub(super) definitions: IndexMap<String, String>,
}

/// A row of the first two tables.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) id: String,
    #[serde(rename = "where")]
    pub(super) place: String,
    pub(super) published: String,
    pub(super) ours: String,
    pub(super) why: String,
    #[serde(default)]
    explains: Vec<Explanation>,
}

/// A limit that the published schema lacks. Its value comes from our schema.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limit {
    pub(super) id: String,
    pub(super) what: String,
    /// The locations of the keywords.
    pub(super) at: Vec<Spanned<String>>,
    pub(super) source: String,
    /// Whether the limit is in a document that the published file does not contain.
    #[serde(default)]
    outside: bool,
}

/// A choice between sources other than the published schema.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Choice {
    pub(super) id: String,
    #[serde(rename = "where")]
    pub(super) place: String,
    pub(super) sources: String,
    pub(super) ours: String,
    #[serde(default)]
    explains: Vec<Explanation>,
}

/// The differences that a row explains: each of `what` at each of `at`. `*` matches any text.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Explanation {
    change: Change,
    what: Vec<Spanned<String>>,
    at: Vec<Spanned<String>>,
}

impl Explanations {
    /// Reads the file in the folder of a schema.
    pub(super) fn load(schema: &Path) -> Result<Self, Vec<Diagnostic>> {
        let text = std::fs::read_to_string(schema.join(FILE)).map_err(|error| {
            let message = format!("cannot read `{FILE}`: {error}");
            let help = "the folder of the schema holds this file";
            vec![
                Diagnostic::new(Code::UnreadableFile, Origin::parse(FILE), message).with_help(help),
            ]
        })?;
        Self::parse(&text)
    }

    pub(super) fn parse(text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut explanations: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| line_of(text, span.start));
            let help = "the head of `differences.toml` describes its entries";
            vec![
                Diagnostic::new(
                    Code::InvalidDifferences,
                    Origin::line(FILE, line),
                    error.message(),
                )
                .with_help(help),
            ]
        })?;
        text.clone_into(&mut explanations.text);
        Ok(explanations)
    }

    /// Whether an entry explains a difference.
    pub(super) fn explain(&self, difference: &Difference) -> bool {
        let limit = |limit: &Limit| limit.at.iter().any(|at| is_limit(at.get_ref(), difference));
        self.entries().any(|(_, entry)| entry.explains(difference)) || self.limits.iter().any(limit)
    }

    /// Reports each part of an entry that explains none of the differences.
    pub(super) fn stale(&self, differences: &[Difference]) -> Vec<Diagnostic> {
        let mut stale = Vec::new();
        for (id, entry) in self.entries() {
            for at in &entry.at {
                let applies = |d: &Difference| entry.explains(d) && fits(at.get_ref(), &d.ours);
                if !differences.iter().any(applies) {
                    stale.push(self.report(id, entry.change, at));
                }
            }
            for what in &entry.what {
                let applies = |d: &Difference| entry.explains(d) && fits(what.get_ref(), &d.what);
                if !differences.iter().any(applies) {
                    stale.push(self.report(id, entry.change, what));
                }
            }
        }
        for limit in self.limits.iter().filter(|limit| !limit.outside) {
            let unused =
                limit.at.iter().filter(|at| !differences.iter().any(|d| is_limit(at.get_ref(), d)));
            stale.extend(unused.map(|at| self.report(&limit.id, Change::Widens, at)));
        }
        stale
    }

    fn entries(&self) -> impl Iterator<Item = (&str, &Explanation)> {
        let rows = self.more.iter().chain(&self.less).map(|row| (&row.id, &row.explains));
        let rows = rows.chain(self.other.iter().map(|choice| (&choice.id, &choice.explains)));
        rows.flat_map(|(id, entries)| entries.iter().map(move |entry| (id.as_str(), entry)))
    }

    fn report(&self, id: &str, change: Change, part: &Spanned<String>) -> Diagnostic {
        let origin = Origin::line(FILE, line_of(&self.text, part.span().start));
        let message = format!("the row `{id}` explains nothing that {change} `{}`", part.get_ref());
        let help = "remove this part, and correct the row, which becomes text of schema/README.md";
        Diagnostic::new(Code::StaleExplanation, origin, message).with_help(help)
    }
}

impl Explanation {
    fn explains(&self, difference: &Difference) -> bool {
        self.change == difference.change
            && self.what.iter().any(|what| fits(what.get_ref(), &difference.what))
            && self.at.iter().any(|at| fits(at.get_ref(), &difference.ours))
    }
}

/// Whether a difference is the absence of the limit at this location.
fn is_limit(at: &str, difference: &Difference) -> bool {
    let (schema, keyword) = at.rsplit_once('/').unwrap_or((at, ""));
    let (schema, what) = match schema.strip_suffix("/propertyNames") {
        Some(map) => (map, format!("no {keyword} of names")),
        None => (schema, format!("no {keyword}")),
    };
    difference.change == Change::Widens && fits(schema, &difference.ours) && difference.what == what
}

/// Whether a text matches a pattern, in which `*` matches any text.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        let Some((_, after)) = text.split_once(part) else { return false };
        text = after;
    }
    text.ends_with(last)
}

fn line_of(text: &str, offset: usize) -> usize {
    let line_ends: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
    line_at(&line_ends, offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        let cases = [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "anything", true),
            ("a/*/c", "a/b/c", true),
            ("a/*/c", "a/b/d", false),
            ("*b*d", "abcd", true),
            ("*b*d", "abc", false),
            ("a*", "ba", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }
}
