//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;

/// The summary of the commands.
pub(crate) const USAGE: &str = "\
Usage: cargo xtask codegen [--check]
       cargo xtask codegen [--check] --schema PATH [--overrides FILE] --out DIR
       cargo xtask plan FILE --out FILE
       cargo xtask drift PATH
       cargo xtask ci
       cargo xtask release-checks
       cargo xtask sizes
       cargo xtask [codegen|plan|drift] --help
";

const HELP: &str = "\
The maintainers' commands of this workspace.

Usage: cargo xtask <COMMAND>

Commands:
  codegen  turn the JSON Schema into Rust (`cargo xtask codegen --help` tells more)
  plan     generate types from a data plan (`cargo xtask plan --help` tells more)
  drift    compare another schema with schema/ (`cargo xtask drift --help` tells more)
  ci       run everything that CI runs for each change, and stop at the first failure
  release-checks
           run what has to hold before a release, in addition to `ci`
  sizes    measure how a program with the client and with comparable crates builds, and print the table of
           mparticle-client/README.md
";

const CODEGEN_HELP: &str = "\
Turns the JSON Schema into Rust. Without options: schema/ with schema/overrides.toml into
mparticle-models/src/generated/. Only files that were generated are ever overwritten or deleted.

Usage: cargo xtask codegen [--check]
       cargo xtask codegen [--check] --schema PATH [--overrides FILE] --out DIR

Options:
  --check           write nothing; list each file that is stale, missing or orphaned and exit with status 1
                    when there is one
  --schema PATH     a schema of your own: one file, or a folder of files that refer to each other
  --overrides FILE  what JSON Schema cannot say about the Rust code, as TOML; see schema/overrides.toml
  --out DIR         where the module's mod.rs and its submodules go
  --help            print this

To try mParticle's own schema:
  cargo xtask codegen --schema mparticle.inbound.eventsapi.schema.json \\
      --overrides schema/official.overrides.toml --out some/folder
";

const DRIFT_HELP: &str = "\
Compares another schema with schema/ and lists what it adds, removes, narrows, widens or changes.

Usage: cargo xtask drift PATH

PATH is the schema that mParticle publishes, or the folder schema/ of another version of this repository.
Differences from the published schema that schema/differences.toml explains are left out, and an explanation
that no longer applies is an error. Exit status: 0 if nothing is left, 1 otherwise.
";

/// A parsed command line.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    /// Print this text.
    Help(&'static str),
    /// Generate or check.
    Codegen(Request),
    /// Generate from a data plan, as these arguments say.
    Plan(Vec<OsString>),
    /// Compare the schema at this path with ours.
    Drift(PathBuf),
    /// Run what CI runs for each change.
    Ci,
    /// Run what has to hold before a release.
    ReleaseChecks,
    /// Measure how programs build.
    Sizes,
}

/// The task of `cargo xtask codegen`.
#[derive(Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) task: Task,
    pub(crate) source: Source,
}

/// Whether files are changed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Task {
    Write,
    Check,
}

/// The schema to generate from, and the output folder.
#[derive(Debug, PartialEq)]
pub(crate) enum Source {
    /// The schema and the crate of this workspace.
    Workspace,
    /// Any other schema and folder.
    Foreign { schema: PathBuf, overrides: Option<PathBuf>, out: PathBuf },
}

pub(crate) fn parse(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    match parser.next()? {
        None => {
            Err("a command is missing: codegen, plan, drift, ci, release-checks or sizes".into())
        }
        Some(Short('h') | Long("help")) => Ok(Command::Help(HELP)),
        Some(Value(name)) if name == "codegen" => codegen(parser),
        Some(Value(name)) if name == "plan" => Ok(Command::Plan(parser.raw_args()?.collect())),
        Some(Value(name)) if name == "drift" => drift(parser),
        Some(Value(name)) if name == "ci" => alone(parser, Command::Ci),
        Some(Value(name)) if name == "release-checks" => alone(parser, Command::ReleaseChecks),
        Some(Value(name)) if name == "sizes" => alone(parser, Command::Sizes),
        Some(Value(name)) => Err(format!("no such command: {}", name.to_string_lossy()).into()),
        Some(other) => Err(other.unexpected()),
    }
}

/// A command without arguments.
fn alone(mut parser: lexopt::Parser, command: Command) -> Result<Command, lexopt::Error> {
    match parser.next()? {
        None => Ok(command),
        Some(Short('h') | Long("help")) => Ok(Command::Help(HELP)),
        Some(other) => Err(other.unexpected()),
    }
}

fn drift(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let path = match parser.next()? {
        None => return Err("drift needs the PATH of a schema".into()),
        Some(Short('h') | Long("help")) => return Ok(Command::Help(DRIFT_HELP)),
        Some(Value(path)) => PathBuf::from(path),
        Some(other) => return Err(other.unexpected()),
    };
    match parser.next()? {
        None => Ok(Command::Drift(path)),
        Some(other) => Err(other.unexpected()),
    }
}

fn codegen(mut parser: lexopt::Parser) -> Result<Command, lexopt::Error> {
    let mut task = Task::Write;
    let (mut schema, mut overrides, mut out) = (None, None, None);
    while let Some(argument) = parser.next()? {
        let (option, place) = match argument {
            Short('h') | Long("help") => return Ok(Command::Help(CODEGEN_HELP)),
            Long("check") => {
                task = Task::Check;
                continue;
            }
            Long("schema") => ("--schema", &mut schema),
            Long("overrides") => ("--overrides", &mut overrides),
            Long("out") => ("--out", &mut out),
            other => return Err(other.unexpected()),
        };
        if place.replace(PathBuf::from(parser.value()?)).is_some() {
            return Err(format!("{option} is given twice").into());
        }
    }
    let source = match (schema, overrides, out) {
        (None, None, None) => Source::Workspace,
        (Some(schema), overrides, Some(out)) => Source::Foreign { schema, overrides, out },
        (Some(_), _, None) => return Err("--schema needs --out DIR beside it".into()),
        (None, _, Some(_)) => return Err("--out needs --schema PATH beside it".into()),
        (None, Some(_), None) => {
            return Err("--overrides needs --schema PATH and --out DIR beside it".into());
        }
    };
    Ok(Command::Codegen(Request { task, source }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(lexopt::Parser::from_args(line.split_whitespace())).map_err(|error| error.to_string())
    }

    fn request(task: Task, source: Source) -> Command {
        Command::Codegen(Request { task, source })
    }

    fn foreign(schema: &str, overrides: Option<&str>, out: &str) -> Source {
        Source::Foreign {
            schema: schema.into(),
            overrides: overrides.map(PathBuf::from),
            out: out.into(),
        }
    }

    #[test]
    fn each_command_is_understood() {
        let cases = [
            ("ci", Command::Ci),
            ("release-checks", Command::ReleaseChecks),
            ("sizes", Command::Sizes),
            ("--help", Command::Help(HELP)),
            ("ci --help", Command::Help(HELP)),
            ("drift a.json", Command::Drift("a.json".into())),
            ("plan a.json --check", Command::Plan(vec!["a.json".into(), "--check".into()])),
            ("drift --help", Command::Help(DRIFT_HELP)),
            ("codegen -h", Command::Help(CODEGEN_HELP)),
            ("codegen", request(Task::Write, Source::Workspace)),
            ("codegen --check", request(Task::Check, Source::Workspace)),
            ("codegen --out=o --schema=s", request(Task::Write, foreign("s", None, "o"))),
            (
                "codegen --schema s --overrides t --out o --check",
                request(Task::Check, foreign("s", Some("t"), "o")),
            ),
        ];
        for (line, expected) in cases {
            assert_eq!(parsed(line), Ok(expected), "{line}");
        }
    }

    #[test]
    fn each_mistake_is_named() {
        let cases = [
            ("", "a command is missing: codegen, plan, drift, ci, release-checks or sizes"),
            ("build", "no such command: build"),
            ("--check", "invalid option '--check'"),
            ("ci fast", "unexpected argument \"fast\""),
            ("drift", "drift needs the PATH of a schema"),
            ("drift a b", "unexpected argument \"b\""),
            ("drift --check", "invalid option '--check'"),
            ("codegen --chekc", "invalid option '--chekc'"),
            ("codegen now", "unexpected argument \"now\""),
            ("codegen --check=yes", "unexpected argument for option '--check': \"yes\""),
            ("codegen --schema", "missing argument for option '--schema'"),
            ("codegen --schema s", "--schema needs --out DIR beside it"),
            ("codegen --out o", "--out needs --schema PATH beside it"),
            ("codegen --overrides t", "--overrides needs --schema PATH and --out DIR beside it"),
            ("codegen --out o --out p", "--out is given twice"),
        ];
        for (line, message) in cases {
            assert_eq!(parsed(line), Err(message.to_owned()), "{line}");
        }
    }
}
