//! Compares batches with a data plan: `lint PLAN BATCHES.jsonl [--rules platform|node] [--format text|node]`.
//!
//! Each line of the second file is the JSON of a batch. The format `node` prints one line per batch, with the results
//! that mParticle's Node.js library gives; the format `text` prints one line per finding. The exit status is 0 without
//! findings, 1 with findings, and 2 if a file cannot be read or an argument is unknown.

use std::io::{BufWriter, Write};
use std::process::ExitCode;
use std::{env, fs, io};

use mparticle_models::data_plan::{DataPlanFile, Linter, Rules};

const USAGE: &str = "usage: lint PLAN BATCHES.jsonl [--rules platform|node] [--format text|node] \
                     [--plan-id ID] [--version N]";

/// How findings are printed.
#[derive(Clone, Copy, PartialEq)]
enum Format {
    Text,
    Node,
}

struct Arguments {
    plan: String,
    batches: String,
    rules: Rules,
    format: Format,
    plan_id: Option<String>,
    version: Option<i64>,
}

fn main() -> ExitCode {
    match arguments(env::args().skip(1)).and_then(|arguments| run(&arguments)) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

fn arguments(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let mut files = Vec::new();
    let (mut rules, mut format) = (Rules::platform(), Format::Text);
    let (mut plan_id, mut version) = (None, None);
    while let Some(word) = words.next() {
        if !word.starts_with("--") {
            files.push(word);
            continue;
        }
        let value = words.next().ok_or_else(|| format!("{word} needs a value\n{USAGE}"))?;
        match (word.as_str(), value.as_str()) {
            ("--rules", "platform") => rules = Rules::platform(),
            ("--rules", "node") => rules = Rules::node(),
            ("--format", "text") => format = Format::Text,
            ("--format", "node") => format = Format::Node,
            ("--plan-id", _) => plan_id = Some(value),
            ("--version", _) => {
                let number = value.parse().map_err(|_| format!("not a version: {value}\n{USAGE}"));
                version = Some(number?);
            }
            _ => return Err(format!("unknown argument: {word} {value}\n{USAGE}")),
        }
    }
    match <[String; 2]>::try_from(files) {
        Ok([plan, batches]) => Ok(Arguments { plan, batches, rules, format, plan_id, version }),
        Err(_) => Err(USAGE.to_owned()),
    }
}

/// Returns the number of findings.
fn run(arguments: &Arguments) -> Result<usize, String> {
    let plan = &arguments.plan;
    let version = DataPlanFile::from_path(plan)
        .and_then(|file| file.select(arguments.plan_id.as_deref(), arguments.version))
        .map_err(|error| format!("{plan}: {error}"))?;
    let linter = Linter::new(&version, arguments.rules);
    for finding in linter.plan_findings() {
        eprintln!("{plan}: {finding}");
    }
    let batches = &arguments.batches;
    let lines = fs::read(batches).map_err(|error| format!("{batches}: {error}"))?;
    let mut output = BufWriter::new(io::stdout().lock());
    let mut count = 0;
    for (index, line) in lines.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let number = index + 1;
        let unreadable = |error| format!("{batches}, line {number}: {error}");
        let printed = match arguments.format {
            Format::Node => {
                let results = linter.results_slice(line).map_err(unreadable)?;
                count += results.as_array().map_or(0, Vec::len);
                writeln!(output, "{results}")
            }
            Format::Text => {
                let findings = linter.lint_slice(line).map_err(unreadable)?;
                count += findings.len();
                findings.iter().try_for_each(|found| writeln!(output, "{number}: {found}"))
            }
        };
        printed.map_err(|error| format!("cannot print: {error}"))?;
    }
    output.flush().map_err(|error| format!("cannot print: {error}"))?;
    Ok(count)
}
