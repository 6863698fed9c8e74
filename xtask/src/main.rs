//! The commands for maintainers, `cargo xtask ...`.
//!
//! The exit status is 0 if a command succeeded, 1 if it found something or failed, and 2 if the command line is
//! invalid.

mod arguments;
mod cargo;
mod ci;
mod codegen;
mod drift;
mod readme;
mod release_checks;
mod sizes;
mod steps;
mod workspace;

use std::process::ExitCode;

use arguments::Command;
use mparticle_codegen::plan;

fn main() -> ExitCode {
    let command = match arguments::parse(lexopt::Parser::from_env()) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("error: {error}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    let done = match command {
        Command::Help(text) => {
            print!("{text}");
            Ok(())
        }
        Command::Codegen(request) => codegen::run(&request),
        Command::Plan(arguments) => return plan::command("cargo xtask plan", arguments),
        Command::Drift(path) => drift::run(&path),
        Command::Ci => steps::run(ci::STEPS),
        Command::ReleaseChecks => steps::run(release_checks::STEPS),
        Command::Sizes => sizes::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{}", message.trim_end());
            ExitCode::FAILURE
        }
    }
}
