//! The damage that a start finds.

use super::ranges::{Range, gaps};
use std::fmt::Write;

/// How many gaps a description names.
const GAPS_DESCRIBED: usize = 5;

/// What was found to be damaged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Damage {
    /// The number of frames that are missing, at least.
    pub(crate) unreadable: u64,
    /// What was found, if anything was.
    pub(crate) description: Option<String>,
}

/// Describes gaps between the positions of the log.
pub(super) fn describe(missing: &[Range]) -> String {
    let mut text = "frames are missing at the positions ".to_owned();
    for (index, (first, last)) in missing.iter().take(GAPS_DESCRIBED).enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        _ = write!(text, "{separator}{first}");
        if last > first {
            _ = write!(text, "-{last}");
        }
    }
    if missing.len() > GAPS_DESCRIBED {
        text.push_str(", ...");
    }
    text
}

/// The positions of the frames that were read.
#[derive(Default)]
pub(super) struct Coverage {
    /// Positions of frames, and positions that the log itself says are missing.
    pub(super) ranges: Vec<Range>,
    /// The position of the oldest segment's first frame, if its head is readable.
    pub(super) start: Option<u64>,
    /// Every frame before this position was synced.
    pub(super) synced: u64,
    /// The position after the last frame.
    pub(super) end: u64,
}

impl Coverage {
    /// Returns the gaps that are damage.
    pub(super) fn missing(&self) -> Vec<Range> {
        gaps(self.ranges.clone(), self.start.unwrap_or(0), self.synced)
    }

    /// Returns the gaps that were left by a group which was never synced.
    pub(super) fn unsynced_gaps(&self) -> Vec<Range> {
        gaps(self.ranges.clone(), self.synced, self.end.max(self.synced))
    }

    /// Returns how many frames are missing. Before the first readable frame of a log without its first head, the number
    /// is not known: one is counted.
    pub(super) fn count(&self, missing: &[Range]) -> u64 {
        let length = |(first, last): &Range| match (first, self.start) {
            (0, None) => 1,
            _ => last - first + 1,
        };
        missing.iter().map(length).fold(0, u64::saturating_add)
    }
}
