//! `mparticle completions`: prints a script that completes the command line.

use crate::failure::Failure;
use crate::output;
use std::process::ExitCode;

/// Print a script that completes the command line in a shell
#[derive(clap::Args)]
#[command(after_help = "Example:\n  mparticle completions bash > mparticle.bash")]
pub(crate) struct Arguments {
    /// The shell
    shell: clap_complete::Shell,
}

pub(crate) fn run(arguments: &Arguments, mut command: clap::Command) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "mparticle", &mut script);
    output::print(String::from_utf8_lossy(&script))?;
    Ok(ExitCode::SUCCESS)
}
