//! `mparticle plan check`: lists the faults of a data plan.

use super::name;
use crate::failure::Failure;
use crate::input::RuleSet;
use crate::input::plan::failure;
use crate::output;
use crate::text::count;
use mparticle_client::models::DataPlanVersion;
use mparticle_client::models::data_plan::{DataPlanErrorKind, DataPlanFile, Finding, Linter};
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  mparticle plan check shop.json
  mparticle plan check --rules node shop.json";

/// List the faults of a data plan: syntax errors, rules that are not understood, and points that conflict
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", crate::EXIT_STATUS))]
pub(crate) struct Arguments {
    /// The file of the plan. All versions in it are checked
    #[arg(value_name = "PLAN")]
    file: PathBuf,
    /// The rules by which the plan is read
    #[arg(long, value_enum, default_value = "platform")]
    rules: RuleSet,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let path = arguments.file.display();
    let file = match DataPlanFile::from_path(&arguments.file) {
        Ok(file) => file,
        Err(error) if error.kind() == DataPlanErrorKind::Unreadable => {
            return Err(failure(&arguments.file, &error));
        }
        // To this command, a file that is not a plan is a finding, and not a failure.
        Err(error) => {
            output::print(format_args!("{path}: {error}\n"))?;
            return Ok(ExitCode::FAILURE);
        }
    };
    let versions = file.versions();
    let mut faults: Vec<String> =
        versions.iter().flat_map(|one| faults(&file, one, arguments.rules)).collect();
    if versions.is_empty() {
        faults.push("the file has no version of a plan".to_owned());
    }
    let points = versions.iter().map(points).sum();
    let total = [(versions.len(), "version"), (points, "point"), (faults.len(), "fault")];
    let total = total.map(|(number, noun)| count(number as u64, noun)).join(", ");
    let is_clean = faults.is_empty();
    let lines = faults.into_iter().map(|fault| format!("{path}: {fault}"));
    output::print(lines.chain([total, String::new()]).collect::<Vec<_>>().join("\n"))?;
    Ok(if is_clean { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns the faults of a version, each as a sentence with its place.
fn faults(file: &DataPlanFile, version: &DataPlanVersion, rules: RuleSet) -> Vec<String> {
    let linter = Linter::new(version, rules.into());
    let fault = |finding: &Finding| {
        let pointer = match file {
            // The file is the document.
            DataPlanFile::Document(_) => finding.pointer.strip_prefix("/version_document"),
            _ => None,
        };
        let pointer = pointer.unwrap_or(&finding.pointer);
        let message = finding.expected.as_deref().unwrap_or_default();
        format!("{}: at {}: {}", name(version), pointer.escape_debug(), message.escape_debug())
    };
    linter.plan_findings().iter().map(fault).collect()
}

fn points(version: &DataPlanVersion) -> usize {
    version.version_document.as_ref().map_or(0, |document| document.data_points.len())
}
