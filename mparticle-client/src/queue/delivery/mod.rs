//! The worker: takes batches, seals them, sends them through the dispatcher, and reports their outcomes.
//!
//! It owns every batch until the outcome. It can be dropped at any time, and then reports an outcome for every batch
//! that has none. This file contains the loop. [`outcomes`] handles the events of the dispatcher, and [`waiting`]
//! handles flushes and shutdowns.

mod outcomes;
mod waiting;

use super::accumulator::{Accumulator, Item};
use super::sealed_batch::SealedBatch;
use super::shared::{Arrival, Command, Incoming, Shared};
use super::store::BatchStore;
use crate::dispatch::{Dispatch, DispatchSettings, Document};
use crate::encoding::MAX_BATCHES;
use crate::encoding::users::keys;
use crate::send::RequestSender;
use crate::timing::{after, sleep_until_some};
use crate::{Endpoint, Error};
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::{FuturesOrdered, FuturesUnordered};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};
use waiting::{Flush, Shutdown, earlier};

/// The settings of a [`QueueBuilder`](super::QueueBuilder) that concern the worker.
#[derive(Clone, Copy, Debug)]
pub(super) struct DeliverySettings {
    pub(super) flush_every: Duration,
    pub(super) concurrency: usize,
}

pub(super) struct Delivery {
    shared: Arc<Shared>,
    settings: DeliverySettings,
    store: Option<Arc<dyn BatchStore>>,
    accumulator: Accumulator,
    /// Sends documents. The tag of a document is the key of its batch in `sealed`.
    dispatch: Dispatch<Arc<RequestSender>, u64>,
    sealed: HashMap<u64, SealedBatch>,
    next_key: u64,
    /// Requests whose seals are being written to the spool.
    sealing: FuturesOrdered<Sealing>,
    /// The numbers of batches and seals that the spool can delete.
    to_delete: Vec<u64>,
    is_paused: bool,
    /// When a paused queue tries to send.
    next_probe: Option<Instant>,
    /// When failed requests are retried because of a flush or a shutdown.
    next_retry: Option<Instant>,
    flushes: Vec<Flush>,
    shutdown: Option<Shutdown>,
    timers: FuturesUnordered<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

/// The keys of the batches of a request, and for each of them whether its seal was written.
type Sealing = Pin<Box<dyn Future<Output = Vec<(u64, Result<(), Error>)>> + Send>>;

impl Delivery {
    pub(super) fn new(
        shared: Arc<Shared>,
        sender: Arc<RequestSender>,
        settings: DeliverySettings,
        store: Option<Arc<dyn BatchStore>>,
    ) -> Self {
        let dispatch_settings = DispatchSettings {
            endpoint: Endpoint::BulkEvents,
            concurrency: settings.concurrency,
            max_batches: MAX_BATCHES,
            linger: Duration::ZERO,
            max_wait: None,
            retry: sender.retry_policy().with_max_attempts(u32::MAX),
            clock: Arc::clone(&shared.clock),
        };
        let mut dispatch = Dispatch::new(sender, dispatch_settings);
        // The accumulator waits for other batches. The dispatcher need not.
        dispatch.complete();
        Self {
            shared,
            settings,
            store,
            accumulator: Accumulator::default(),
            dispatch,
            sealed: HashMap::new(),
            next_key: 0,
            sealing: FuturesOrdered::new(),
            to_delete: Vec::new(),
            is_paused: false,
            next_probe: None,
            next_retry: None,
            flushes: Vec::new(),
            shutdown: None,
            timers: FuturesUnordered::new(),
        }
    }

    /// Adds batches of an earlier process. They are sent first.
    #[cfg(feature = "spool")]
    pub(super) fn recover(&mut self, recovered: super::recovery::Recovered) {
        self.to_delete = recovered.useless_seals;
        self.accumulator.recover(recovered.items);
    }

    /// Runs until the queue is shut down.
    pub(super) async fn run(mut self) {
        loop {
            let Incoming { batches, commands, was_full, .. } = self.shared.take_incoming();
            let has_received = !batches.is_empty();
            for arrival in batches {
                self.accumulate(arrival);
            }
            for command in commands {
                self.handle_command(command);
            }
            let now = Instant::now();
            self.retry_for_waiters(now);
            self.probe_if_due(now);
            self.send_requests(now, was_full);
            self.delete_from_store();
            self.report_health();
            self.answer_flushes(now);
            if self.is_done(now) {
                break;
            }
            let flush_at = match self.flush_at(now) {
                Some(at) => Some(at),
                // Another batch is likely to arrive soon. It should not have to wake the worker.
                None if has_received => Some(after(now, self.settings.flush_every)),
                None => None,
            };
            let accumulated = flush_at.map(|_| self.accumulated());
            if self.shared.wake_when_full(accumulated) {
                self.wait(flush_at, now).await;
            }
        }
        self.end().await;
    }

    /// Waits until there is something to do.
    async fn wait(&mut self, flush_at: Option<Instant>, now: Instant) {
        // If no request can be taken, the next event is an acceptance or a retry.
        let flush_at = flush_at.filter(|at| self.may_send() || *at > now);
        let deadlines = [flush_at, self.next_probe, self.next_retry, self.next_deadline()];
        let wake_at = deadlines.into_iter().flatten().min();
        tokio::select! {
            biased;
            Some(event) = self.dispatch.next() => {
                self.handle_event(event);
                while let Some(event) = self.dispatch.take_event() {
                    self.handle_event(event);
                }
            }
            Some(request) = self.sealing.next() => self.dispatch_request(request),
            Some(()) = self.timers.next() => {}
            () = self.shared.woken() => {}
            () = sleep_until_some(wake_at) => {}
        }
    }

    fn accumulate(&mut self, Arrival { mut pending, given }: Arrival) {
        if let Some(given) = given {
            pending.users = keys(&given);
        }
        self.accumulator.push(pending);
    }

    fn handle_command(&mut self, command: Command) {
        match command {
            Command::Flush { epoch, before, deadline, timeout, reply } => {
                let deadline = earlier(deadline, timeout);
                self.flushes.push(Flush { epoch, before, deadline, hook_calls: None, reply });
            }
            Command::Shutdown { before, deadline, timeout, reply } => {
                let deadline = earlier(deadline, timeout);
                let shutdown =
                    self.shutdown.get_or_insert_with(|| Shutdown { deadline, replies: Vec::new() });
                shutdown.deadline = shutdown.deadline.min(deadline);
                shutdown.replies.push((before, reply));
            }
            Command::Resume(sender) => {
                self.dispatch.resume(sender);
                self.next_probe = None;
                self.set_paused(None);
            }
            Command::Sleep { deadline, timeout, mut reply } => {
                let deadline = earlier(deadline, timeout);
                self.timers.push(Box::pin(async move {
                    tokio::select! {
                        () = sleep_until(deadline) => { let _ = reply.send(()); }
                        () = reply.closed() => {}
                    }
                }));
            }
        }
    }

    /// Whether another request may be taken from the accumulator.
    fn may_send(&self) -> bool {
        self.dispatch.wants_more() && self.sealing.len() < self.settings.concurrency
    }

    /// Returns when the batches in the accumulator have waited long enough for others.
    fn flush_at(&self, now: Instant) -> Option<Instant> {
        self.accumulator.flush_at(now, self.settings.flush_every)
    }

    /// Returns the number of batches and bytes for the next request, or zero if no request can be taken.
    fn accumulated(&self) -> (usize, usize) {
        let is_filling = self.may_send();
        if is_filling { (self.accumulator.len(), self.accumulator.bytes()) } else { (0, 0) }
    }

    /// Takes requests from the accumulator: full requests, requests that have waited long enough, and all of them
    /// during a flush or a shutdown.
    fn send_requests(&mut self, now: Instant, was_full: bool) {
        while self.may_send() && !self.accumulator.is_empty() {
            // Requests in flight will free capacity. A partial request is sent only if there are none.
            let is_stuck = (was_full || self.shared.capacity.has_waiters())
                && self.dispatch.is_empty()
                && self.sealing.is_empty();
            let is_due = self.flush_at(now).is_some_and(|at| at <= now);
            if !(self.accumulator.is_full() || is_due || is_stuck || self.is_awaited()) {
                break;
            }
            let items = self.accumulator.take_request();
            let sealed = items.into_iter().filter_map(|item| self.seal(item)).collect::<Vec<_>>();
            let keys = sealed.into_iter().map(|batch| self.insert(batch)).collect();
            self.seal_in_store(keys);
        }
    }

    fn seal(&self, item: Item) -> Option<SealedBatch> {
        let mut batches = match item {
            Item::Recovered { restore, .. } => return restore(),
            Item::Pending { batches, .. } => batches,
        };
        if batches.len() > 1 {
            // Joining fails only if the id cannot be written as JSON, which is possible for every text.
            return SealedBatch::join(batches, self.shared.ids.next()).ok();
        }
        batches.pop().map(SealedBatch::of_one)
    }

    fn insert(&mut self, batch: SealedBatch) -> u64 {
        let key = self.next_key;
        self.next_key += 1;
        self.sealed.insert(key, batch);
        key
    }

    /// Writes seals for joined batches to the spool, then sends the batches. Without the seal, the members would be
    /// sent again with their own ids after a crash, and would count twice.
    fn seal_in_store(&mut self, keys: Vec<u64>) {
        let mut writes = Vec::new();
        for key in keys {
            let written = self.write_seal(key);
            writes.push(async move {
                let result = match written {
                    Some(written) => {
                        written.await.unwrap_or_else(|_| Err(super::capacity::closed()))
                    }
                    None => Ok(()),
                };
                (key, result)
            });
        }
        self.sealing.push_back(Box::pin(join_all(writes)));
    }

    fn write_seal(&mut self, key: u64) -> Option<oneshot::Receiver<Result<(), Error>>> {
        let (store, batch) = (self.store.as_ref()?, self.sealed.get_mut(&key)?);
        let members = batch.numbers_to_seal().filter(|_| batch.seal().is_none())?;
        let document = batch.documents.first()?;
        let (reply, written) = oneshot::channel();
        // An error means that the worker has ended.
        let done = Box::new(move |result| _ = reply.send(result));
        let id = document.source_request_id.clone();
        let number = store.seal(id, members, &document.bytes, done);
        batch.set_seal(number);
        Some(written)
    }

    /// Sends the batches of a request whose seals were written.
    fn dispatch_request(&mut self, request: Vec<(u64, Result<(), Error>)>) {
        for (key, sealed) in request {
            let Some(batch) = self.sealed.get(&key) else { continue };
            match sealed {
                Ok(()) => {
                    for document in documents(key, batch) {
                        self.dispatch.push(document);
                    }
                }
                Err(error) => {
                    tracing::warn!("batches are sent without joining them: {error:#}");
                    for document in self.take_apart(key) {
                        self.dispatch.push(document);
                    }
                }
            }
        }
    }

    /// Replaces a joined batch with its members. Returns their documents.
    fn take_apart(&mut self, key: u64) -> Vec<Document<u64>> {
        let Some(batch) = self.sealed.remove(&key) else { return Vec::new() };
        self.to_delete.extend(batch.seal());
        let members = batch.into_members().unwrap_or_default();
        let keys: Vec<u64> = members.into_iter().map(|member| self.insert(member)).collect();
        let members = keys.iter().filter_map(|key| Some((*key, self.sealed.get(key)?)));
        members.flat_map(|(key, batch)| documents(key, batch)).collect()
    }

    fn delete_from_store(&mut self) {
        if let Some(store) = self.store.as_ref().filter(|_| !self.to_delete.is_empty()) {
            store.delete(std::mem::take(&mut self.to_delete));
        }
    }

    fn report_health(&self) {
        let last_error = self.dispatch.last_error().map(Error::kind);
        self.shared.set_health(self.dispatch.failing_since(), last_error);
    }
}

/// Returns the documents of a batch, for the dispatcher.
fn documents(key: u64, batch: &SealedBatch) -> Vec<Document<u64>> {
    let document = |encoded| Document {
        encoded,
        users: batch.users.clone(),
        expires_at: batch.expires_at(),
        tag: key,
    };
    batch.documents.iter().cloned().map(document).collect()
}
