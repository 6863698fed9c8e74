//! What the command line says.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

const USAGE: &str = "usage: backfill FILE [--historical] [--failed FILE2]";

/// What to upload, and how.
pub(crate) struct Arguments {
    pub(crate) input: PathBuf,
    pub(crate) historical: bool,
    pub(crate) failed: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn parse(mut words: impl Iterator<Item = OsString>) -> io::Result<Self> {
        let (mut input, mut historical, mut failed) = (None, false, None);
        while let Some(word) = words.next() {
            match word.to_str() {
                Some("--historical") => historical = true,
                Some("--failed") => {
                    let path = words.next().ok_or_else(|| usage("--failed names no file"))?;
                    failed = Some(path.into());
                }
                Some(word) if word.starts_with('-') => {
                    return Err(usage(&format!("`{word}` is no option")));
                }
                _ if input.is_none() => input = Some(word.into()),
                _ => return Err(usage("there is more than one file")),
            }
        }
        let input = input.ok_or_else(|| usage("there is no file"))?;
        Ok(Self { input, historical, failed })
    }

    /// The same error with the name of the file before it.
    pub(crate) fn about_input(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.input.display()))
    }
}

fn usage(problem: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("{problem}; {USAGE}"))
}
