//! Reads each leaf page for itself, by putting it in the place of the table's root.

use super::super::database::{LEDGER_ROOT, PAGE_SIZE, RECORD_ROOT};
use super::super::error::Trouble;
use super::{Search, scan};
use std::fs::OpenOptions;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

/// The first byte of a leaf of a table.
const LEAF: u8 = 13;
/// A page of the pointer map has 5 bytes for each of the pages that follow it. The first of them is their kind.
const MAP_ENTRY: usize = 5;
const MAP_ENTRIES: usize = PAGE_SIZE / MAP_ENTRY;
const FIRST_MAP: usize = 2;
/// The kind of a page that is not in use.
const FREE: u8 = 2;

/// Reads leaf after leaf until nothing is missing. `work` has the content of `image`, and is changed.
pub(super) fn read_each(work: &Path, image: &[u8], search: &mut Search) -> Result<(), Trouble> {
    for (number, page) in (1..).zip(image.chunks_exact(PAGE_SIZE)) {
        let may_hold_records = number > FIRST_MAP && number != LEDGER_ROOT;
        if !may_hold_records || page.first() != Some(&LEAF) || is_free(image, number) {
            continue;
        }
        put_root(work, page)?;
        scan::read_table(work, search)?;
        if search.is_complete() {
            break;
        }
    }
    Ok(())
}

fn put_root(work: &Path, page: &[u8]) -> Result<(), Trouble> {
    let mut file = OpenOptions::new().write(true).open(work)?;
    let start = u64::try_from((RECORD_ROOT - 1) * PAGE_SIZE).unwrap_or_default();
    file.seek(SeekFrom::Start(start))?;
    file.write_all(page)?;
    Ok(())
}

/// Whether the pointer map calls a page free. What is on it was deleted.
fn is_free(image: &[u8], number: usize) -> bool {
    let past_map = number.saturating_sub(FIRST_MAP) % (MAP_ENTRIES + 1);
    let map = number.saturating_sub(past_map);
    let Some(entry) = past_map.checked_sub(1) else { return true };
    let at = map.saturating_sub(1).saturating_mul(PAGE_SIZE).saturating_add(entry * MAP_ENTRY);
    image.get(at) == Some(&FREE)
}
