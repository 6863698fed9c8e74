//! The command `mparticle`: sends, checks and repairs data for mParticle's Events API from files and pipes.
//!
//! Each subcommand is a module with its arguments and a function `run`. What they do is done by the library.

mod client;
mod completions;
mod emulator;
mod failure;
mod findings;
mod http_server;
mod input;
mod output;
mod plan;
#[cfg(feature = "jetstream")]
mod relay;
mod runtime;
mod text;
mod upload;
mod validate;

use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};
use std::process::ExitCode;

const EXIT_STATUS: &str = "\
Exit status:
  0  everything was delivered, or nothing was found
  1  something was not delivered, or something was found
  2  an option, a setting or an input is wrong
  130  a second Ctrl-C ended the command at once";

/// Sends, checks and repairs data for mParticle's Events API
#[derive(Parser)]
#[command(name = "mparticle", version, after_help = EXIT_STATUS, after_long_help = EXIT_STATUS)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", display_order = 100)]
    color: ColorChoice,
}

#[derive(Subcommand)]
enum Command {
    Upload(Box<upload::Arguments>),
    Validate(validate::Arguments),
    Plan(plan::Arguments),
    Emulator(emulator::Arguments),
    #[cfg(feature = "jetstream")]
    Relay(Box<relay::Arguments>),
    Completions(completions::Arguments),
}

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    let color = color_choice(words.iter().map(|word| word.to_string_lossy()));
    let matches = Arguments::command().color(color).try_get_matches_from(&words);
    let arguments = match matches.and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no mistakes. A reader that has gone needs neither.
            _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let result = match arguments.command {
        Command::Upload(arguments) => upload::run(&arguments),
        Command::Validate(arguments) => validate::run(&arguments),
        Command::Plan(arguments) => plan::run(arguments),
        Command::Emulator(arguments) => emulator::run(&arguments),
        #[cfg(feature = "jetstream")]
        Command::Relay(arguments) => relay::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments, Arguments::command()),
    };
    result.unwrap_or_else(|failure| {
        output::error(color, &failure);
        ExitCode::from(2)
    })
}

/// Returns the value of `--color` before the command line is parsed, because parsing may print an error.
fn color_choice<'a>(words: impl Iterator<Item = std::borrow::Cow<'a, str>>) -> ColorChoice {
    let mut value = None;
    let mut is_next = false;
    for word in words {
        if is_next {
            value = Some(word.to_string());
        } else if let Some(text) = word.strip_prefix("--color=") {
            value = Some(text.to_owned());
        }
        is_next = word == "--color";
    }
    value.and_then(|value| value.parse().ok()).unwrap_or(ColorChoice::Auto)
}

#[cfg(test)]
mod tests {
    use super::{Arguments, color_choice};
    use clap::{ColorChoice, CommandFactory};

    #[test]
    fn the_definitions_of_the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_colour_is_known_before_the_arguments_are_parsed() {
        for (words, expected) in [
            ("mparticle upload x", ColorChoice::Auto),
            ("mparticle --color never upload", ColorChoice::Never),
            ("mparticle upload --color=always", ColorChoice::Always),
            ("mparticle upload --color=pink", ColorChoice::Auto),
        ] {
            assert_eq!(color_choice(words.split(' ').map(Into::into)), expected, "{words}");
        }
    }
}
