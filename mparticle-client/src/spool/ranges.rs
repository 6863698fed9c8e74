//! Ranges of numbers and of positions.

/// The first and the last number.
pub(super) type Range = (u64, u64);

/// Adds a number to ranges. Numbers that ascend without a gap become one range.
pub(super) fn push(ranges: &mut Vec<Range>, number: u64) {
    match ranges.last_mut() {
        Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
        _ => ranges.push((number, number)),
    }
}

/// Returns the ranges of numbers in any order.
pub(super) fn of_numbers(mut numbers: Vec<u64>) -> Vec<Range> {
    numbers.sort_unstable();
    numbers.dedup();
    let mut ranges = Vec::new();
    for number in numbers {
        push(&mut ranges, number);
    }
    ranges
}

/// Returns the gaps between ranges, given in any order, from `start` to before `end`.
pub(super) fn gaps(mut ranges: Vec<Range>, start: u64, end: u64) -> Vec<Range> {
    ranges.sort_unstable();
    let mut gaps = Vec::new();
    let mut next = start;
    for (first, last) in ranges {
        let first = first.min(end);
        if first > next {
            gaps.push((next, first - 1));
        }
        next = next.max(last.saturating_add(1));
    }
    if end > next {
        gaps.push((next, end - 1));
    }
    gaps
}
