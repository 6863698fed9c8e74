//! The operations with which a queue controls a running dispatcher.

use super::flight::Flight;
use super::waiting::Queued;
use super::{Dispatch, Document, SendOnce};
use tokio::time::Instant;

impl<S: SendOnce, T> Dispatch<S, T> {
    /// Replaces a document that was just refused with documents of the same users. They are sent before all later
    /// documents of these users, including those in the same request.
    pub(crate) fn replace_refused(&mut self, documents: Vec<Document<T>>) {
        let now = Instant::now();
        let queued = documents.into_iter().map(|document| Queued::again(document, now)).collect();
        let users = |queued: &Vec<Queued<T>>| queued.first().map(|one| one.document.users.clone());
        let users = users(&queued).unwrap_or_default();
        let same_users =
            |flight: &&mut Flight<T>| users.iter().any(|user| flight.users().contains(user));
        match self.flights.values_mut().find(same_users) {
            Some(flight) => flight.push_front(queued, now),
            None => self.waiting.push_front(queued),
        }
    }

    /// Continues after a halt, with another sender if one is given. A request that is still in flight does not halt the
    /// dispatcher again.
    pub(crate) fn resume(&mut self, sender: Option<S>) {
        if let Some(sender) = sender {
            self.sender = sender;
        }
        self.is_halted = false;
        self.resumptions += 1;
        self.refused_alone = 0;
        self.retry_now(Instant::now());
    }

    /// Ends the backoff of failed requests. Waits for `Retry-After` continue.
    pub(crate) fn retry_now(&mut self, now: Instant) {
        if let Some(outage) = &mut self.outage {
            outage.retry_now(now);
        }
        self.flights.values_mut().for_each(|flight| flight.retry_now(now));
    }

    pub(crate) fn is_halted(&self) -> bool {
        self.is_halted
    }

    /// Whether no request is in flight.
    pub(crate) fn is_idle(&self) -> bool {
        self.running.is_empty()
    }
}
