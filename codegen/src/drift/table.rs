//! Generates the tables of `schema/README.md`, which are between marks, from `differences.toml`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::explanations::{Choice, Explanations, Limit, Row};
use crate::diagnostic::{Code, Diagnostic, Origin, sorted};
use crate::load::Sources;

/// A README and its generated content.
#[derive(Debug)]
pub struct Readme {
    /// The file.
    pub path: PathBuf,
    /// The current text.
    pub found: String,
    /// The generated text.
    pub expected: String,
}

/// Renders the tables of the README in the folder of a schema.
///
/// # Errors
/// Returns the mistakes in `differences.toml`, the marks that are missing, and the limits that the schema lacks.
pub fn readme(schema: &Path) -> Result<Readme, Vec<Diagnostic>> {
    let explanations = Explanations::load(schema)?;
    let sources = Sources::load(schema)?;
    let path = schema.join("README.md");
    let found = std::fs::read_to_string(&path).map_err(|error| {
        vec![report(Code::UnreadableFile, &format!("cannot read `README.md`: {error}"))]
    })?;
    let tables = [
        ("more", rows(&explanations.more)),
        ("less", rows(&explanations.less)),
        ("limits", limits(&explanations.limits, &sources)?),
        ("other", choices(&explanations.other)),
    ];
    let mut expected = found.clone();
    for (name, table) in tables {
        expected = replace(&expected, name, &table).ok_or_else(|| {
            let message = format!("the README lacks the mark `{}` or its end", begin(name));
            vec![report(Code::InvalidDifferences, &message)]
        })?;
    }
    Ok(Readme { path, found, expected })
}

fn report(code: Code, message: &str) -> Diagnostic {
    let help = "schema/README.md has two marks for each table";
    Diagnostic::new(code, Origin::parse("README.md"), message).with_help(help)
}

fn begin(name: &str) -> String {
    format!("<!-- generated from differences.toml: {name} -->")
}

fn replace(text: &str, name: &str, table: &str) -> Option<String> {
    let begin = begin(name);
    let (before, rest) = text.split_once(&begin)?;
    let end = format!("<!-- end of {name} -->");
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n\n{table}\n{end}{after}"))
}

fn table(header: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let header: Vec<String> = header.iter().map(|&cell| cell.to_owned()).collect();
    let rule = format!("{}|\n", "|---".repeat(header.len()));
    let rows = rows.map(|cells| line(&cells));
    [line(&header), rule].into_iter().chain(rows).collect()
}

fn rows(rows: &[Row]) -> String {
    let cells = |row: &Row| {
        let Row { id, place, published, ours, why, .. } = row;
        vec![code(id), place.clone(), published.clone(), ours.clone(), why.clone()]
    };
    table(&["row", "where", "published", "ours", "why"], rows.iter().map(cells))
}

fn choices(choices: &[Choice]) -> String {
    let cells = |choice: &Choice| {
        let Choice { id, place, sources, ours, .. } = choice;
        vec![code(id), place.clone(), sources.clone(), ours.clone()]
    };
    table(&["row", "where", "sources", "ours"], choices.iter().map(cells))
}

fn code(id: &str) -> String {
    format!("`{id}`")
}

fn limits(limits: &[Limit], sources: &Sources) -> Result<String, Vec<Diagnostic>> {
    let mut missing = Vec::new();
    let mut cells = |limit: &Limit| {
        let mut values = Vec::new();
        let mut outcomes = Vec::new();
        for at in &limit.at {
            let found = read_all(at.get_ref(), sources);
            if found.is_empty() {
                let message = format!("the row `{}` names no limit: `{}`", limit.id, at.get_ref());
                let help = "name a keyword of the schema, such as `custom.json#/$defs/X/maxLength`";
                let origin = Origin::parse(super::explanations::FILE);
                missing
                    .push(Diagnostic::new(Code::StaleExplanation, origin, message).with_help(help));
            }
            for (value, beyond) in found {
                add(&mut values, value);
                add(&mut outcomes, beyond);
            }
        }
        let Limit { id, what, source, .. } = limit;
        vec![code(id), what.clone(), values.join("; "), outcomes.join("; "), source.clone()]
    };
    let rows: Vec<_> = limits.iter().map(&mut cells).collect();
    if missing.is_empty() {
        Ok(table(&["row", "what", "limit", "beyond it", "source and remarks"], rows.into_iter()))
    } else {
        Err(sorted(missing))
    }
}

fn add(words: &mut Vec<String>, word: String) {
    if !words.contains(&word) {
        words.push(word);
    }
}

/// Returns the limits at a location, in which `*` matches the name of any property.
fn read_all(at: &str, sources: &Sources) -> Vec<(String, String)> {
    let Some((before, after)) = at.split_once("/*/") else {
        return read(at, sources).into_iter().collect();
    };
    let properties = value(before, sources).and_then(Value::as_object);
    let places =
        properties.into_iter().flatten().map(|(name, _)| format!("{before}/{name}/{after}"));
    places.filter_map(|at| read(&at, sources)).collect()
}

/// Returns the limit at a location in words, and the effect of exceeding it.
fn read(at: &str, sources: &Sources) -> Option<(String, String)> {
    let (schema, keyword) = at.rsplit_once('/')?;
    let schema = value(schema, sources)?;
    let limit = schema.get(keyword)?.as_u64()?;
    let unit = if keyword == "maxLength" { "characters" } else { "entries" };
    let beyond = schema.get("x-mparticle-beyond").and_then(Value::as_str).unwrap_or("undocumented");
    Some((format!("{limit} {unit}"), beyond.to_owned()))
}

fn value<'s>(at: &str, sources: &'s Sources) -> Option<&'s Value> {
    let (file, pointer) = at.split_once('#')?;
    sources.files.get(file)?.pointer(pointer)
}
