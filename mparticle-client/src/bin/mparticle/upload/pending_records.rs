//! The records that were read and have no result yet. Performs no I/O.

use crate::input::Mark;
use std::collections::BTreeMap;

/// Follows records from reading to their results.
///
/// Its memory depends on the number of records that are on their way, not on the size of the input.
#[derive(Debug, Default)]
pub(crate) struct PendingRecords {
    /// What is on its way, by the number of the first record.
    outstanding: BTreeMap<u64, Span>,
    /// The place after the last record that was begun.
    end: Mark,
    /// What was finished since the last [`progress`](PendingRecords::progress).
    finished: Vec<(u64, u64)>,
}

/// Consecutive records that are sent together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// The place before the first record.
    pub(crate) before: Mark,
    /// The place after the last record.
    pub(crate) end: Mark,
    /// The line of the first record.
    pub(crate) line: u64,
    /// The number of batches without a result.
    pub(crate) parts: usize,
}

/// How far an upload has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// All records before this place are done.
    pub(crate) low: Mark,
    /// Further records that were finished since the last time: the first and the last of each range.
    pub(crate) beyond: Vec<(u64, u64)>,
}

impl PendingRecords {
    /// Starts after the records that earlier runs completed.
    pub(crate) fn starting_at(low: Mark) -> Self {
        Self { end: low, ..Self::default() }
    }

    /// Adds records, and returns the id of their span.
    pub(crate) fn begin(&mut self, span: Span) -> u64 {
        let span_id = span.before.record + 1;
        if span.end.record > self.end.record {
            self.end = span.end;
        }
        self.outstanding.insert(span_id, span);
        if span.parts == 0 {
            self.finish(span_id);
        }
        span_id
    }

    /// Returns the line of the first record of a span.
    pub(crate) fn line(&self, span_id: u64) -> u64 {
        self.outstanding.get(&span_id).map_or(0, |span| span.line)
    }

    /// Records that a batch of a span is done.
    pub(crate) fn settle(&mut self, span_id: u64) {
        let Some(span) = self.outstanding.get_mut(&span_id) else { return };
        span.parts = span.parts.saturating_sub(1);
        if span.parts == 0 {
            self.finish(span_id);
        }
    }

    fn finish(&mut self, span_id: u64) {
        if let Some(span) = self.outstanding.remove(&span_id) {
            self.finished.push((span_id, span.end.record));
        }
    }

    /// Returns how far the upload has come.
    pub(crate) fn progress(&mut self) -> Progress {
        let first = self.outstanding.values().next();
        let low = first.map_or(self.end, |span| span.before);
        let mut finished = std::mem::take(&mut self.finished);
        finished.retain(|(_, last)| *last > low.record);
        Progress { low, beyond: merge(finished) }
    }
}

/// Joins ranges that follow each other.
pub(crate) fn merge(mut ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    ranges.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for (first, last) in ranges {
        match merged.last_mut() {
            Some(previous) if first <= previous.1 + 1 => previous.1 = previous.1.max(last),
            _ => merged.push((first, last)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::{Mark, PendingRecords, Progress, Span, merge};

    fn mark(record: u64) -> Mark {
        Mark { record, checksum: u32::try_from(record).unwrap() }
    }

    fn begin(pending: &mut PendingRecords, before: u64, end: u64, parts: usize) -> u64 {
        pending.begin(Span { before: mark(before), end: mark(end), line: before + 1, parts })
    }

    #[test]
    fn the_low_water_mark_is_before_the_first_record_without_a_result() {
        let mut pending = PendingRecords::starting_at(mark(10));
        let first = begin(&mut pending, 10, 12, 1);
        let second = begin(&mut pending, 12, 13, 2);
        let third = begin(&mut pending, 15, 16, 1);
        assert_eq!(pending.line(second), 13);
        assert_eq!(pending.progress(), Progress { low: mark(10), beyond: vec![] });
        pending.settle(third);
        pending.settle(second);
        assert_eq!(pending.progress(), Progress { low: mark(10), beyond: vec![(16, 16)] });
        pending.settle(second);
        assert_eq!(pending.progress(), Progress { low: mark(10), beyond: vec![(13, 13)] });
        pending.settle(first);
        assert_eq!(pending.progress(), Progress { low: mark(16), beyond: vec![] });
        begin(&mut pending, 16, 20, 0);
        assert_eq!(pending.progress(), Progress { low: mark(20), beyond: vec![] });
    }

    #[test]
    fn ranges_that_follow_each_other_are_joined() {
        assert_eq!(merge(vec![(5, 6), (1, 2), (3, 3), (8, 8)]), [(1, 3), (5, 6), (8, 8)]);
    }
}
