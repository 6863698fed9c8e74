//! A batch on its way from the caller to the worker.

use super::ticket::Ticket;
use crate::encoding::EncodedBatch;
use crate::encoding::sections::Sections;
use crate::models::Batch;
use std::time::SystemTime;
use tokio::time::Instant;

/// A batch that was encoded and has room.
pub(super) struct Entry {
    pub(super) ticket: Ticket,
    pub(super) content: Content,
    /// What was given. Its user is looked up, and it is taken apart, on the worker's time.
    pub(super) batch: Box<Batch>,
    pub(super) accepted: SystemTime,
    pub(super) at: Instant,
    /// Its record in the spool.
    pub(super) record: Option<u64>,
}

/// The bytes of a batch.
pub(super) enum Content {
    /// May be joined with others, since no one knows its id.
    Joinable(Sections),
    /// Has an id of its own.
    Whole(EncodedBatch),
    /// Was divided because of its size.
    Parts(Vec<EncodedBatch>),
}

impl Content {
    /// What can be joined.
    pub(super) fn sections(&self) -> Option<&Sections> {
        match self {
            Self::Joinable(sections) => Some(sections),
            Self::Whole(_) | Self::Parts(_) => None,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Joinable(sections) => sections.bytes.len(),
            Self::Whole(batch) => batch.bytes.len(),
            Self::Parts(parts) => parts.iter().map(|part| part.bytes.len()).sum(),
        }
    }
}
