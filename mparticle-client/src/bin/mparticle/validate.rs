//! `mparticle validate`: checks batches and events, and sends nothing.

use crate::failure::Failure;
use crate::findings::{self, Checked, Checks, Violations};
use crate::input::PlanOptions;
use mparticle_client::models::data_plan::Rules;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  mparticle validate events.jsonl
  mparticle validate --plan shop.json events.jsonl
  mparticle validate --format github tests/*.json
  cat events.jsonl | mparticle validate --format json -";

/// Check batches and events from files or standard input, and send nothing
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", crate::EXIT_STATUS))]
pub(crate) struct Arguments {
    #[command(flatten)]
    checked: Checked,
    #[command(flatten)]
    plan: PlanOptions,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let linter = arguments.plan.linter(Rules::platform())?;
    let checks = Checks { linter: linter.as_ref(), violations: Violations::Report };
    findings::report(&arguments.checked, checks)
}
