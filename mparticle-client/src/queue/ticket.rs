//! What makes sure that a batch has one outcome: a ticket that is settled once, at the latest when it is dropped.

use super::hook::Hook;
use super::room::Permit;
use super::{BatchResult, Outcome};
use crate::EncodedRequest;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Who counts outcomes, and whom to tell of them.
pub(super) trait Tally: Send + Sync {
    /// Counts the outcome of a batch that belongs to a flush.
    fn settled(&self, wave: u64, outcome: &Outcome, bytes: usize);

    fn hook(&self) -> Option<&Hook>;
}

/// Stands for one batch from when it is accepted until its outcome is known.
///
/// It holds the batch's share of the room, and whoever has it owes the batch an outcome. If it is lost, with a runtime
/// that is shut down for instance, the batch counts as dropped, or as left in the spool.
pub(super) struct Ticket {
    tally: Arc<dyn Tally>,
    source_request_id: String,
    permit: Permit,
    /// Whether the spool holds the batch.
    is_durable: bool,
    /// The flush that it belongs to, once it was counted as accepted or recovered, until it is settled.
    wave: Option<u64>,
    settled: Option<oneshot::Sender<BatchResult>>,
}

impl Ticket {
    pub(super) fn new(
        tally: Arc<dyn Tally>,
        source_request_id: String,
        permit: Permit,
        settled: Option<oneshot::Sender<BatchResult>>,
    ) -> Self {
        Self { tally, source_request_id, permit, is_durable: false, wave: None, settled }
    }

    pub(super) fn source_request_id(&self) -> &str {
        &self.source_request_id
    }

    pub(super) fn bytes(&self) -> usize {
        self.permit.bytes()
    }

    pub(super) fn is_durable(&self) -> bool {
        self.is_durable
    }

    pub(super) fn set_durable(&mut self) {
        self.is_durable = true;
    }

    #[cfg(feature = "spool")]
    pub(super) fn is_counted(&self) -> bool {
        self.wave.is_some()
    }

    /// Notes that the batch was counted.
    pub(super) fn counted(&mut self, wave: u64) {
        self.wave = Some(wave);
    }

    /// Gives the batch its outcome.
    pub(super) fn settle(
        mut self,
        outcome: Outcome,
        sent_as: Option<&str>,
        unsent: &[EncodedRequest],
    ) {
        self.finish(outcome, sent_as, unsent);
    }

    /// Gives the batch the outcome of a queue that has ended.
    pub(super) fn abandon(mut self, sent_as: Option<&str>, unsent: &[EncodedRequest]) {
        let outcome = self.abandoned();
        self.finish(outcome, sent_as, unsent);
    }

    fn abandoned(&self) -> Outcome {
        if self.is_durable { Outcome::LeftInSpool } else { Outcome::Dropped }
    }

    fn finish(&mut self, outcome: Outcome, sent_as: Option<&str>, unsent: &[EncodedRequest]) {
        let Some(wave) = self.wave.take() else { return };
        self.tally.settled(wave, &outcome, self.permit.bytes());
        let hook = self.tally.hook();
        let listener = self.settled.take().filter(|listener| !listener.is_closed());
        if hook.is_none() && listener.is_none() {
            return;
        }
        let keeps = matches!(outcome, Outcome::Rejected(_) | Outcome::Expired | Outcome::Dropped);
        let settled = BatchResult {
            source_request_id: self.source_request_id.clone(),
            sent_as: sent_as.filter(|id| *id != self.source_request_id).map(str::to_owned),
            outcome,
            requests: if keeps { unsent.to_vec() } else { Vec::new() },
        };
        if let Some(hook) = hook {
            hook.call(&settled);
        }
        if let Some(listener) = listener {
            // Whoever does not listen any more does not want to know.
            _ = listener.send(settled);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let outcome = self.abandoned();
        self.finish(outcome, None, &[]);
    }
}
