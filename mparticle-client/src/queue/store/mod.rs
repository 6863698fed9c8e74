//! A durable map from a number to bytes, in a folder of its own: what the spool keeps until it is delivered.
//!
//! # Invariants
//! - A [`commit`](Store::commit) with puts that returned `Ok` survives the end of the process and the loss of power.
//! - No damage to the files keeps a store from opening. What cannot be read is counted and reported; it is not missing
//!   in silence. A deleted record may come back, which is harmless: it is sent again under the same id.
//! - Trouble of the system (no space, no permission, a failing disk) is not damage: nothing is moved, an error comes back.
//! - No byte is interpreted that its checksum does not vouch for.
//!
//! # The folder
//! | file | what it is |
//! |---|---|
//! | `spool.lock` | locked by the system while a store is open |
//! | `spool.db`, `spool.db-wal` | an `SQLite` database with its write-ahead log: [`database`] |
//! | `spool.mark` | the [`ledger`] of the last synced commit, outside the database: [`mark`] |
//! | `spool.reserve` | bytes to give up when the disk is full: [`reserve`] |
//! | `damaged-N/` | files that were damaged, set aside: [`rescue`] |
//!
//! # Why `SQLite` alone is not enough
//! It ends its log in silence at the first frame that does not fit, and it does not check what a record holds. So a
//! record has a checksum ([`record`]), the database says how many records there are ([`ledger`]), and the mark how far
//! the log must reach. [`inspect`] compares all of them at every start; [`salvage`] gets out of damaged files what it can.

mod commit;
mod database;
mod error;
mod files;
mod index;
mod inspect;
mod ledger;
mod lock;
mod mark;
mod record;
mod rescue;
mod reserve;
mod salvage;
mod start;

pub(crate) use error::StoreError;

use database::Durability;
use error::Trouble;
use index::Index;
use lock::Lock;
use mark::Mark;
use reserve::Reserve;
use rusqlite::Connection;
use std::path::{Path, PathBuf};

/// Free pages that stay in the file, because the next records need them: 1 MiB.
const FREE_PAGES_KEPT: u64 = 256;
/// Pages that one call of [`Store::tidy`] gives back, some 10 ms of work.
const PAGES_PER_TIDY: u64 = 256;

/// Calls of [`Store::tidy`] that give back more than the reserve takes: 8 MiB.
const TIDIES_FOR_RESERVE: u32 = 8;

/// An open store. Dropping it releases the lock.
#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
    /// Before the lock: fields are dropped in this order.
    database: Connection,
    durability: Durability,
    index: Index,
    mark: Mark,
    reserve: Reserve,
    /// Whether pages were given back since the last checkpoint, which alone makes the file shorter.
    is_shrinking: bool,
    _lock: Lock,
}

/// A store and what was in it.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) store: Store,
    /// By number, ascending.
    pub(crate) entries: Vec<(u64, Vec<u8>)>,
    /// What was wrong with the files, if anything was.
    pub(crate) damage: Option<Damage>,
}

/// What was wrong with the files of a store, and what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damage {
    /// How many records were there and could not be read. Where the database's own count is lost, too, those deleted
    /// since the last synced commit are among them. A deleted record that came back makes it less by one, but never zero
    /// while one is missing.
    pub(crate) unreadable: u64,
    /// Where the damaged files are now.
    pub(crate) set_aside: Vec<PathBuf>,
    /// One line about what was found.
    pub(crate) what: String,
}

impl Store {
    /// Opens the store in a folder, or makes one.
    ///
    /// # Errors
    /// The folder is in use, was written by a newer version, or cannot be read or written.
    pub(crate) fn open(folder: &Path) -> Result<Opened, StoreError> {
        start::open(folder)
    }

    /// Puts, then deletes, in one transaction. A put replaces what has its number.
    ///
    /// With puts the transaction is on the disk when this returns. Without, it is in order, but a loss of power may undo
    /// it. Deletes alone work on a full disk, too: puts do not, unless there is a reserve for the deletes.
    ///
    /// # Errors
    /// Nothing of it was done; the store can be used on.
    pub(crate) fn commit(
        &mut self,
        puts: &[(u64, &[u8])],
        deletes: &[u64],
    ) -> Result<(), StoreError> {
        self.commit_or_use_reserve(puts, deletes).map_err(|trouble| trouble.at(&self.folder))
    }

    /// Does a bounded piece of the housekeeping that can wait for idle times: gives space back to the system, and makes
    /// the reserve again. Returns whether there is more to do.
    pub(crate) fn tidy(&mut self) -> Result<bool, StoreError> {
        self.give_back_pages().map_err(|trouble| trouble.at(&self.folder))
    }

    /// Closes the store with an empty log.
    ///
    /// # Errors
    /// The log could not be emptied. It is kept, and so is every record.
    pub(crate) fn close(mut self) -> Result<(), StoreError> {
        let emptied = self.empty_log();
        let closed = self.database.close().map_err(|(_, error)| error.into());
        emptied.and(closed).map_err(|trouble| trouble.at(&self.folder))
    }

    /// Takes what the log holds over into the database. All of it is synced then, deletes included.
    fn empty_log(&mut self) -> Result<(), Trouble> {
        database::empty_log(&self.database)?;
        self.mark.advance(&self.index.ledger());
        Ok(())
    }

    fn give_back_pages(&mut self) -> Result<bool, Trouble> {
        let spare = database::free_pages(&self.database)?.saturating_sub(FREE_PAGES_KEPT);
        if spare > 0 {
            database::give_back(&self.database, spare.min(PAGES_PER_TIDY))?;
            self.is_shrinking = true;
            return Ok(true);
        }
        if self.is_shrinking {
            self.empty_log()?;
            self.is_shrinking = false;
        }
        // Without it nothing is put, which is when someone has to know.
        let _ = self.reserve.restore();
        Ok(false)
    }

    /// Sees to it that there is a reserve, if need be with the room that deletes have left in the file.
    fn restore_reserve(&mut self) -> Result<(), Trouble> {
        match self.reserve.restore() {
            Err(Trouble::NoSpace(_)) => {}
            done => return done,
        }
        for _ in 0..TIDIES_FOR_RESERVE {
            if !self.give_back_pages()? {
                break;
            }
        }
        self.empty_log()?;
        self.reserve.restore()
    }
}

#[cfg(test)]
mod tests;
