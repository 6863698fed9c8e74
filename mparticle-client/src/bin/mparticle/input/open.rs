//! Opens an input and recognizes what it contains.

use super::checks::{Encoding, Form, encoding, form, is_failed_file};
use super::lines::Lines;
use super::rows::Rows;
use super::values::Values;
use super::zstd::Zstd;
use super::{Mapping, Namespace, Records};
use crate::failure::Failure;
use flate2::bufread::MultiGzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// How much of a file is read to recognize its content, and to distinguish it from other files.
const HEAD_BYTES: u64 = 64 * 1024;

/// The same of standard input, where no more may come for a long time.
const PIPE_HEAD_BYTES: u64 = 16;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

type Reader = Box<dyn BufRead + Send>;

/// Where records come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    File(PathBuf),
    /// A named pipe or a device.
    Pipe(PathBuf),
    StandardInput,
}

/// An input that was opened.
pub(crate) struct Input {
    pub(crate) records: Box<dyn Records>,
    pub(crate) namespace: Namespace,
    /// The mapping with the columns of this file.
    pub(crate) mapping: Option<Mapping>,
    /// How many bytes of the file have been read, before decompression.
    pub(crate) position: Arc<AtomicU64>,
    /// The size of the file, if it is known.
    pub(crate) size: Option<u64>,
}

impl Source {
    /// The sources that arguments name, which can be opened: `-`, or nothing, is standard input.
    pub(crate) fn from_arguments(files: &[PathBuf]) -> Result<Vec<Self>, Failure> {
        let source = |path: &PathBuf| {
            if path.as_os_str() == "-" {
                return Self::StandardInput;
            }
            match path.metadata() {
                Ok(data) if !data.is_file() && !data.is_dir() => Self::Pipe(path.clone()),
                _ => Self::File(path.clone()),
            }
        };
        let sources = match files {
            [] => vec![Self::StandardInput],
            files => files.iter().map(source).collect(),
        };
        sources.iter().try_for_each(Self::check)?;
        Ok(sources)
    }

    pub(crate) fn name(&self) -> String {
        match self {
            Self::File(path) | Self::Pipe(path) => path.display().to_string(),
            Self::StandardInput => "standard input".to_owned(),
        }
    }

    /// Checks that a file can be opened, and that standard input is no terminal.
    fn check(&self) -> Result<(), Failure> {
        match self {
            Self::File(path) => open_file(path).map(|_| ()),
            Self::StandardInput if io::stdin().is_terminal() => {
                let failure = Failure::new("there is no input: standard input is a terminal");
                Err(failure.with_hint("name a file, or pipe data into the command"))
            }
            // Whoever writes to a pipe would notice that it is opened.
            Self::Pipe(_) | Self::StandardInput => Ok(()),
        }
    }

    /// Opens the source, and reads its beginning.
    pub(crate) fn open(&self, mapping: Option<&Mapping>) -> Result<Input, Failure> {
        let failure = |error| self.failure(&error);
        let position = Arc::new(AtomicU64::new(0));
        let (file, size) = self.open_raw()?;
        let counted = Counted { input: file, position: Arc::clone(&position) };
        let input = Box::new(BufReader::with_capacity(64 * 1024, counted));
        let head_bytes = if size.is_some() { HEAD_BYTES } else { PIPE_HEAD_BYTES };
        let (head, input) = peek(self.decompress(input)?, head_bytes).map_err(failure)?;
        self.check_text(&head)?;
        let namespace = match self {
            Self::File(_) => Namespace::of_content(&head),
            Self::Pipe(_) | Self::StandardInput => Namespace::named("standard input"),
        };
        let (records, mapping) = self.records(input, &head, mapping)?;
        Ok(Input { records, namespace, mapping, position, size })
    }

    /// Opens the source as it is, and returns its size if it is known.
    fn open_raw(&self) -> Result<(Box<dyn Read + Send>, Option<u64>), Failure> {
        match self {
            Self::File(path) => {
                let file = open_file(path)?;
                let size = file.metadata().map_err(|error| self.failure(&error))?.len();
                Ok((Box::new(file), Some(size)))
            }
            Self::Pipe(path) => Ok((Box::new(open_file(path)?), None)),
            Self::StandardInput => Ok((Box::new(io::stdin()), None)),
        }
    }

    /// Recognizes by its first bytes how an input is compressed.
    fn decompress(&self, input: Reader) -> Result<Reader, Failure> {
        let (head, input) = peek(input, PIPE_HEAD_BYTES).map_err(|error| self.failure(&error))?;
        match encoding(&head) {
            Encoding::Gzip => Ok(Box::new(BufReader::new(MultiGzDecoder::new(input)))),
            Encoding::Zstandard => Ok(Box::new(BufReader::new(Zstd::new(input)))),
            Encoding::Plain => Ok(input),
            Encoding::Unsupported(hint) => {
                let message = format!("{} cannot be read as it is", self.name());
                Err(Failure::new(message).with_hint(hint))
            }
        }
    }

    /// Divides text with this beginning into records. Returns the mapping with the columns of the file as well.
    fn records(
        &self,
        mut input: Reader,
        head: &[u8],
        mapping: Option<&Mapping>,
    ) -> Result<(Box<dyn Records>, Option<Mapping>), Failure> {
        let mut text = head;
        if let Some(rest) = text.strip_prefix(BYTE_ORDER_MARK) {
            text = rest;
            let mut mark = [0; BYTE_ORDER_MARK.len()];
            input.read_exact(&mut mark).map_err(|error| self.failure(&error))?;
        }
        if let Some(mapping) = mapping.filter(|_| !is_failed_file(text)) {
            let rows = Rows::new(input, mapping).map_err(|failure| failure.in_file(&self.name()));
            return rows.map(|(rows, mapping)| (Box::new(rows) as Box<dyn Records>, Some(mapping)));
        }
        let records: Box<dyn Records> = match form(text) {
            Form::Values => Box::new(Values::new(input)),
            Form::Lines => Box::new(Lines::new(input)),
        };
        Ok((records, mapping.cloned()))
    }

    /// The error of reading.
    pub(crate) fn failure(&self, error: &io::Error) -> Failure {
        Failure::new(format!("{}: {error}", self.name()))
    }

    /// Refuses what is no text.
    fn check_text(&self, head: &[u8]) -> Result<(), Failure> {
        match head.iter().position(|byte| *byte == 0) {
            Some(place) => {
                Err(Failure::new(format!("{} is no text: byte {} is zero", self.name(), place + 1))
                    .with_hint(
                        "JSON Lines, JSON arrays and CSV are read, as UTF-8, also compressed",
                    ))
            }
            None => Ok(()),
        }
    }
}

fn open_file(path: &Path) -> Result<File, Failure> {
    let failure = |error| Failure::of_file(path, &error);
    let file = File::open(path).map_err(failure)?;
    if file.metadata().map_err(failure)?.is_dir() {
        let message = format!("{} is a folder", path.display());
        return Err(Failure::new(message).with_hint("name the files in it"));
    }
    Ok(file)
}

/// Reads the first bytes, and returns them with a reader that begins with them.
fn peek(mut input: Reader, bytes: u64) -> io::Result<(Vec<u8>, Reader)> {
    let mut head = Vec::new();
    (&mut input).take(bytes).read_to_end(&mut head)?;
    let input = Cursor::new(head.clone()).chain(input);
    Ok((head, Box::new(input)))
}

/// Counts the bytes that are read.
struct Counted {
    input: Box<dyn Read + Send>,
    position: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.position.fetch_add(u64::try_from(length).unwrap_or_default(), Ordering::Relaxed);
        Ok(length)
    }
}
