//! Gets the records out of damaged files.
//!
//! `SQLite` does the reading, of a copy that is made readable: the log laid over the file ([`log`]), with the first page of
//! an empty file, which is the same in all files but for counters. Only records whose checksum fits are taken.
//!
//! 1. The table is read upwards, downwards, and by number in the gap between ([`scan`]).
//! 2. If that is not all, each leaf page is put in the place of the table's root ([`leaves`]). So it is read even where
//!    the tree above it is broken.

mod leaves;
mod log;
mod scan;

use super::database::{self, PAGE_SIZE};
use super::error::Trouble;
use super::files;
use super::ledger::Ledger;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What was got out, and what was not.
pub(super) struct Salvaged {
    pub(super) records: BTreeMap<u64, Vec<u8>>,
    /// Records that the ledger tells of beyond those. If a deleted record came back it may be too low by that one, but it
    /// is not zero when a record is missing.
    pub(super) unreadable: u64,
    /// The ledger of a database with these records, later than any that was seen.
    pub(super) ledger: Ledger,
}

/// What was found so far, and what there should be.
struct Search {
    records: BTreeMap<u64, Vec<u8>>,
    found: Ledger,
    wanted: Option<Ledger>,
}

impl Search {
    /// Whether nothing is missing.
    fn is_complete(&self) -> bool {
        self.wanted.is_some_and(|wanted| wanted.has_records_of(&self.found))
    }

    /// Takes a record whose checksum fits. The first one with a number counts.
    fn take(&mut self, seq: u64, checksum: u32, payload: Vec<u8>) {
        if let std::collections::btree_map::Entry::Vacant(place) = self.records.entry(seq) {
            place.insert(payload);
            self.found.add(seq, checksum);
        }
    }

    fn finish(mut self) -> Salvaged {
        let unreadable = match self.wanted {
            Some(wanted) if !wanted.has_records_of(&self.found) => {
                wanted.records.saturating_sub(self.found.records).max(1)
            }
            _ => 0,
        };
        self.found.commits = self.wanted.map_or(1, |wanted| wanted.commits.saturating_add(1));
        Salvaged { records: self.records, unreadable, ledger: self.found }
    }
}

/// Reads the damaged files of a folder; they stay as they are. Writes to `work`.
pub(super) fn salvage(
    folder: &Path,
    work: &Path,
    mark: Option<Ledger>,
) -> Result<Salvaged, Trouble> {
    let file = files::read_if_there(&folder.join(files::DATABASE))?.unwrap_or_default();
    let log = files::read_if_there(&folder.join(files::LOG))?.unwrap_or_default();
    let mut image = file;
    // The roots have to be there, be it as pages that cannot be read: SQLite would refuse the whole file without.
    let length = image.len().next_multiple_of(PAGE_SIZE).max(database::LEDGER_ROOT * PAGE_SIZE);
    image.resize(length, 0);
    log::lay_over(&mut image, &log);
    database::build(work, &BTreeMap::new(), &Ledger::default())?;
    let empty = fs::read(work)?;
    put_first_page(&mut image, &empty);
    fs::write(work, &image)?;

    let in_file = scan::ledger(work)?;
    // Of two that can be read the later one is right.
    let wanted = mark.into_iter().chain(in_file).max_by_key(|ledger| ledger.commits);
    let mut search = Search { records: BTreeMap::new(), found: Ledger::default(), wanted };
    scan::read_table(work, &mut search)?;
    if !search.is_complete() {
        leaves::read_each(work, &image, &mut search)?;
    }
    Ok(search.finish())
}

/// Replaces the first page by that of an empty file, changed to one without a log, with as many pages as there are and
/// none of them free.
fn put_first_page(image: &mut [u8], empty: &[u8]) {
    let pages = u32::try_from(image.len() / PAGE_SIZE).unwrap_or(u32::MAX);
    let Some((first, _)) = image.split_first_chunk_mut::<PAGE_SIZE>() else { return };
    for (to, from) in first.iter_mut().zip(empty) {
        *to = *from;
    }
    let mut put = |at: usize, value: &[u8]| {
        for (to, from) in first.iter_mut().skip(at).zip(value) {
            *to = *from;
        }
    };
    put(18, &[1, 1]);
    put(28, &pages.to_be_bytes());
    put(32, &[0; 8]);
}
