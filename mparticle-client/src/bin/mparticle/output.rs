//! What is printed, and where.

use crate::failure::Failure;
use clap::ColorChoice;
use std::fmt::Display;
use std::io::{self, IsTerminal, Write};

/// Prints to standard output. A reader that has closed the pipe is no error.
pub(crate) fn print(text: impl Display) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match write!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("standard output cannot be written: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints a line to standard error. Nothing can be done if that fails.
pub(crate) fn note(text: impl Display) {
    _ = writeln!(io::stderr().lock(), "{text}");
}

/// Prints an error to standard error.
pub(crate) fn error(color: ColorChoice, failure: &Failure) {
    let is_coloured = match color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => {
            io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
        }
    };
    let label = if is_coloured { "\x1b[1;31merror:\x1b[0m" } else { "error:" };
    note(format_args!("{label} {failure}"));
}
