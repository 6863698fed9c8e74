//! The errors of the spool.

use super::spare::is_full;
use crate::{Error, ErrorKind};
use std::io;
use std::path::Path;

pub(super) fn unusable(folder: &Path, source: io::Error) -> Error {
    let hint =
        "check that it is a folder on a disk with free space, and that this user may write to it";
    storage(folder, "cannot be opened", hint).with_source(source)
}

pub(super) fn in_use(folder: &Path) -> Error {
    storage(folder, "is in use", "give each process and each queue a folder of its own")
}

pub(super) fn newer(folder: &Path, version: u32) -> Error {
    let problem = format!("has format {version}, which is newer than this version can read");
    storage(folder, &problem, "use the version that wrote it, or another folder")
}

pub(super) fn old(folder: &Path) -> Error {
    let problem = "holds a database of an earlier version, which this version cannot read";
    storage(folder, problem, "deliver it with the version that wrote it, or use another folder")
}

pub(super) fn full(folder: &Path, source: io::Error) -> Error {
    let hint = if is_full(&source) { "free space on its disk" } else { "check the disk" };
    storage(folder, "cannot grow", hint).with_source(source)
}

pub(super) fn gone(folder: &Path) -> Error {
    let hint = "a batch may still be delivered under its id if the folder is moved back; do not move the folder of a queue that is open";
    storage(folder, "was deleted, renamed or replaced", hint)
}

pub(super) fn doubtful(folder: &Path, source: io::Error) -> Error {
    let hint = "a batch may still be delivered under its id; the write is repeated until it succeeds; check the disk";
    storage(folder, "could not be written", hint).with_source(source)
}

pub(super) fn too_large(folder: &Path) -> Error {
    storage(folder, "cannot hold a batch of more than 1 GiB", "split the batch").permanent()
}

pub(super) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the spool is closed")
}

fn storage(folder: &Path, problem: &str, hint: &str) -> Error {
    let message = format!("the spool {} {problem}; {hint}", folder.display());
    Error::new(ErrorKind::Storage, message)
}
