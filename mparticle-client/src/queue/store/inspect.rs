//! Reads a whole database and believes none of it.

use super::database;
use super::error::Trouble;
use super::index::Index;
use super::ledger::Ledger;
use super::record;
use rusqlite::Connection;
use std::path::Path;

/// A database in which everything fits together.
pub(super) struct Inspected {
    pub(super) database: Connection,
    pub(super) index: Index,
    /// By number, ascending.
    pub(super) entries: Vec<(u64, Vec<u8>)>,
}

/// Reads and checks a database; it is not changed. Anything that does not fit is [`Trouble::Damaged`].
pub(super) fn inspect(path: &Path, mark: &Ledger) -> Result<Inspected, Trouble> {
    let database = database::open(path)?;
    let ledger = database::ledger(&database)?;
    if ledger.commits < mark.commits {
        let lost = mark.commits.saturating_sub(ledger.commits);
        return Err(Trouble::Damaged(format!("the last {lost} commits are missing")));
    }
    let mut index = Index::after(ledger.commits);
    let mut entries = Vec::new();
    {
        let mut statement = database.prepare("SELECT seq, checksum, payload FROM record")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let seq = record::seq(row.get(0)?);
            let payload: Vec<u8> = row.get(2)?;
            let checksum = record::checksum(seq, &payload);
            if row.get::<_, i64>(1)? != i64::from(checksum) {
                return Err(Trouble::damaged("a record has a wrong checksum"));
            }
            index.set(seq, Some(checksum));
            entries.push((seq, payload));
        }
    }
    if index.ledger() != ledger {
        let (found, told) = (index.ledger().records, ledger.records);
        return Err(Trouble::Damaged(format!(
            "the ledger tells of {told} records, not of these {found}"
        )));
    }
    database::check_structure(&database)?;
    entries.sort_unstable_by_key(|(seq, _)| *seq);
    Ok(Inspected { database, index, entries })
}
