//! The command line.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

const USAGE: &str = "usage: backfill FILE [--historical] [--failed FILE2]";

/// The arguments of the command line.
pub(crate) struct Arguments {
    pub(crate) input: PathBuf,
    pub(crate) historical: bool,
    pub(crate) failed: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn parse(mut arguments: impl Iterator<Item = OsString>) -> io::Result<Self> {
        let (mut input, mut historical, mut failed) = (None, false, None);
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("--historical") => historical = true,
                Some("--failed") => {
                    let path = arguments.next().ok_or_else(|| usage("--failed requires a file"))?;
                    failed = Some(path.into());
                }
                Some(option) if option.starts_with('-') => {
                    return Err(usage(&format!("`{option}` is no option")));
                }
                _ if input.is_none() => input = Some(argument.into()),
                _ => return Err(usage("there is more than one file")),
            }
        }
        let input = input.ok_or_else(|| usage("there is no file"))?;
        Ok(Self { input, historical, failed })
    }

    /// Prepends the name of the input file to an error.
    pub(crate) fn with_input_name(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.input.display()))
    }
}

fn usage(problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{problem}; {USAGE}"))
}
