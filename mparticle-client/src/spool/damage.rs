//! The damage that is found when a spool is opened.

use super::ranges::{Range, gaps};
use std::fmt::Write;

/// The maximum number of gaps in a description.
const GAPS_DESCRIBED: usize = 5;

/// The damage of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Damage {
    /// The minimum number of missing frames.
    pub(crate) unreadable: u64,
    /// A description, if damage was found.
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
    /// The positions of frames, and the missing positions that the log names.
    pub(super) ranges: Vec<Range>,
    /// The position of the oldest segment's first frame, if its head is readable.
    pub(super) start: Option<u64>,
    /// The position before which all frames were synced.
    pub(super) synced: u64,
    /// The position after the last frame.
    pub(super) end: u64,
}

impl Coverage {
    /// Returns the gaps that are damage.
    pub(super) fn missing(&self) -> Vec<Range> {
        gaps(self.ranges.clone(), self.start.unwrap_or(0), self.synced)
    }

    /// Returns the gaps of a group that was never synced.
    pub(super) fn unsynced_gaps(&self) -> Vec<Range> {
        gaps(self.ranges.clone(), self.synced, self.end.max(self.synced))
    }

    /// Returns the number of missing frames. If the first head is damaged, the number of frames before the first
    /// readable one is not known, and counts as one.
    pub(super) fn count(&self, missing: &[Range]) -> u64 {
        let length = |(first, last): &Range| match (first, self.start) {
            (0, None) => 1,
            _ => last - first + 1,
        };
        missing.iter().map(length).fold(0, u64::saturating_add)
    }
}
