//! Handles the events of the dispatcher.

use super::Delivery;
use crate::dispatch::{DocumentResult, Event, Halt};
use crate::queue::Pause;
use crate::timing::after;
use crate::{Error, ErrorKind};
use std::time::Duration;
use tokio::time::Instant;

/// The interval at which a paused queue tries to send, unless mParticle has refused the credentials.
const PROBE_INTERVAL: Duration = Duration::from_secs(5 * 60);

impl Delivery {
    pub(super) fn handle_event(&mut self, event: Event<u64>) {
        match event {
            Event::Settled { document, result } => self.document_settled(document.tag, result),
            Event::Halted(Halt::Refused(error) | Halt::TimedOut(error)) => self.pause(&error),
        }
    }

    fn document_settled(&mut self, key: u64, result: DocumentResult) {
        // A paused queue has sent a request, and mParticle has answered.
        if !matches!(result, DocumentResult::Expired) && !self.dispatch.is_halted() {
            self.set_paused(None);
        }
        let Some(batch) = self.sealed.get_mut(&key) else { return };
        if let DocumentResult::Failed(error) = &result {
            if error.may_be_due_to_batch() && batch.is_joined() {
                // One of the members is malformed. They can be sent before the seal is deleted from the disk: mParticle
                // has refused the joined batch and would refuse it again.
                let members = self.take_apart(key);
                return self.dispatch.replace_refused(members);
            }
        }
        if let Some(outcome) = batch.document_settled(result.into_outcome()) {
            if let Some(batch) = self.sealed.remove(&key) {
                self.to_delete.extend(batch.numbers());
                batch.settle(&outcome);
            }
        }
    }

    fn pause(&mut self, error: &Error) {
        // The queue may have been resumed in the meantime.
        if self.dispatch.is_halted() {
            if !self.is_paused {
                tracing::error!("the queue pauses: {error}");
            }
            self.set_paused(Some(Pause::of(error)));
            let can_pass = error.kind() != ErrorKind::Unauthorized;
            self.next_probe = can_pass.then(|| after(Instant::now(), PROBE_INTERVAL));
        }
    }

    pub(super) fn set_paused(&mut self, paused: Option<Pause>) {
        if self.is_paused && paused.is_none() {
            tracing::info!("the queue continues");
        }
        if self.is_paused || paused.is_some() {
            self.is_paused = paused.is_some();
            self.shared.set_paused(paused);
        }
    }

    pub(super) fn probe_if_due(&mut self, now: Instant) {
        if self.next_probe.is_some_and(|at| at <= now) {
            self.next_probe = None;
            self.dispatch.resume(None);
        }
    }
}
