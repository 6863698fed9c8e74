//! `mparticle plan diff`: compares two versions of a data plan.

use super::name;
use crate::failure::Failure;
use crate::input::PlanChoice;
use crate::output;
use crate::text::count;
use mparticle_client::models::DataPlanVersion;
use mparticle_client::models::data_plan::{Diff, diff};
use serde_json::json;
use std::cmp::Reverse;
use std::path::PathBuf;
use std::process::ExitCode;

const EXAMPLES: &str = "\
Examples:
  mparticle plan diff shop-v2.json shop-v3.json
  mparticle plan diff --old-version 2 --new-version 3 --format json shop.json shop.json

The exit status is 1 if the new version breaks code that uses types generated from the old one, or data that
follows the old one.";

/// Compare two versions of a data plan
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, after_long_help = format!("{EXAMPLES}\n\n{}", crate::EXIT_STATUS))]
pub(crate) struct Arguments {
    /// The file with the old version
    old: PathBuf,
    /// The file with the new version
    new: PathBuf,
    /// The plan, if a file contains several
    #[arg(long, value_name = "ID")]
    plan_id: Option<String>,
    /// The old version. By default the highest in its file
    #[arg(long, value_name = "N")]
    old_version: Option<i64>,
    /// The new version. By default the highest in its file
    #[arg(long, value_name = "N")]
    new_version: Option<i64>,
    /// The form of the output
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Format {
    /// A line for each change, breaking changes first
    Text,
    /// A JSON object for programs
    Json,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let choice = |plan_version| PlanChoice { plan_id: arguments.plan_id.clone(), plan_version };
    let old = choice(arguments.old_version).version(&arguments.old)?;
    let new = choice(arguments.new_version).version(&arguments.new)?;
    let mut diff = diff(&old, &new);
    diff.changes.sort_by_key(|change| Reverse((change.breaks_data, change.breaks_code)));
    output::print(match arguments.format {
        Format::Text => text(&old, &new, &diff),
        Format::Json => format!("{:#}\n", report(&old, &new, &diff)),
    })?;
    let is_breaking = diff.breaks_code() || diff.breaks_data();
    Ok(if is_breaking { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn text(old: &DataPlanVersion, new: &DataPlanVersion, diff: &Diff) -> String {
    let changes = count(diff.changes.len() as u64, "change");
    let breaking = diff.changes.iter().filter(|one| one.breaks_code || one.breaks_data).count();
    format!("{diff}{changes} from {} to {}, {breaking} breaking\n", name(old), name(new))
}

fn report(old: &DataPlanVersion, new: &DataPlanVersion, diff: &Diff) -> serde_json::Value {
    json!({
        "old": name(old),
        "new": name(new),
        "breaks_code": diff.breaks_code(),
        "breaks_data": diff.breaks_data(),
        "changes": diff.changes,
    })
}
