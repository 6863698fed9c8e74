//! `mparticle plan`: compares data with a data plan, and examines plans.

mod check;
mod diff;
mod lint;
mod show;

use crate::failure::Failure;
use mparticle_client::models::DataPlanVersion;
use std::process::ExitCode;

const FILES: &str = "\
The file of a plan is JSON from mParticle: a data plan, a version of it, the document of a version, the
configuration of a web SDK, or a list of plans. `mparticle-codegen plan` generates Rust types from it.";

/// Compare data with a data plan, check a plan, and compare versions of it
#[derive(clap::Args)]
#[command(after_help = FILES, after_long_help = format!("{FILES}\n\n{}", crate::EXIT_STATUS))]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    Lint(lint::Arguments),
    Check(check::Arguments),
    Diff(diff::Arguments),
    Show(show::Arguments),
}

pub(crate) fn run(arguments: Arguments) -> Result<ExitCode, Failure> {
    match arguments.command {
        Command::Lint(arguments) => lint::run(arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Show(arguments) => show::run(&arguments),
    }
}

/// Names a version by its plan and its number, as far as the file contains them.
fn name(version: &DataPlanVersion) -> String {
    let id = version.data_plan_id.as_deref().unwrap_or("the plan").escape_debug();
    match version.version {
        Some(number) => format!("{id}, version {number}"),
        None => id.to_string(),
    }
}
