//! The counts and the state of a relay.

use crate::{BatchResult, Error, ErrorKind, Outcome};
use http::StatusCode;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// The state of a relay, and its counts since it was started.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RelayStats {
    /// What the relay does at the moment.
    pub state: RelayState,
    /// The batches that mParticle accepted.
    pub delivered: u64,
    /// The records that mParticle refused, and the records that are not encoded batches.
    pub rejected: u64,
    /// The batches that were more than 25 days old.
    pub expired: u64,
    /// The batches that were read and have no outcome yet.
    pub held: u64,
    /// How often a reader was opened.
    pub opened: u64,
    /// The time of the first failed request since the last one that mParticle accepted. `None` while requests succeed.
    pub failing_since: Option<SystemTime>,
    /// The last error of a request or of the log, even if requests have succeeded since then.
    pub last_error: Option<Error>,
}

/// What a relay does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum RelayState {
    /// It waits until it may read the log, or the log cannot be opened.
    #[default]
    Standby,
    /// It reads the log.
    Active,
    /// It has closed its reader, because a request failed for a reason outside its batches, or because a newer version of
    /// this crate wrote a batch. It opens a reader again after a minute.
    Paused {
        /// The kind of the error.
        kind: ErrorKind,
        /// The status of the response, such as 401, or `None` if no response arrived.
        status: Option<StatusCode>,
    },
    /// It was shut down.
    Stopped,
}

/// The statistics, shared by a relay and its handle.
#[derive(Debug, Default)]
pub(super) struct SharedStats(Mutex<RelayStats>);

impl SharedStats {
    pub(super) fn get(&self) -> RelayStats {
        self.lock().clone()
    }

    pub(super) fn enter(&self, state: RelayState) {
        let mut current = self.lock();
        current.state = state;
        if state == RelayState::Active {
            current.opened += 1;
        }
    }

    pub(super) fn read(&self) {
        self.lock().held += 1;
    }

    pub(super) fn settled(&self, result: &BatchResult) {
        let mut stats = self.lock();
        match result.outcome() {
            Outcome::Delivered(_) => stats.delivered += 1,
            Outcome::Expired => stats.expired += 1,
            _ => stats.rejected += 1,
        }
        stats.held = stats.held.saturating_sub(1);
    }

    /// Records that the batches without an outcome were forgotten.
    pub(super) fn forgotten(&self) {
        self.lock().held = 0;
    }

    pub(super) fn set_health(&self, failing_since: Option<SystemTime>, last_error: Option<&Error>) {
        let mut stats = self.lock();
        stats.failing_since = failing_since;
        if let Some(error) = last_error {
            stats.last_error = Some(error.clone());
        }
    }

    pub(super) fn failed(&self, error: Error) {
        self.lock().last_error = Some(error);
    }

    fn lock(&self) -> MutexGuard<'_, RelayStats> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
