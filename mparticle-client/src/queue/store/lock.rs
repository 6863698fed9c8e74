//! One store at a time in a folder.

use super::error::Trouble;
use super::files;
use fs4::{FileExt, TryLockError};
use std::fs::File;
use std::path::Path;

/// The system takes the lock back when the file is closed, by whatever end of the process.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(folder: &Path) -> Result<Self, Trouble> {
        let file = files::open_private(&folder.join(files::LOCK))?;
        match FileExt::try_lock(&file) {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Trouble::InUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}
