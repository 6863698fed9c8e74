//! The spare: a file of zeros that becomes the next segment.

use super::files::Files;
use std::io;
use std::path::Path;

/// The state of the file `spare`.
pub(super) struct Spare<T> {
    file: Option<T>,
    /// The number of zeros that were written.
    filled: u64,
    /// The intended length of the file.
    size: u64,
}

impl<T> Spare<T> {
    pub(super) fn new(size: u64) -> Self {
        Self { file: None, filled: 0, size }
    }

    /// Returns the size, if the spare is complete.
    pub(super) fn ready(&self) -> Option<u64> {
        (self.filled >= self.size).then_some(self.size)
    }

    /// Whether nothing was written yet.
    pub(super) fn is_empty(&self) -> bool {
        self.file.is_none()
    }

    /// Reuses a file whose space is allocated. Its content does not matter, because the checksum of a frame depends on
    /// the number of its segment.
    pub(super) fn recycle(&mut self, file: T) {
        self.filled = self.size;
        self.file = Some(file);
    }

    /// Makes the spare large enough for a group that needs more than a segment.
    pub(super) fn grow(&mut self, size: u64) {
        self.size = self.size.max(size);
    }

    /// Takes the complete file. The next one has the usual size.
    pub(super) fn take(&mut self, size: u64) -> Option<T> {
        self.ready()?;
        let file = self.file.take();
        *self = Self::new(size);
        file
    }

    /// Writes and syncs a piece of the file. Keeps the written pieces if the disk is full.
    pub(super) fn fill<F: Files<File = T>>(
        &mut self,
        files: &F,
        path: &Path,
        piece: u64,
    ) -> io::Result<()> {
        if self.ready().is_some() {
            return Ok(());
        }
        let written = self.write(files, path, piece);
        if written.as_ref().is_err_and(|error| !is_full(error)) {
            // The next attempt begins with a new file, in another area of the disk.
            *self = Self::new(self.size);
            files.remove(path)?;
        }
        written
    }

    fn write<F: Files<File = T>>(&mut self, files: &F, path: &Path, piece: u64) -> io::Result<()> {
        let file = if let Some(file) = self.file.take() {
            file
        } else {
            let file = open(files, path, self.size)?;
            self.filled = leading_zeros(files, &file)?;
            file
        };
        let length = piece.min(self.size - self.filled);
        let zeros = vec![0; usize::try_from(length).unwrap_or_default()];
        let written = files.write_at(&file, self.filled, &zeros).and_then(|()| files.sync(&file));
        self.file = Some(file);
        written?;
        self.filled += length;
        Ok(())
    }
}

/// Opens the spare of an earlier process and keeps its space, or creates a new file.
fn open<F: Files>(files: &F, path: &Path, size: u64) -> io::Result<F::File> {
    let file = files.open(path)?;
    if files.len(&file)? <= size {
        return Ok(file);
    }
    drop(file);
    files.remove(path)?;
    files.open(path)
}

/// Returns the number of bytes that an earlier process has filled with zeros. The bytes after them are not used: they
/// may be the beginning of a segment that was not renamed and whose number is used again.
fn leading_zeros<F: Files>(files: &F, file: &F::File) -> io::Result<u64> {
    let mut bytes = vec![0; usize::try_from(files.len(file)?).unwrap_or_default()];
    files.read_at(file, 0, &mut bytes)?;
    let zeros = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    Ok(zeros as u64)
}

/// Returns whether an error means that there is no space on the disk.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
