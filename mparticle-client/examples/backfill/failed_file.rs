//! The file that keeps what was not uploaded.

use super::Arguments;
use mparticle_client::models::Batch;
use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::PathBuf;

/// A file that is made when the first line is written, and never in place of another.
pub(crate) struct FailedFile {
    /// The names it may get: the first that is free.
    names: Vec<PathBuf>,
    open: Option<(PathBuf, BufWriter<File>)>,
}

impl FailedFile {
    /// The name that was given has to be free; otherwise a number is put into the name until it is.
    pub(crate) fn new(arguments: &Arguments) -> io::Result<Self> {
        let names = match &arguments.failed {
            Some(path) if path.exists() => return Err(taken(path.display())),
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

    /// Keeps a batch, its id included.
    pub(crate) fn keep_batch(&mut self, batch: &Batch) -> io::Result<()> {
        self.keep_line(&batch.to_vec()?)
    }

    /// Keeps a line as it is.
    pub(crate) fn keep_line(&mut self, line: &[u8]) -> io::Result<()> {
        let (path, file) = match self.open.take() {
            Some(open) => self.open.insert(open),
            None => self.open.insert(create_first_free(&self.names)?),
        };
        let written = file.write_all(line).and_then(|()| file.write_all(b"\n"));
        written.map_err(|error| unwritable(path, &error))
    }

    /// Makes sure that all of it is on the disk. Its name, if there was anything to write.
    pub(crate) fn finish(self) -> io::Result<Option<PathBuf>> {
        let Some((path, mut file)) = self.open else { return Ok(None) };
        let synced = file.flush().and_then(|()| file.get_ref().sync_all());
        synced.map_err(|error| unwritable(&path, &error))?;
        Ok(Some(path))
    }
}

fn create_first_free(names: &[PathBuf]) -> io::Result<(PathBuf, BufWriter<File>)> {
    for path in names {
        match File::create_new(path) {
            Ok(file) => return Ok((path.clone(), BufWriter::new(file))),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(unwritable(path, &error)),
        }
    }
    let last = names.last().map_or_else(PathBuf::new, PathBuf::clone);
    Err(taken(last.display()))
}

fn taken(name: impl std::fmt::Display) -> io::Error {
    let message = format!("{name} exists, and the failed file replaces no other");
    io::Error::new(ErrorKind::AlreadyExists, message)
}

/// Nothing is lost even then: ids are stable, so the same input may be uploaded again.
fn unwritable(path: &std::path::Path, error: &io::Error) -> io::Error {
    let message =
        format!("{} cannot be written: {error}; run this on the same input again", path.display());
    io::Error::new(error.kind(), message)
}
