//! The names in the folder, and files that only their owner can read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub(super) const LOCK: &str = "spool.lock";
pub(super) const DATABASE: &str = "spool.db";
pub(super) const LOG: &str = "spool.db-wal";
pub(super) const MARK: &str = "spool.mark";
pub(super) const RESERVE: &str = "spool.reserve";
/// The end of the name of a file that is not complete yet.
pub(super) const UNFINISHED: &str = ".new";

/// Makes a folder and those above it, for its owner alone, where there is none.
pub(super) fn create_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Opens a file for reading and writing, made for its owner alone where there is none.
pub(super) fn open_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Writes a file for its owner alone: after a crash it has the old content or the new one.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let unfinished = beside(path, UNFINISHED);
    let mut file = open_private(&unfinished)?;
    file.set_len(0)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

/// The path with something after its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The content of a file; `None` when there is none of this name.
pub(super) fn read_if_there(path: &Path) -> io::Result<Option<Vec<u8>>> {
    absent_is_none(fs::read(path))
}

/// Removes a file if it is there.
pub(super) fn remove_if_there(path: &Path) -> io::Result<()> {
    absent_is_none(fs::remove_file(path)).map(|_| ())
}

fn absent_is_none<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes the names in a folder durable. Only Unix lets a program ask for it.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
