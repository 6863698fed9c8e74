//! `mparticle plan lint`: compares batches and events with a data plan.

use crate::failure::Failure;
use crate::findings::{self, Checked, Checks, Violations};
use crate::input::{PlanOptions, RuleSet};
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  mparticle plan lint --plan shop.json events.jsonl
  mparticle plan lint shop.json events.jsonl.gz
  mparticle plan lint --plan shop.json --plan-version 2 --rules node --format github tests/*.json
  cat events.jsonl | mparticle plan lint --plan shop.json --format json -";

/// Compare batches and events from files or standard input with a data plan
///
/// Without `--plan`, the first file is the plan.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", crate::EXIT_STATUS))]
pub(crate) struct Arguments {
    #[command(flatten)]
    checked: Checked,
    /// The rules by which batches are compared
    #[arg(long, value_enum, default_value = "platform")]
    rules: RuleSet,
    #[command(flatten)]
    plan: PlanOptions,
}

pub(crate) fn run(mut arguments: Arguments) -> Result<ExitCode, Failure> {
    let Arguments { checked, rules, plan } = &mut arguments;
    if plan.plan.is_none() && !checked.files.is_empty() {
        plan.plan = Some(checked.files.remove(0));
    }
    let linter = plan.linter((*rules).into())?;
    let linter = linter.ok_or_else(|| {
        Failure::new("no data plan is named").with_hint("name its file with --plan")
    })?;
    let checks = Checks { linter: Some(&linter), violations: Violations::Ignore };
    findings::report(checked, checks)
}
