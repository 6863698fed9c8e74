//! The command `mparticle-codegen`, which generates Rust types from mParticle data plans.

use std::env;
use std::process::ExitCode;

const USAGE: &str =
    "Usage: mparticle-codegen plan FILE --out FILE (`mparticle-codegen plan --help` tells more)";

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    match arguments.next() {
        Some(command) if command == "plan" => {
            mparticle_codegen::plan::command("mparticle-codegen plan", arguments)
        }
        Some(option) if option == "--help" || option == "-h" => {
            println!("Generates Rust types from mParticle data plans.\n\n{USAGE}");
            ExitCode::SUCCESS
        }
        Some(option) if option == "--version" || option == "-V" => {
            println!("mparticle-codegen {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Some(command) => {
            eprintln!("error: no such command: {}\n\n{USAGE}", command.to_string_lossy());
            ExitCode::from(2)
        }
        None => {
            eprintln!("error: a command is missing\n\n{USAGE}");
            ExitCode::from(2)
        }
    }
}
