//! The jobs of the thread.

use super::errors;
use super::group::Group;
use super::ranges::Range;
use super::{Seal, frame};
use crate::Error;
use crate::queue::store::{Done, Durability};

pub(super) enum Job {
    /// Write that positions are missing because their group was never synced. The frame is in a separate group.
    Explain(Vec<Range>),
    /// Write that positions are missing and were reported. Later starts do not report them again.
    Reported(Vec<Range>),
    Accept {
        number: u64,
        record: Vec<u8>,
        durability: Durability,
        reply: Reply,
    },
    Seal {
        seal: Seal,
        reply: Reply,
    },
    Delete {
        numbers: Vec<u64>,
        reply: Reply,
    },
    Close(Reply),
}

impl Job {
    /// Returns the maximum number of bytes that the job takes in the log.
    pub(super) fn length(&self) -> u64 {
        match self {
            Self::Explain(gaps) | Self::Reported(gaps) => Group::length_of_ranges(gaps.len()),
            Self::Accept { record, .. } => Group::length_of(record.len()),
            Self::Seal { seal, .. } => Group::length_of(frame::seal_length(seal)),
            Self::Delete { numbers, .. } => Group::length_of_ranges(numbers.len()),
            Self::Close(_) => 0,
        }
    }

    /// Returns whether a number is assigned to the job.
    pub(super) fn has_number(&self) -> bool {
        matches!(self, Self::Accept { .. } | Self::Seal { .. })
    }

    pub(super) fn is_awaited_accept(&self) -> bool {
        matches!(self, Self::Accept { durability: Durability::Awaited, .. })
    }

    /// Ends the job without doing it.
    pub(super) fn refuse(self, error: &Error) {
        match self {
            Self::Accept { reply, .. } | Self::Seal { reply, .. } | Self::Delete { reply, .. } => {
                reply.send(Err(error.clone()));
            }
            Self::Explain(_) | Self::Reported(_) | Self::Close(_) => {}
        }
    }
}

/// Calls a [`Done`] once. If it is dropped without a result, it reports that the spool is closed.
pub(super) struct Reply(Option<Done>);

impl Reply {
    pub(super) fn new(done: Option<Done>) -> Self {
        Self(done)
    }

    pub(super) fn send(mut self, result: Result<(), Error>) {
        if let Some(done) = self.0.take() {
            done(result);
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(done) = self.0.take() {
            done(Err(errors::closed()));
        }
    }
}
