//! A batch on its way from the caller to the worker.

use super::ticket::Ticket;
use crate::encoding::EncodedBatch;
use crate::encoding::sections::Sections;
use crate::models::Batch;
use std::time::SystemTime;
use tokio::time::Instant;

/// A batch as it comes to the worker.
pub(super) struct Arrival {
    pub(super) entry: Entry,
    /// What was given, for whoever cannot be helped. The worker looks its user up and takes it apart on its own time.
    pub(super) batch: Box<Batch>,
}

/// A batch that was encoded and has room.
pub(super) struct Entry {
    pub(super) ticket: Ticket,
    pub(super) content: Content,
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

    /// Gives back room for bytes that it does not have.
    pub(super) fn shrink(&mut self) {
        if let Self::Joinable(sections) = self {
            sections.bytes.shrink_to_fit();
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
