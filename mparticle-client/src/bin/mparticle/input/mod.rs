//! Reads records from files and pipes, whatever their form.
//!
//! [`open`] recognizes compression and form by content. [`lines`], [`values`] and [`rows`] divide the text into records
//! without holding more than one in memory, [`record`] interprets a record, and [`entries`] makes batches of them.

mod cells;
mod checks;
pub(crate) mod entries;
pub(crate) mod given_back;
mod ids;
mod lines;
pub(crate) mod mapping;
mod open;
pub(crate) mod plan;
pub(crate) mod record;
mod rows;
mod values;
mod zstd;

pub(crate) use entries::{Content, Entries, Entry, Mark};
pub(crate) use ids::Namespace;
pub(crate) use mapping::Mapping;
pub(crate) use open::{Input, Source};
pub(crate) use plan::{PlanChoice, PlanOptions, RuleSet};
pub(crate) use record::{Problem, pointer_to};

use std::io;

/// The maximum size of a record. A longer one is refused without being read into memory.
pub(crate) const MAX_RECORD_BYTES: usize = 4 * 1024 * 1024;

/// A record as it was found in the input.
pub(crate) struct Record {
    /// Its number, from 1. In JSON Lines, it is the number of the line.
    pub(crate) number: u64,
    /// The line on which it begins, from 1.
    pub(crate) line: u64,
    pub(crate) text: RecordText,
}

/// The text of a record.
pub(crate) enum RecordText {
    Json(Vec<u8>),
    /// The cells of a row of a CSV file.
    Row(csv::StringRecord),
    /// Something that is no record.
    Refused(Problem),
}

/// A source of records.
pub(crate) trait Records: Send {
    /// Returns the next record, or `None` at the end of the input.
    fn next(&mut self) -> io::Result<Option<Record>>;
}

/// The problem of a record that is too long.
fn too_long(bytes: usize) -> Problem {
    let message = format!("the record has {bytes} bytes, and at most {MAX_RECORD_BYTES} are read");
    Problem::new("recordTooLong", message)
}
