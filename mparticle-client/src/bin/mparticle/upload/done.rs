//! The records that earlier runs completed.

use super::pending_records::merge;
use crate::input::Mark;
use std::io;

/// The records of a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    /// All records before this place are done.
    pub(crate) low: Mark,
    /// Further records that are done, as ranges in order.
    beyond: Vec<(u64, u64)>,
}

impl Done {
    pub(crate) fn new(low: Mark, beyond: Vec<(u64, u64)>) -> Self {
        Self { low, beyond: merge(beyond) }
    }

    /// Whether a record is done.
    pub(crate) fn contains(&self, record: u64) -> bool {
        let after = self.beyond.partition_point(|(first, _)| *first <= record);
        let range = after.checked_sub(1).and_then(|index| self.beyond.get(index));
        record <= self.low.record || range.is_some_and(|(_, last)| record <= *last)
    }

    /// Checks that the records up to a mark are those that were sent.
    pub(crate) fn check(&self, mark: Mark) -> io::Result<()> {
        if mark.record == self.low.record && mark.checksum != self.low.checksum {
            let count = self.low.record;
            return Err(another(&format!("its first {count} records differ")));
        }
        Ok(())
    }

    /// Checks that an input with so many records is not shorter than it was.
    pub(crate) fn check_end(&self, end: Mark) -> io::Result<()> {
        let last =
            self.beyond.last().map_or(self.low.record, |(_, last)| self.low.record.max(*last));
        if end.record < last {
            let count = end.record;
            return Err(another(&format!("it has {count} records, and record {last} was sent")));
        }
        Ok(())
    }
}

fn another(why: &str) -> io::Error {
    let message = format!(
        "the checkpoint belongs to another input: {why}; remove the checkpoint or name another one with --checkpoint"
    );
    io::Error::new(io::ErrorKind::InvalidData, message)
}

#[cfg(test)]
mod tests {
    use super::{Done, Mark};

    #[test]
    fn records_are_done_below_the_low_water_mark_and_in_ranges() {
        let done = Done::new(Mark { record: 3, checksum: 7 }, vec![(8, 9), (5, 5)]);
        let found: Vec<u64> = (1..12).filter(|record| done.contains(*record)).collect();
        assert_eq!(found, [1, 2, 3, 5, 8, 9]);
        assert!(done.check(Mark { record: 3, checksum: 7 }).is_ok());
        assert!(done.check(Mark { record: 2, checksum: 8 }).is_ok());
        assert!(done.check(Mark { record: 3, checksum: 8 }).is_err());
        assert!(done.check_end(Mark { record: 9, checksum: 0 }).is_ok());
        assert!(done.check_end(Mark { record: 8, checksum: 0 }).is_err());
    }
}
