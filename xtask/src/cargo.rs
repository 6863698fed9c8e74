//! Runs Cargo and other programs.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio};

/// Returns the command that runs Cargo in a folder with these arguments, which are separated by spaces.
pub(crate) fn cargo(words: &str, folder: &Path) -> Command {
    // The Cargo that runs this command, which may be another one than the first in PATH.
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(words.split_whitespace()).current_dir(folder);
    command
}

/// Runs a command that has to succeed.
pub(crate) fn succeed(command: &mut Command) -> Result<(), String> {
    let name = name(command);
    let status = command.status().map_err(|error| not_started(&name, &error))?;
    if status.success() { Ok(()) } else { Err(format!("error: {name} ended with {status}")) }
}

/// Runs a command that has to succeed, and returns its output.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let name = name(command);
    let output = command.output().map_err(|error| not_started(&name, &error))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let message = String::from_utf8_lossy(&output.stderr);
    Err(format!("error: {name} ended with {}: {message}", output.status))
}

/// Runs a command without showing what it prints, and returns whether it succeeded.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Returns the program with its arguments.
fn name(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn not_started(name: &str, error: &std::io::Error) -> String {
    format!("error: {name} cannot be started: {error}")
}
