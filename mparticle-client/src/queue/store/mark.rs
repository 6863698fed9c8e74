//! The ledger of the last synced commit, in a file beside the database.
//!
//! It is written after the commit is on the disk, and never synced itself: it can only lag behind. A database that lags
//! behind the mark has lost commits.

use super::files;
use super::ledger::Ledger;
use std::fs::File;
use std::io::{self, Seek, Write};
use std::path::Path;

#[derive(Debug)]
pub(super) struct Mark {
    file: File,
}

/// What a mark says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marked {
    /// There is no mark.
    Absent,
    /// There is one, and it is damaged.
    Unreadable,
    /// The database has to be as far as this.
    At(Ledger),
}

impl Mark {
    pub(super) fn read(folder: &Path) -> io::Result<Marked> {
        let encoded = files::read_if_there(&folder.join(files::MARK))?;
        Ok(match encoded.map(|encoded| Ledger::decode(&encoded)) {
            None => Marked::Absent,
            Some(None) => Marked::Unreadable,
            Some(Some(ledger)) => Marked::At(ledger),
        })
    }

    /// Makes the mark, or makes it again. The name is durable when the folder is synced.
    pub(super) fn create(folder: &Path, ledger: &Ledger) -> io::Result<()> {
        files::replace(&folder.join(files::MARK), &ledger.encode())
    }

    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        Ok(Self { file: files::open_private(&folder.join(files::MARK))? })
    }

    /// Moves the mark. That this may fail is no harm: a mark that lags behind finds less damage.
    pub(super) fn advance(&mut self, ledger: &Ledger) {
        let _ = self.file.rewind().and_then(|()| self.file.write_all(&ledger.encode()));
    }
}
