//! Reads a table that is damaged somewhere: from below, from above, and by number in between.

use super::super::database;
use super::super::error::Trouble;
use super::super::ledger::Ledger;
use super::super::record;
use super::Search;
use rusqlite::{Connection, Row};
use std::path::Path;

/// How many numbers are looked up between the last one from below and the last one from above.
const LOOKUPS: i64 = 2_000;

/// How far a scan came.
enum Reached {
    End,
    /// The last number before the damage, if there was any.
    Damage(Option<i64>),
}

/// The ledger in the database, if it can be read.
pub(super) fn ledger(path: &Path) -> Result<Option<Ledger>, Trouble> {
    let read = database::connect(path).map_err(Trouble::from).and_then(|it| database::ledger(&it));
    unless_damaged(read)
}

/// Takes all that can be reached from the root of the table.
pub(super) fn read_table(path: &Path, search: &mut Search) -> Result<(), Trouble> {
    let database = database::connect(path)?;
    let up = scan(&database, "SELECT seq, checksum, payload FROM record ORDER BY seq", search)?;
    let Reached::Damage(below) = up else { return Ok(()) };
    let down =
        scan(&database, "SELECT seq, checksum, payload FROM record ORDER BY seq DESC", search)?;
    let gap = match (below, down) {
        (Some(below), Reached::Damage(Some(above))) => {
            below.saturating_add(1)..above.min(below.saturating_add(LOOKUPS))
        }
        (Some(below), _) => below.saturating_add(1)..below.saturating_add(LOOKUPS),
        (None, Reached::Damage(Some(above))) => above.saturating_sub(LOOKUPS)..above,
        (None, _) => return Ok(()),
    };
    for key in gap {
        let sql = format!("SELECT seq, checksum, payload FROM record WHERE seq = {key}");
        scan(&database, &sql, search)?;
    }
    Ok(())
}

/// Reads until the end, or until damage stops it. What the system refuses stays an error.
fn scan(database: &Connection, sql: &str, search: &mut Search) -> Result<Reached, Trouble> {
    let mut last = None;
    let read = (|| -> Result<(), Trouble> {
        let mut statement = database.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            last = Some(row.get(0)?);
            take(row, search);
        }
        Ok(())
    })();
    Ok(match unless_damaged(read)? {
        Some(()) => Reached::End,
        None => Reached::Damage(last),
    })
}

/// Takes a row if it is a record, and its checksum fits.
fn take(row: &Row<'_>, search: &mut Search) {
    let columns = (row.get::<_, i64>(0), row.get::<_, i64>(1), row.get::<_, Vec<u8>>(2));
    let (Ok(key), Ok(told), Ok(payload)) = columns else { return };
    let seq = record::seq(key);
    let checksum = record::checksum(seq, &payload);
    if told == i64::from(checksum) {
        search.take(seq, checksum, payload);
    }
}

fn unless_damaged<T>(read: Result<T, Trouble>) -> Result<Option<T>, Trouble> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(Trouble::Damaged(_)) => Ok(None),
        Err(other) => Err(other),
    }
}
