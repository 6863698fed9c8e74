//! `cargo xtask codegen`: generates code, and writes or checks the files.

use std::env;
use std::fmt::Write as _;
use std::io::{IsTerminal, stderr};
use std::path::{Path, PathBuf};

use mparticle_codegen::{Difference, DifferenceKind, Outcome, check, diagnostic, generate};

use crate::arguments::{Request, Source, Task};
use crate::{readme, workspace};

/// Runs a task. The error is the text to print.
pub(crate) fn run(request: &Request) -> Result<(), String> {
    let (schema, overrides, out) = places(&request.source)?;
    let act = match request.task {
        Task::Check => check,
        Task::Write => generate,
    };
    let outcome = act(&schema, overrides.as_deref(), &out)
        .map_err(|diagnostics| diagnostic::render(&diagnostics, colored()))?;
    if request.source == Source::Workspace {
        readme::sync(&schema, request.task)?;
    }
    let out = shown(&out);
    match request.task {
        Task::Check if !outcome.differences.is_empty() => {
            Err(complaint(out, &outcome.differences, &request.source))
        }
        Task::Check => {
            println!("{}: {} files are up to date", out.display(), outcome.files);
            Ok(())
        }
        Task::Write => {
            println!("{}: {}", out.display(), summary(&outcome));
            Ok(())
        }
    }
}

/// Returns the schema, its overrides and the output folder.
fn places(source: &Source) -> Result<(PathBuf, Option<PathBuf>, PathBuf), String> {
    Ok(match source {
        Source::Workspace => {
            let root = workspace::root()?;
            let schema = root.join("schema");
            let overrides = schema.join("overrides.toml");
            (schema, Some(overrides), root.join("mparticle-models/src/generated"))
        }
        Source::Foreign { schema, overrides, out } => {
            (schema.clone(), overrides.clone(), out.clone())
        }
    })
}

/// Returns a path relative to the workspace, for messages.
pub(crate) fn shown(path: &Path) -> &Path {
    let root = workspace::root().unwrap_or_default();
    path.strip_prefix(root).unwrap_or(path)
}

/// Whether diagnostics may be coloured; see no-color.org.
pub(crate) fn colored() -> bool {
    stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn complaint(out: &Path, differences: &[Difference], source: &Source) -> String {
    let mut text = format!("{} is not what the schema generates:\n\n", out.display());
    for difference in differences {
        let _ = writeln!(text, "{difference}");
    }
    let _ = write!(text, "\nto update it, run: {}", command(source));
    text
}

/// Returns the command that generates from `source`.
fn command(source: &Source) -> String {
    let mut command = "cargo xtask codegen".to_owned();
    if let Source::Foreign { schema, overrides, out } = source {
        let options =
            [("--schema", Some(schema)), ("--overrides", overrides.as_ref()), ("--out", Some(out))];
        for (option, value) in options {
            if let Some(value) = value {
                let _ = write!(command, " {option} {}", quoted(value));
            }
        }
    }
    command
}

/// Returns a path quoted for a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn summary(outcome: &Outcome) -> String {
    let differences = &outcome.differences;
    let count = |wanted: fn(&DifferenceKind) -> bool| {
        differences.iter().filter(|difference| wanted(&difference.kind)).count()
    };
    let deleted = count(|kind| matches!(kind, DifferenceKind::Orphaned));
    let written = differences.len() - deleted;
    let unchanged = outcome.files - written;
    format!("{written} written, {unchanged} unchanged, {deleted} deleted")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(path: &str, kind: DifferenceKind) -> Difference {
        Difference { path: path.to_owned(), kind }
    }

    fn foreign(overrides: Option<&str>) -> Source {
        Source::Foreign {
            schema: "a schema.json".into(),
            overrides: overrides.map(PathBuf::from),
            out: "it's".into(),
        }
    }

    #[test]
    fn the_command_to_run_repeats_the_options() {
        assert_eq!(command(&Source::Workspace), "cargo xtask codegen");
        assert_eq!(
            command(&foreign(Some("x/o.toml"))),
            r"cargo xtask codegen --schema 'a schema.json' --overrides x/o.toml --out 'it'\''s'"
        );
        assert_eq!(
            command(&foreign(None)),
            r"cargo xtask codegen --schema 'a schema.json' --out 'it'\''s'"
        );
    }

    #[test]
    fn a_failed_check_lists_every_file_and_ends_with_the_command() {
        let differences = [
            difference("a.rs", DifferenceKind::Missing),
            difference("b.rs", DifferenceKind::Orphaned),
        ];
        assert_eq!(
            complaint(Path::new("out"), &differences, &Source::Workspace),
            "out is not what the schema generates:\n\nmissing: a.rs\norphaned: b.rs\n\n\
             to update it, run: cargo xtask codegen"
        );
    }

    #[test]
    fn the_summary_counts_each_file_once() {
        let differences = vec![
            difference("a.rs", DifferenceKind::Missing),
            difference("z.rs", DifferenceKind::Orphaned),
        ];
        assert_eq!(
            summary(&Outcome { files: 3, differences }),
            "1 written, 2 unchanged, 1 deleted"
        );
    }
}
