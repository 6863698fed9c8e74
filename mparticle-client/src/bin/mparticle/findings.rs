//! Checks the batches of inputs, and prints what is wrong with them.

use crate::failure::Failure;
use crate::input::entries::Rules;
use crate::input::{Content, Entries, Input, Mapping, Problem, Source};
use crate::output;
use crate::text::count;
use crate::upload::Done;
use mparticle_client::ViolationSummary;
use mparticle_client::models::data_plan::Linter;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::SystemTime;

/// How many findings of an input are printed for GitHub, which shows ten of a step.
const MAX_ANNOTATIONS: usize = 50;

/// The inputs, and the form of the output.
#[derive(clap::Args)]
pub(crate) struct Checked {
    /// JSON Lines, JSON arrays or CSV, also compressed with gzip or zstd. `-` is standard input
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
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

/// The checks of batches, in addition to the errors of reading.
#[derive(Clone, Copy)]
pub(crate) struct Checks<'a> {
    pub(crate) linter: Option<&'a Linter>,
    pub(crate) violations: Violations,
}

/// Whether violations of mParticle's rules are reported.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Violations {
    Report,
    Ignore,
}

/// The findings in all inputs.
#[derive(Default)]
struct Findings {
    batches: u64,
    summary: ViolationSummary,
    annotations: Vec<String>,
}

/// Checks all inputs, and prints the findings.
pub(crate) fn report(checked: &Checked, checks: Checks<'_>) -> Result<ExitCode, Failure> {
    let mapping = checked.csv.as_deref().map(Mapping::read).transpose()?;
    let sources = Source::from_arguments(&checked.files)?;
    let mut findings = Findings::default();
    for source in &sources {
        findings.check(source, mapping.as_ref(), checks)?;
    }
    output::print(findings.text(checked.format))?;
    Ok(if findings.summary.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Findings {
    fn check(
        &mut self,
        source: &Source,
        mapping: Option<&Mapping>,
        Checks { linter, violations }: Checks<'_>,
    ) -> Result<(), Failure> {
        let Input { records, namespace, mapping, .. } = source.open(mapping)?;
        let (done, now) = (Done::default(), SystemTime::now());
        let rules = Rules { namespace, mapping: mapping.as_ref(), given_back: None, linter, now };
        let mut entries = Entries::new(records, rules, &done);
        while let Some(entry) = entries.next().map_err(|error| source.failure(&error))? {
            self.batches += 1;
            let mut problems = entry.notes;
            match entry.content {
                Content::Failed(problem, _) => problems.push(problem),
                Content::Batch(batch) if violations == Violations::Report => {
                    problems.extend(batch.validate().iter().map(Problem::from));
                }
                Content::Batch(_) | Content::Nothing => {}
            }
            for problem in &problems {
                self.add(source, entry.line, problem);
            }
        }
        Ok(())
    }

    fn add(&mut self, source: &Source, line: u64, problem: &Problem) {
        problem.add_to(&mut self.summary, &source.name(), line);
        if self.annotations.len() < MAX_ANNOTATIONS {
            self.annotations.push(annotation(source, line, problem));
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
                    "violations": self.summary,
                });
                format!("{report:#}\n")
            }
        }
    }
}

/// An annotation of GitHub Actions.
fn annotation(source: &Source, line: u64, problem: &Problem) -> String {
    let (line, column) = problem.place(line);
    let level = problem.level();
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
    use super::{Problem, Source, annotation};

    #[test]
    fn an_annotation_escapes_special_characters() {
        let mut problem = Problem::new("type", "a\nb 100 %").at("/x");
        problem.position = Some((2, 2));
        let text = annotation(&Source::File("a,b:c".into()), 6, &problem);
        assert_eq!(text, "::error file=a%2Cb%3Ac,line=7,col=2,title=type::/x: a%0Ab 100 %25\n");
    }
}
