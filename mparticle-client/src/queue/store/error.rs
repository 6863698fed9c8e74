//! What can go wrong, and whether it is damage.

use rusqlite::ErrorCode;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{fmt, io};

type Cause = Box<dyn Error + Send + Sync>;

/// Why a store could not be opened or changed.
#[derive(Debug)]
pub(crate) enum StoreError {
    /// Another store has the folder, in this process or another.
    InUse { path: PathBuf },
    /// The files were written by a newer version.
    Newer { path: PathBuf, found: i32 },
    /// The disk is full, or a quota is used up.
    NoSpace { path: PathBuf, source: Cause },
    /// The files were found to be damaged while the store was open. Opening it again rescues what is left.
    Damaged { path: PathBuf, what: String },
    /// The system refused to read or write.
    Io { path: PathBuf, source: Cause },
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse { path } => {
                write!(f, "the spool {} is in use: give each process a folder", path.display())
            }
            Self::Newer { path, found } => write!(
                f,
                "the spool {} has format {found}, which is newer than this version can read: use the version that wrote it, or another folder",
                path.display()
            ),
            Self::NoSpace { path, .. } => {
                write!(f, "the spool {} cannot grow: make room on its disk", path.display())
            }
            Self::Damaged { path, what } => write!(
                f,
                "the spool {} is damaged ({what}): open it again to rescue what is left",
                path.display()
            ),
            Self::Io { path, .. } => write!(
                f,
                "the spool {} cannot be read or written: check that it is a folder that this user may write to",
                path.display()
            ),
        }
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoSpace { source, .. } | Self::Io { source, .. } => Some(source.as_ref()),
            Self::InUse { .. } | Self::Newer { .. } | Self::Damaged { .. } => None,
        }
    }
}

/// The same, before it is known where.
#[derive(Debug)]
pub(super) enum Trouble {
    InUse,
    Newer(i32),
    NoSpace(Cause),
    /// The files are not what a store writes. Only this leads to a rescue.
    Damaged(String),
    Io(Cause),
}

impl Trouble {
    pub(super) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }

    pub(super) fn at(self, folder: &Path) -> StoreError {
        let path = folder.to_owned();
        match self {
            Self::InUse => StoreError::InUse { path },
            Self::Newer(found) => StoreError::Newer { path, found },
            Self::NoSpace(source) => StoreError::NoSpace { path, source },
            Self::Damaged(what) => StoreError::Damaged { path, what },
            Self::Io(source) => StoreError::Io { path, source },
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::NoSpace(error.into())
            }
            _ => Self::Io(error.into()),
        }
    }
}

/// What the system refuses is told apart from what the files make `SQLite` say.
impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        // A file that ends too early: the system calls that success.
        let short = rusqlite::ffi::SQLITE_IOERR_SHORT_READ;
        if error.sqlite_error().is_some_and(|error| error.extended_code == short) {
            return Self::damaged("a file is too short");
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::NoSpace(error.into()),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::InUse,
            Some(
                ErrorCode::CannotOpen
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::NoLargeFileSupport
                | ErrorCode::OutOfMemory
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure,
            ) => Self::Io(error.into()),
            _ if matches!(
                error,
                rusqlite::Error::InvalidPath(_) | rusqlite::Error::NulError(_)
            ) =>
            {
                Self::Io(error.into())
            }
            _ => Self::Damaged(error.to_string()),
        }
    }
}
