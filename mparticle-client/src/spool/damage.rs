//! The damage that a start finds, and the report of it that stays on disk until it was handed out.

use super::files::Files;
use super::log::DAMAGE;
use super::ranges::{Range, gaps};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::io;
use std::path::Path;

/// How many gaps a description names.
const GAPS_DESCRIBED: usize = 5;

/// What was found to be damaged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Damage {
    /// The number of frames that are missing, at least.
    pub(crate) unreadable: u64,
    /// The number of batches whose seal may be missing.
    pub(crate) uncertain: u64,
    /// What was found, if anything was.
    pub(crate) description: Option<String>,
}

/// The content of the file `damage`.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Report {
    #[serde(flatten)]
    pub(super) damage: Damage,
    /// Batches without a seal are uncertain if their number is lower.
    pub(super) uncertain_below: u64,
    /// The positions that are counted.
    pub(super) missing: Vec<Range>,
}

impl Report {
    /// Reads the report that an earlier start has left.
    pub(super) fn read<F: Files>(files: &F, folder: &Path, names: &[String]) -> io::Result<Self> {
        if !names.iter().any(|name| name == DAMAGE) {
            return Ok(Self::default());
        }
        let file = files.open(&folder.join(DAMAGE))?;
        let mut bytes = vec![0; usize::try_from(files.len(&file)?).unwrap_or_default()];
        files.read_at(&file, 0, &mut bytes)?;
        Ok(serde_json::from_slice(&bytes).unwrap_or_else(|_| {
            let mut report = Self { uncertain_below: u64::MAX, ..Self::default() };
            report.add(1, "the report of earlier damage cannot be read");
            report
        }))
    }

    /// Adds damage that was found.
    pub(super) fn add(&mut self, unreadable: u64, description: &str) {
        self.damage.unreadable = self.damage.unreadable.saturating_add(unreadable);
        match &mut self.damage.description {
            Some(before) => _ = write!(before, "; {description}"),
            None => self.damage.description = Some(description.to_owned()),
        }
    }

    /// Writes the report, durably: after a crash the file has the old content or the new one.
    pub(super) fn write<F: Files>(&self, files: &F, folder: &Path) -> io::Result<()> {
        let new = folder.join(format!("{DAMAGE}.new"));
        files.remove(&new)?;
        let file = files.open(&new)?;
        files.write_at(&file, 0, &serde_json::to_vec(self)?)?;
        files.sync(&file)?;
        files.rename(&new, &folder.join(DAMAGE))?;
        files.sync_folder(folder)
    }
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
    /// Returns the gaps, and those of them that are damage and not in a report yet. The others were left by a group
    /// that was never synced.
    pub(super) fn gaps(&self, reported: &[Range]) -> (Vec<Range>, Vec<Range>) {
        let start = self.start.unwrap_or(0);
        let all = gaps(self.ranges.clone(), start, self.end.max(self.synced));
        let known = self.ranges.iter().chain(reported).copied().collect();
        (all, gaps(known, start, self.synced))
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
