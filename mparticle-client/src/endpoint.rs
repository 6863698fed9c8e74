//! The three paths that take batches.

use std::fmt;

/// A path of the Events API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// `/v2/events`: one batch.
    Events,
    /// `/v2/bulkevents`: a list of up to 100 batches.
    BulkEvents,
    /// `/v2/bulkevents/historical`: a list of up to 100 batches whose events are at least 72 hours old.
    HistoricalBulkEvents,
}

impl Endpoint {
    /// The path below the base URL, which ends in `/v2`.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::Events => "/events",
            Self::BulkEvents => "/bulkevents",
            Self::HistoricalBulkEvents => "/bulkevents/historical",
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.path())
    }
}
