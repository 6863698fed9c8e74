//! Space that is kept occupied for the day when the disk is full.
//!
//! A delete has to write, too: to the log, and from the log to the database. When there is no room for that, the reserve
//! is given up, and nothing new is put before it is whole again: so whatever was put can be deleted. It is twice as large as the log is allowed to become before a checkpoint (512 pages, 2 MiB), so that the
//! checkpoint that empties the log can write all of it, and the deletes have as much again.

use super::error::Trouble;
use super::files;
use fs4::available_space;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const SIZE: u64 = 4 << 20;
/// What has to be free beside the reserve before it is made, so that it never takes the last bytes of a disk.
const MARGIN: u64 = 1 << 20;
const CHUNK: usize = 64 << 10;

#[derive(Debug)]
pub(super) struct Reserve {
    path: PathBuf,
    is_whole: bool,
}

impl Reserve {
    pub(super) fn find(folder: &Path) -> Self {
        let path = folder.join(files::RESERVE);
        let is_whole = path.metadata().is_ok_and(|found| found.len() == SIZE);
        Self { path, is_whole }
    }

    /// Gives the space up. Whether there was any.
    pub(super) fn release(&mut self) -> bool {
        self.is_whole = false;
        std::fs::remove_file(&self.path).is_ok()
    }

    /// Occupies the space again, if there is enough.
    ///
    /// # Errors
    /// There is no reserve now.
    pub(super) fn restore(&mut self) -> Result<(), Trouble> {
        if self.is_whole {
            return Ok(());
        }
        let folder = self.path.parent().unwrap_or(&self.path);
        if available_space(folder).is_ok_and(|free| free < SIZE + MARGIN) {
            return Err(io::Error::from(io::ErrorKind::StorageFull).into());
        }
        let written = self.write();
        self.is_whole = written.is_ok();
        if !self.is_whole {
            self.release();
        }
        Ok(written?)
    }

    /// Random bytes, which no file system makes smaller.
    fn write(&self) -> io::Result<()> {
        let mut file = files::open_private(&self.path)?;
        file.set_len(0)?;
        let mut rng = fastrand::Rng::new();
        let mut chunk = vec![0; CHUNK];
        let mut left = SIZE;
        while left > 0 {
            rng.fill(&mut chunk);
            file.write_all(&chunk)?;
            left = left.saturating_sub(CHUNK as u64);
        }
        file.sync_all()
    }
}
