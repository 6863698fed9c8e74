//! A batch that was accepted and has not been sealed.

use super::capacity::BATCH_OVERHEAD;
use super::completion::Completion;
use crate::encoding::BatchJson;
use crate::encoding::sections::Sections;
use crate::encoding::users::UserKey;
use std::time::SystemTime;
use tokio::time::Instant;

/// A batch that was accepted and has not been sealed.
pub(super) struct PendingBatch {
    pub(super) completion: Completion,
    pub(super) content: Content,
    pub(super) users: Vec<UserKey>,
    /// When the batch was accepted, by the wall clock. Its age is measured from this time.
    pub(super) accepted: SystemTime,
    /// When the batch was accepted or recovered. The flush interval is measured from this time.
    pub(super) queued: Instant,
    /// The number of the batch in the spool.
    pub(super) number: Option<u64>,
}

impl PendingBatch {
    /// Frees memory that is no longer needed.
    pub(super) fn compact(&mut self) {
        self.completion.forget_closed_listener();
        if let Content::Joinable(sections) = &mut self.content {
            sections.bytes.shrink_to_fit();
        }
    }
}

/// The JSON of a batch.
pub(super) enum Content {
    /// A batch that may be joined with others, because the queue generated its id.
    Joinable(Sections),
    /// A batch whose id the caller set, or that was recovered from a spool.
    Whole(BatchJson),
    /// The parts of a batch that was split because of its size.
    Split(Vec<BatchJson>),
}

impl Content {
    pub(super) fn sections(&self) -> Option<&Sections> {
        match self {
            Self::Joinable(sections) => Some(sections),
            Self::Whole(_) | Self::Split(_) => None,
        }
    }

    /// Returns the size of the JSON in bytes.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Joinable(sections) => sections.bytes.len(),
            Self::Whole(batch) => batch.bytes.len(),
            Self::Split(parts) => parts.iter().map(|part| part.bytes.len()).sum(),
        }
    }

    /// Returns the memory that the batch takes in bytes.
    pub(super) fn memory(&self) -> usize {
        self.len() + BATCH_OVERHEAD
    }

    /// Converts this into the documents to be sent.
    pub(super) fn into_documents(self, source_request_id: &str) -> Vec<BatchJson> {
        match self {
            Self::Joinable(sections) => {
                let source_request_id = source_request_id.to_owned();
                vec![BatchJson { source_request_id, bytes: sections.bytes.into() }]
            }
            Self::Whole(document) => vec![document],
            Self::Split(parts) => parts,
        }
    }
}
