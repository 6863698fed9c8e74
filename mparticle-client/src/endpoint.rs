//! The endpoints of the Events API that accept batches.

use std::fmt;

/// An endpoint of the Events API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Endpoint {
    /// `/v2/events`, which accepts one batch.
    Events,
    /// `/v2/bulkevents`, which accepts a list of up to 100 batches.
    BulkEvents,
    /// `/v2/bulkevents/historical`, which accepts a list of up to 100 batches whose events are at least 72 hours old.
    HistoricalBulkEvents,
}

impl Endpoint {
    /// Returns the path of the endpoint relative to the base URL, which ends with `/v2`.
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
