//! The watermark: a position that the log had reached.

use super::files::Files;
use super::frame::u64_at;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

const MAGIC: [u8; 8] = *b"\xFFmPmark1";
const LENGTH: usize = 28;
/// The minimum interval between two writes of the file.
const INTERVAL: Duration = Duration::from_secs(1);

/// The file `watermark`, which is never synced.
pub(super) struct Watermark<T> {
    file: T,
    /// The next position and the next number.
    value: (u64, u64),
    written: (u64, u64),
    due: Instant,
}

impl<T> Watermark<T> {
    /// Opens the file. The values are zero if the file is missing or damaged.
    pub(super) fn open<F: Files<File = T>>(files: &F, path: &Path) -> io::Result<Self> {
        let file = files.open(path)?;
        let mut bytes = [0; LENGTH];
        let is_complete = files.len(&file)? >= 28;
        if is_complete {
            files.read_at(&file, 0, &mut bytes)?;
        }
        let value = decode(&bytes).unwrap_or_default();
        Ok(Self { file, value, written: value, due: Instant::now() })
    }

    pub(super) fn position(&self) -> u64 {
        self.value.0
    }

    pub(super) fn next_number(&self) -> u64 {
        self.value.1
    }

    pub(super) fn advance(&mut self, position: u64, next_number: u64) {
        self.value = (position, next_number);
    }

    /// Returns the time until the file has to be written, or `None` if it does not have to be.
    pub(super) fn wait(&self) -> Option<Duration> {
        let is_written = self.value == self.written;
        (!is_written).then(|| self.due.saturating_duration_since(Instant::now()))
    }

    /// Writes the file now. A failure is not reported, because the watermark is only a check and contains no batch.
    pub(super) fn write<F: Files<File = T>>(&mut self, files: &F) {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(self.value.0.to_le_bytes());
        bytes.extend(self.value.1.to_le_bytes());
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        _ = files.write_at(&self.file, 0, &bytes);
        self.written = self.value;
        self.due = Instant::now() + INTERVAL;
    }
}

fn decode(bytes: &[u8]) -> Option<(u64, u64)> {
    let (content, checksum) = bytes.split_at_checked(LENGTH - 4)?;
    let is_valid =
        content.starts_with(&MAGIC) && checksum == crc32fast::hash(content).to_le_bytes();
    if is_valid { Some((u64_at(content, 8)?, u64_at(content, 16)?)) } else { None }
}
