//! Which records are dealt with. It neither reads nor writes.

use crate::input::Mark;
use std::collections::BTreeMap;

/// Follows records from reading to their results.
///
/// Its memory depends on the number of records that are on their way, not on the size of the input.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// What is on its way, by the number of the first record.
    outstanding: BTreeMap<u64, Span>,
    /// The place after the last record that was begun.
    end: Mark,
    /// What was finished since the last [`progress`](Ledger::progress).
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
    /// All records before this place are dealt with.
    pub(crate) low: Mark,
    /// Further records that were finished since the last time: the first and the last of each range.
    pub(crate) beyond: Vec<(u64, u64)>,
}

impl Ledger {
    /// Starts after what earlier runs have dealt with.
    pub(crate) fn starting_at(low: Mark) -> Self {
        Self { end: low, ..Self::default() }
    }

    /// Adds records, and returns the ticket of their batches.
    pub(crate) fn begin(&mut self, span: Span) -> u64 {
        let ticket = span.before.record + 1;
        if span.end.record > self.end.record {
            self.end = span.end;
        }
        self.outstanding.insert(ticket, span);
        if span.parts == 0 {
            self.finish(ticket);
        }
        ticket
    }

    /// Returns the line of the first record of a ticket.
    pub(crate) fn line(&self, ticket: u64) -> u64 {
        self.outstanding.get(&ticket).map_or(0, |span| span.line)
    }

    /// One of the batches of a ticket is dealt with.
    pub(crate) fn settle(&mut self, ticket: u64) {
        let Some(span) = self.outstanding.get_mut(&ticket) else { return };
        span.parts = span.parts.saturating_sub(1);
        if span.parts == 0 {
            self.finish(ticket);
        }
    }

    fn finish(&mut self, ticket: u64) {
        if let Some(span) = self.outstanding.remove(&ticket) {
            self.finished.push((ticket, span.end.record));
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
    use super::{Ledger, Mark, Progress, Span, merge};

    fn mark(record: u64) -> Mark {
        Mark { record, checksum: u32::try_from(record).unwrap() }
    }

    fn begin(ledger: &mut Ledger, before: u64, end: u64, parts: usize) -> u64 {
        ledger.begin(Span { before: mark(before), end: mark(end), line: before + 1, parts })
    }

    #[test]
    fn the_low_water_mark_is_before_the_first_record_without_a_result() {
        let mut ledger = Ledger::starting_at(mark(10));
        let first = begin(&mut ledger, 10, 12, 1);
        let second = begin(&mut ledger, 12, 13, 2);
        let third = begin(&mut ledger, 15, 16, 1);
        assert_eq!(ledger.line(second), 13);
        assert_eq!(ledger.progress(), Progress { low: mark(10), beyond: vec![] });
        ledger.settle(third);
        ledger.settle(second);
        assert_eq!(ledger.progress(), Progress { low: mark(10), beyond: vec![(16, 16)] });
        ledger.settle(second);
        assert_eq!(ledger.progress(), Progress { low: mark(10), beyond: vec![(13, 13)] });
        ledger.settle(first);
        assert_eq!(ledger.progress(), Progress { low: mark(16), beyond: vec![] });
        begin(&mut ledger, 16, 20, 0);
        assert_eq!(ledger.progress(), Progress { low: mark(20), beyond: vec![] });
    }

    #[test]
    fn ranges_that_follow_each_other_are_joined() {
        assert_eq!(merge(vec![(5, 6), (1, 2), (3, 3), (8, 8)]), [(1, 3), (5, 6), (8, 8)]);
    }
}
