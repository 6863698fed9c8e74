//! Puts a new database in the place of a damaged one.
//!
//! All work is done in the folder that the damaged files will be moved to, `damaged-N`:
//! 1. what can be read is written to a new database there, which is synced, as is its mark;
//! 2. the damaged files are moved there;
//! 3. the new database and its mark are moved out, to their place. Only now the rescue is done.
//!
//! A crash before the end is told by the new database, or by the lack of damaged files: then [`undo_interrupted`] moves
//! the damaged files back, and the rescue begins anew. So its report is not lost with it.

use super::error::Trouble;
use super::mark::{Mark, Marked};
use super::salvage::salvage;
use super::{Damage, database, files};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How many sets of damaged files are kept.
const SETS_KEPT: usize = 3;
const PREFIX: &str = "damaged-";
/// The new database while it is in the set.
const RESCUED: &str = "rescued.db";
/// A copy to read from.
const WORK: &str = "work.db";
/// What is moved aside. The last two are none of ours, but `SQLite` would take them for part of the database.
const MOVED: [&str; 4] = [files::DATABASE, files::LOG, "spool.db-journal", "spool.db-shm"];

/// Rescues what can be read, and says what it was.
pub(super) fn rescue(folder: &Path, what: &str) -> Result<Damage, Trouble> {
    let set = begin_set(folder)?;
    match replace(folder, &set) {
        Ok((unreadable, set_aside)) => {
            remove_oldest(folder)?;
            Ok(Damage { unreadable, set_aside, what: what.to_owned() })
        }
        Err(trouble) => {
            // The folder is left as it was found. If that fails, too, the next start does it.
            let _ = undo_interrupted(folder);
            Err(trouble)
        }
    }
}

/// All steps. Nothing is written after the second one, which a full disk could prevent.
fn replace(folder: &Path, set: &Path) -> Result<(u64, Vec<PathBuf>), Trouble> {
    let unreadable = build(folder, set)?;
    let set_aside = set_aside(folder, set)?;
    put_in_place(folder, set)?;
    Ok((unreadable, set_aside))
}

/// Undoes a rescue that did not come to its end.
pub(super) fn undo_interrupted(folder: &Path) -> Result<(), Trouble> {
    for (_, set) in sets(folder)? {
        let has = |name: &str| set.join(name).try_exists();
        let is_finished = !has(RESCUED)? && (has(files::DATABASE)? || has(files::LOG)?);
        if is_finished {
            continue;
        }
        for name in MOVED {
            if has(name)? && !folder.join(name).try_exists()? {
                fs::rename(set.join(name), folder.join(name))?;
            }
        }
        files::sync_folder(folder)?;
        fs::remove_dir_all(set)?;
    }
    Ok(())
}

pub(super) fn begin_set(folder: &Path) -> Result<PathBuf, Trouble> {
    let last = sets(folder)?.last().map_or(0, |(number, _)| *number);
    let set = folder.join(format!("{PREFIX}{}", last.saturating_add(1)));
    files::create_folder(&set)?;
    Ok(set)
}

/// The first step: a new database with what the damaged one still gives.
/// Returns how many records are missing.
pub(super) fn build(folder: &Path, set: &Path) -> Result<u64, Trouble> {
    let mark = match Mark::read(folder)? {
        Marked::At(ledger) => Some(ledger),
        Marked::Absent | Marked::Unreadable => None,
    };
    let work = set.join(WORK);
    let salvaged = salvage(folder, &work, mark)?;
    fs::remove_file(work)?;
    database::build(&set.join(RESCUED), &salvaged.records, &salvaged.ledger)?;
    Mark::create(set, &salvaged.ledger)?;
    Ok(salvaged.unreadable)
}

/// The second step.
pub(super) fn set_aside(folder: &Path, set: &Path) -> Result<Vec<PathBuf>, Trouble> {
    let mut moved = Vec::new();
    for name in MOVED {
        let (from, to) = (folder.join(name), set.join(name));
        if from.try_exists()? {
            fs::rename(from, &to)?;
            moved.push(to);
        }
    }
    files::sync_folder(set)?;
    files::sync_folder(folder)?;
    Ok(moved)
}

/// The last step.
fn put_in_place(folder: &Path, set: &Path) -> Result<(), Trouble> {
    fs::rename(set.join(RESCUED), folder.join(files::DATABASE))?;
    fs::rename(set.join(files::MARK), folder.join(files::MARK))?;
    files::sync_folder(folder)?;
    files::sync_folder(set)?;
    Ok(())
}

fn remove_oldest(folder: &Path) -> Result<(), Trouble> {
    for (_, set) in sets(folder)?.into_iter().rev().skip(SETS_KEPT) {
        fs::remove_dir_all(set)?;
    }
    Ok(())
}

/// The sets there are, the oldest first.
fn sets(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut sets = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
        if let Some(number) = number {
            sets.push((number, entry.path()));
        }
    }
    sets.sort_unstable();
    Ok(sets)
}
