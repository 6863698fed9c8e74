//! Opens a store: the lock, what an interrupted rescue left, the inspection, and a rescue if need be.

use super::database::{self, Durability};
use super::error::Trouble;
use super::inspect::{Inspected, inspect};
use super::ledger::Ledger;
use super::lock::Lock;
use super::mark::{Mark, Marked};
use super::rescue;
use super::reserve::Reserve;
use super::{Opened, Store, StoreError, files};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

pub(super) fn open(folder: &Path) -> Result<Opened, StoreError> {
    // The process may change its current folder while the store is open.
    let absolute = std::path::absolute(folder).map_err(Trouble::from);
    absolute.and_then(|folder| start(&folder)).map_err(|trouble| trouble.at(folder))
}

fn start(folder: &Path) -> Result<Opened, Trouble> {
    files::create_folder(folder)?;
    let lock = Lock::take(folder)?;
    rescue::undo_interrupted(folder)?;
    let mut reserve = Reserve::find(folder);
    let (inspected, damage) = match inspect_or_create(folder) {
        Err(Trouble::Damaged(what)) => {
            let damage = match rescue::rescue(folder, &what) {
                // A rescue needs room for what it rescues.
                Err(Trouble::NoSpace(_)) if reserve.release() => rescue::rescue(folder, &what)?,
                done => done?,
            };
            (inspect_or_create(folder)?, Some(damage))
        }
        inspected => (inspected?, None),
    };
    let Inspected { database, index, entries } = inspected;
    let mark = Mark::open(folder)?;
    database::begin_writing(&database)?;
    let mut store = Store {
        folder: folder.to_owned(),
        database,
        durability: Durability::Synced,
        index,
        mark,
        reserve,
        is_shrinking: false,
        _lock: lock,
    };
    // A crash may have left an unfinished transaction behind the last one. Were it to stay there, a rescue could take it
    // for newer than what is written over its beginning. On a full disk it has to stay.
    let _ = store.empty_log();
    Ok(Opened { store, entries, damage })
}

fn inspect_or_create(folder: &Path) -> Result<Inspected, Trouble> {
    let path = folder.join(files::DATABASE);
    let is_there = |name| folder.join(name).try_exists();
    let has_database = is_there(files::DATABASE)?;
    let mark = match Mark::read(folder)? {
        Marked::At(ledger) => ledger,
        Marked::Absent if !has_database => Ledger::default(),
        Marked::Absent => return Err(Trouble::damaged("there is no mark")),
        Marked::Unreadable => return Err(Trouble::damaged("the mark has a wrong checksum")),
    };
    if !has_database {
        if mark.commits > 0 || is_there(files::LOG)? {
            return Err(Trouble::damaged("there is no database"));
        }
        create(folder)?;
    }
    inspect(&path, &mark)
}

/// Makes the files of an empty store. The database comes last: where it is, the rest is, too.
fn create(folder: &Path) -> Result<(), Trouble> {
    let path = folder.join(files::DATABASE);
    let unfinished = files::beside(&path, files::UNFINISHED);
    let nothing = Ledger::default();
    Mark::create(folder, &nothing)?;
    database::build(&unfinished, &BTreeMap::new(), &nothing)?;
    files::sync_folder(folder)?;
    fs::rename(unfinished, path)?;
    files::sync_folder(folder)?;
    Ok(())
}
