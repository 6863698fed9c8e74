//! The command `plan`, for `mparticle-codegen` and `cargo xtask`.

use std::env;
use std::ffi::OsString;
use std::io::{IsTerminal as _, stderr};
use std::path::PathBuf;
use std::process::ExitCode;

use lexopt::prelude::*;

use super::builder::{Builder, Outcome};
use crate::diagnostic::{render, render_warnings};
use crate::output::Mode;

const OPTIONS: &str = "\
FILE is the JSON of a data plan, of one of its versions, of the document of a version, of the configuration
of a web SDK, or of a list of plans.

Options:
  --out FILE        the Rust file to write
  --overrides FILE  a TOML file that changes names and leaves out points and attributes
  --check           write nothing; if the file is stale or missing, show how it differs and exit with status 1
  --plan-id ID      the plan to choose from a list, or the identifier of a plan whose file has none
  --version N       the version to choose, or the number of a version whose file has none; default: the highest
  --help            print this

Exit status: 0 if the file is up to date, 1 if it is not or the plan has errors, 2 if the command is wrong.
";

/// The arguments of the command.
#[derive(Debug)]
struct Request {
    input: PathBuf,
    out: PathBuf,
    overrides: Option<PathBuf>,
    plan_id: Option<String>,
    version: Option<i64>,
    mode: Mode,
}

/// Runs the command `plan` with its arguments. `name` is the name of the command in its messages.
pub fn command(name: &str, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let usage = format!(
        "Usage: {name} FILE --out FILE [--overrides FILE] [--check] [--plan-id ID] [--version N]\n"
    );
    match parse(lexopt::Parser::from_args(arguments)) {
        Ok(Some(request)) => run(name, &request),
        Ok(None) => {
            print!("Generates Rust types from an mParticle data plan.\n\n{usage}\n{OPTIONS}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}\n\n{usage}");
            ExitCode::from(2)
        }
    }
}

/// Reads the arguments; nothing if help is wanted.
fn parse(mut parser: lexopt::Parser) -> Result<Option<Request>, lexopt::Error> {
    let (mut input, mut out, mut overrides) = (None, None, None);
    let (mut plan_id, mut version, mut mode) = (None, None, Mode::Write);
    while let Some(argument) = parser.next()? {
        let is_repeated = match argument {
            Short('h') | Long("help") => return Ok(None),
            Long("check") => {
                mode = Mode::Check;
                false
            }
            Long("out") => out.replace(PathBuf::from(parser.value()?)).is_some(),
            Long("overrides") => overrides.replace(PathBuf::from(parser.value()?)).is_some(),
            Long("plan-id") => plan_id.replace(parser.value()?.string()?).is_some(),
            Long("version") => version.replace(parser.value()?.parse()?).is_some(),
            Value(value) if input.is_none() => input.replace(PathBuf::from(value)).is_some(),
            other => return Err(other.unexpected()),
        };
        if is_repeated {
            return Err("an option is given twice".into());
        }
    }
    let input = input.ok_or("the FILE of a data plan is missing")?;
    let out = out.ok_or("--out FILE is missing")?;
    Ok(Some(Request { input, out, overrides, plan_id, version, mode }))
}

fn run(name: &str, request: &Request) -> ExitCode {
    let is_colored =
        stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut builder = Builder::new(&request.input);
    if let Some(overrides) = &request.overrides {
        builder = builder.overrides(overrides);
    }
    if let Some(plan_id) = &request.plan_id {
        builder = builder.plan_id(plan_id);
    }
    if let Some(version) = request.version {
        builder = builder.version(version);
    }
    let result = match request.mode {
        Mode::Check => builder.check(&request.out),
        Mode::Write => builder.write(&request.out),
    };
    let Outcome { difference, warnings } = match result {
        Ok(outcome) => outcome,
        Err(error) => {
            eprint!("{}", render(error.diagnostics(), is_colored));
            return ExitCode::FAILURE;
        }
    };
    eprint!("{}", render_warnings(&warnings, is_colored));
    let out = request.out.display();
    match (difference, request.mode) {
        (None, Mode::Check) => println!("{out}: up to date"),
        (None, Mode::Write) => println!("{out}: unchanged"),
        (Some(_), Mode::Write) => println!("{out}: written"),
        (Some(difference), Mode::Check) => {
            eprintln!("{out} is not what the data plan generates:\n\n{difference}\n");
            eprintln!("to update it, run `{name}` with the same arguments, but without --check");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mistake_is_named() {
        let cases = [
            ("", "the FILE of a data plan is missing"),
            ("a.json", "--out FILE is missing"),
            ("--out b.rs", "the FILE of a data plan is missing"),
            ("a.json b.json --out b.rs", "unexpected argument \"b.json\""),
            ("a.json --out b.rs --out c.rs", "an option is given twice"),
            (
                "a.json --out b.rs --version x",
                "cannot parse argument \"x\": invalid digit found in string",
            ),
            ("a.json --ou b.rs", "invalid option '--ou'"),
        ];
        for (line, expected) in cases {
            let found = parse(lexopt::Parser::from_args(line.split_whitespace()));
            assert_eq!(found.unwrap_err().to_string(), expected, "{line}");
        }
    }

    #[test]
    fn the_arguments_are_understood() {
        let line = "--check a.json --version=3 --plan-id p --overrides o.toml --out b.rs";
        let found = parse(lexopt::Parser::from_args(line.split_whitespace())).unwrap().unwrap();
        assert_eq!((found.input, found.out), ("a.json".into(), "b.rs".into()));
        assert_eq!((found.plan_id.as_deref(), found.version), (Some("p"), Some(3)));
        assert_eq!((found.overrides, found.mode), (Some("o.toml".into()), Mode::Check));
        assert!(parse(lexopt::Parser::from_args(["-h"])).unwrap().is_none());
    }
}
