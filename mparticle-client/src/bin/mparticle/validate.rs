//! `mparticle validate`: checks batches and events, and sends nothing.

use crate::failure::Failure;
use crate::input::entries::Rules;
use crate::input::{Content, Entries, Input, Mapping, Problem, Source};
use crate::output;
use crate::text::count;
use crate::upload::{Done, violations_json};
use mparticle_client::ViolationSummary;
use mparticle_client::models::Severity;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

/// How many findings of an input are printed for GitHub, which shows ten of a step.
const MAX_ANNOTATIONS: u64 = 50;

const EXAMPLES: &str = "\
Examples:
  mparticle validate events.jsonl
  mparticle validate --format github tests/*.json
  cat events.jsonl | mparticle validate --format json -";

/// Check batches and events from files or standard input, and send nothing
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", crate::EXIT_STATUS))]
pub(crate) struct Arguments {
    /// JSON Lines, JSON arrays or CSV, also compressed with gzip or zstd. `-` is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Read CSV, with the columns that this file maps to fields
    #[arg(long, value_name = "MAPPING")]
    csv: Option<PathBuf>,
    /// The form of the output
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Lines for people, by rule
    Text,
    /// A JSON object for programs
    Json,
    /// Annotations of GitHub Actions
    Github,
}

/// What was found in all inputs.
#[derive(Default)]
struct Findings {
    batches: u64,
    summary: ViolationSummary,
    annotations: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mapping = arguments.csv.as_deref().map(Mapping::read).transpose()?;
    let sources = Source::from_arguments(&arguments.files);
    sources.iter().try_for_each(Source::check)?;
    let mut findings = Findings::default();
    for source in &sources {
        findings.check(source, mapping.as_ref(), arguments.format)?;
    }
    output::print(findings.text(arguments.format))?;
    Ok(if findings.summary.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Findings {
    fn check(
        &mut self,
        source: &Source,
        mapping: Option<&Mapping>,
        format: Format,
    ) -> Result<(), Failure> {
        let Input { records, namespace, mapping, .. } = source.open(mapping)?;
        let done = Done::default();
        let rules = Rules {
            namespace,
            mapping: mapping.as_ref(),
            given_back: None,
            now: SystemTime::now(),
        };
        let mut entries = Entries::new(records, rules, &done);
        while let Some(entry) = entries.next().map_err(|error| source.failure(&error))? {
            self.batches += 1;
            match entry.content {
                Content::Nothing => {}
                Content::Failed(problem, _) => {
                    self.add(source, entry.line, Severity::Error, &problem, format);
                }
                Content::Batch(batch) => {
                    for violation in batch.validate() {
                        let problem = Problem::from(&violation);
                        self.add(source, entry.line, violation.severity, &problem, format);
                    }
                }
            }
        }
        Ok(())
    }

    fn add(
        &mut self,
        source: &Source,
        line: u64,
        severity: Severity,
        problem: &Problem,
        format: Format,
    ) {
        problem.add_to(&mut self.summary, severity, &source.name(), line);
        let is_full = self.annotations.len() as u64 >= MAX_ANNOTATIONS;
        if format == Format::Github && !is_full {
            self.annotations.push(annotation(source, line, severity, problem));
        }
    }

    fn text(&self, format: Format) -> String {
        let (errors, warnings) = (self.summary.errors(), self.summary.warnings());
        let total = format!(
            "{}, {}, {}\n",
            count(self.batches, "batch"),
            count(errors, "error"),
            count(warnings, "warning")
        );
        match format {
            Format::Text => format!("{:#}{total}", self.summary),
            Format::Github => self.annotations.concat() + &total,
            Format::Json => {
                let report = json!({
                    "batches": self.batches,
                    "errors": errors,
                    "warnings": warnings,
                    "violations": violations_json(&self.summary),
                });
                format!("{report:#}\n")
            }
        }
    }
}

/// An annotation of GitHub Actions.
fn annotation(source: &Source, line: u64, severity: Severity, problem: &Problem) -> String {
    let (line, column) = problem.place(line);
    let level = if severity == Severity::Error { "error" } else { "warning" };
    let escape = |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| escape(text).replace(':', "%3A").replace(',', "%2C");
    let column = column.map(|column| format!(",col={column}")).unwrap_or_default();
    let pointer =
        if problem.pointer.is_empty() { String::new() } else { format!("{}: ", problem.pointer) };
    format!(
        "::{level} file={},line={line}{column},title={}::{}\n",
        property(&source.name()),
        property(problem.rule),
        escape(&(pointer + &problem.message))
    )
}

#[cfg(test)]
mod tests {
    use super::{Problem, Severity, Source, annotation};

    #[test]
    fn an_annotation_escapes_what_has_a_meaning() {
        let mut problem = Problem::new("type", "a\nb 100 %").at("/x");
        problem.position = Some((2, 2));
        let text = annotation(&Source::File("a,b:c".into()), 6, Severity::Error, &problem);
        assert_eq!(text, "::error file=a%2Cb%3Ac,line=7,col=2,title=type::/x: a%0Ab 100 %25\n");
    }
}
