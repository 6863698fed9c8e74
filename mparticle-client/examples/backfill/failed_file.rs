//! The file with the batches and lines that were not uploaded.

use super::Arguments;
use mparticle_client::models::Batch;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::PathBuf;

/// A file that is created when the first line is written. It never replaces another file.
pub(crate) struct FailedFile {
    /// The candidates for its name. The first that does not exist is used.
    names: Vec<PathBuf>,
    open: Option<(PathBuf, BufWriter<File>)>,
}

impl FailedFile {
    /// Returns a file with the given name, which must not exist. Without a name on the command line, numbers the default
    /// name until it does not exist.
    pub(crate) fn new(arguments: &Arguments) -> io::Result<Self> {
        let names = match &arguments.failed {
            Some(path) if path.exists() => return Err(already_exists(path.display())),
            Some(path) => vec![path.clone()],
            None => (1..1000)
                .map(|number| {
                    let mut name = arguments.input.clone().into_os_string();
                    match number {
                        1 => name.push(".failed.jsonl"),
                        _ => name.push(format!(".failed-{number}.jsonl")),
                    }
                    name.into()
                })
                .collect(),
        };
        Ok(Self { names, open: None })
    }

    /// Writes a batch, including its id.
    pub(crate) fn write_batch(&mut self, batch: &Batch) -> io::Result<()> {
        self.write_line(&batch.to_vec()?)
    }

    /// Writes a line unchanged.
    pub(crate) fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        let (path, file) = match self.open.take() {
            Some(open) => self.open.insert(open),
            None => self.open.insert(create_first_free(&self.names)?),
        };
        let written = file.write_all(line).and_then(|()| file.write_all(b"\n"));
        written.map_err(|error| write_error(path, &error))
    }

    /// Syncs the file to disk. Returns its name, or `None` if nothing was written.
    pub(crate) fn finish(self) -> io::Result<Option<PathBuf>> {
        let Some((path, mut file)) = self.open else { return Ok(None) };
        let synced = file.flush().and_then(|()| file.get_ref().sync_all());
        synced.map_err(|error| write_error(&path, &error))?;
        Ok(Some(path))
    }
}

fn create_first_free(names: &[PathBuf]) -> io::Result<(PathBuf, BufWriter<File>)> {
    for path in names {
        match File::create_new(path) {
            Ok(file) => return Ok((path.clone(), BufWriter::new(file))),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(write_error(path, &error)),
        }
    }
    let last = names.last().map_or_else(PathBuf::new, PathBuf::clone);
    Err(already_exists(last.display()))
}

fn already_exists(name: impl std::fmt::Display) -> io::Error {
    let message = format!("{name} exists, and the failed file never replaces another file");
    io::Error::new(ErrorKind::AlreadyExists, message)
}

/// No data is lost in this case either: ids are stable, and the same input can be uploaded again.
fn write_error(path: &std::path::Path, error: &io::Error) -> io::Error {
    let message = format!(
        "{} cannot be written: {error}; run the example with the same input again",
        path.display()
    );
    io::Error::new(error.kind(), message)
}
