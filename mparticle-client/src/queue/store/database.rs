//! The `SQLite` database: its settings, its tables, and what is asked of it.
//!
//! # The format
//! Pages have 4096 bytes. There are two tables, whose roots are pages 3 and 4 in every file, since a file is always made
//! in the same way and never gets another table. So page 1 of an empty file serves for a file whose own is lost.
//!
//! | table | columns |
//! |---|---|
//! | `record` | `seq`, the key; `checksum` over number and payload; `payload` |
//! | `ledger` | one row: the encoded [`Ledger`] |

use super::error::Trouble;
use super::files;
use super::ledger::Ledger;
use super::record;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Result};
use std::io::Read;
use std::path::Path;
use std::time::Duration;

pub(super) const PAGE_SIZE: usize = 4096;
/// The root page of the records.
pub(super) const RECORD_ROOT: usize = 3;
/// The root page of the ledger.
pub(super) const LEDGER_ROOT: usize = 4;

/// The format written by this version. Two formats must differ in two bits or more, so that no flipped bit makes one of
/// the other: 1, 2, 4, 7.
const FORMAT: i32 = 1;
/// "mPsp".
const APPLICATION: i32 = 0x6d50_7370;

const TABLES: [(&str, usize); 2] = [
    (
        "CREATE TABLE record(seq INTEGER PRIMARY KEY, checksum INTEGER NOT NULL, payload BLOB NOT NULL) STRICT",
        RECORD_ROOT,
    ),
    ("CREATE TABLE ledger(id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT", LEDGER_ROOT),
];

pub(super) const PUT: &str =
    "INSERT OR REPLACE INTO record(seq, checksum, payload) VALUES(?, ?, ?)";
pub(super) const DELETE: &str = "DELETE FROM record WHERE seq = ?";
pub(super) const PUT_LEDGER: &str = "INSERT OR REPLACE INTO ledger(id, body) VALUES(1, ?)";
const GET_LEDGER: &str = "SELECT body FROM ledger WHERE id = 1";

/// What holds after a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Durability {
    /// It is on the disk.
    Synced,
    /// It comes after what was before; a loss of power may undo it.
    Ordered,
}

/// Opens a file as it is, whatever it is, and reads nothing yet.
pub(super) fn connect(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let database = Connection::open_with_flags(path, flags)?;
    database.busy_timeout(Duration::ZERO)?;
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // Exclusive before the log is opened: then SQLite needs no shared memory, which is a mapped file.
    database.execute_batch(
        "PRAGMA cell_size_check = ON;
         PRAGMA mmap_size = 0;
         PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -2000;",
    )?;
    Ok(database)
}

/// Makes a file with these records, complete and synced, in place of any unfinished one.
pub(super) fn build<'a>(
    path: &Path,
    records: impl IntoIterator<Item = (&'a u64, &'a Vec<u8>)>,
    ledger: &Ledger,
) -> Result<(), Trouble> {
    for suffix in ["", "-journal", "-wal"] {
        files::remove_if_there(&files::beside(path, suffix))?;
    }
    // Before SQLite does, which would let others read it. It gives the log the same permissions.
    drop(files::open_private(path)?);
    let mut database = connect(path)?;
    database.execute_batch(&format!(
        "PRAGMA page_size = {PAGE_SIZE};
         PRAGMA auto_vacuum = INCREMENTAL;
         PRAGMA application_id = {APPLICATION};
         PRAGMA user_version = {FORMAT};"
    ))?;
    set_durability(&database, Durability::Synced)?;
    let transaction = database.transaction()?;
    for (sql, _) in TABLES {
        transaction.execute_batch(sql)?;
    }
    {
        let mut put = transaction.prepare(PUT)?;
        for (&seq, payload) in records {
            put.execute((record::key(seq), record::checksum(seq, payload), payload))?;
        }
    }
    transaction.execute(PUT_LEDGER, [ledger.encode().as_slice()])?;
    transaction.commit()?;
    database.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    empty_log(&database)?;
    database.close().map_err(|(_, error)| error)?;
    Ok(())
}

/// Opens a file for inspection: until [`begin_writing`], neither it nor its log is changed.
pub(super) fn open(path: &Path) -> Result<Connection, Trouble> {
    check_header(path)?;
    let database = connect(path)?;
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    check_format(database.query_row("PRAGMA user_version", [], |row| row.get(0))?)?;
    let mode: String = database.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(Trouble::Damaged(format!("the journal mode is {mode}")));
    }
    check_tables(&database)?;
    Ok(database)
}

pub(super) fn begin_writing(database: &Connection) -> Result<()> {
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    database.execute_batch(
        "PRAGMA wal_autocheckpoint = 512;
         PRAGMA journal_size_limit = 2097152;",
    )?;
    set_durability(database, Durability::Synced)
}

/// Not within a transaction.
pub(super) fn set_durability(database: &Connection, durability: Durability) -> Result<()> {
    database.execute_batch(match durability {
        Durability::Synced => "PRAGMA synchronous = FULL",
        Durability::Ordered => "PRAGMA synchronous = NORMAL",
    })
}

/// Takes what the log holds over into the file, and makes the log empty.
pub(super) fn empty_log(database: &Connection) -> Result<()> {
    database.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

pub(super) fn free_pages(database: &Connection) -> Result<u64> {
    let pages: i64 = database.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
    Ok(u64::try_from(pages).unwrap_or(0))
}

/// Cuts free pages off the file, when the log is emptied next.
pub(super) fn give_back(database: &Connection, pages: u64) -> Result<()> {
    let mut statement = database.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
    let mut steps = statement.query([])?;
    // Each step gives back one page.
    while steps.next()?.is_some() {}
    Ok(())
}

pub(super) fn ledger(database: &Connection) -> Result<Ledger, Trouble> {
    let encoded: Vec<u8> = database.query_row(GET_LEDGER, [], |row| row.get(0))?;
    Ledger::decode(&encoded).ok_or_else(|| Trouble::damaged("the ledger has a wrong checksum"))
}

/// Everything that `SQLite` itself can find to be wrong.
pub(super) fn check_structure(database: &Connection) -> Result<(), Trouble> {
    let found: String = database.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(Trouble::Damaged(found.replace('\n', " "))) }
}

/// Checks those fields of the file's header that are the same in every file of this format. Some of them `SQLite` takes as
/// they are: one flipped bit, and it would not write, or give no space back.
fn check_header(path: &Path) -> Result<(), Trouble> {
    let mut header = Vec::with_capacity(100);
    files::open_private(path)?.take(100).read_to_end(&mut header)?;
    let has =
        |at: usize, wanted: &[u8]| header.get(at..).is_some_and(|rest| rest.starts_with(wanted));
    let is_ours = has(0, b"SQLite format 3\0")
        && has(16, &[0x10, 0x00, 2, 2, 0, 64, 32, 32])
        && has(68, &APPLICATION.to_be_bytes());
    if !is_ours {
        return Err(Trouble::damaged("the header is not that of a spool"));
    }
    if let Some(format) = header.get(60..).and_then(<[u8]>::first_chunk) {
        check_format(i32::from_be_bytes(*format))?;
    }
    // Text encoding, largest root page, incremental vacuum.
    if !(has(52, &[0, 0, 0, 4]) && has(56, &[0, 0, 0, 1]) && has(64, &[0, 0, 0, 1])) {
        return Err(Trouble::damaged("the header has wrong settings"));
    }
    Ok(())
}

fn check_format(found: i32) -> Result<(), Trouble> {
    if found == FORMAT {
        Ok(())
    } else if found > FORMAT && (found ^ FORMAT).count_ones() > 1 {
        Err(Trouble::Newer(found))
    } else {
        Err(Trouble::Damaged(format!("there is no format {found}")))
    }
}

fn check_tables(database: &Connection) -> Result<(), Trouble> {
    let mut statement =
        database.prepare("SELECT sql, rootpage FROM sqlite_schema ORDER BY rowid")?;
    let found = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<Vec<(String, i64)>>>()?;
    let is_ours = found
        .iter()
        .map(|(sql, root)| (sql.as_str(), usize::try_from(*root).unwrap_or_default()))
        .eq(TABLES);
    if is_ours { Ok(()) } else { Err(Trouble::damaged("the tables are not those of a spool")) }
}
