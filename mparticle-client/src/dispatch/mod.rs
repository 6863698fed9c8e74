//! Sends many documents in few requests.
//!
//! A document is an encoded batch with a tag of the caller. [`Dispatch`] takes documents, and yields each of them once
//! with its result. These invariants hold:
//!
//! - **Order.** Documents of one user are sent in the order in which they were pushed. A document waits while an
//!   earlier document of its user is in another request, even while that request is repeated.
//! - **Packing.** A request contains the documents that may be sent, in order, up to 100 documents and 256,000 bytes.
//!   The documents of a busy user wait while one of them is in flight, and are packed into the next request.
//! - **Halving.** A request that is refused as malformed is sent in halves until the malformed document is found.
//! - **Outages.** While no request is accepted, no documents are taken, and one request at a time is tried.
//! - **Age.** A document that has expired is not sent. The wall clock is read before every attempt.
//! - **Halts.** A failure for a reason outside the documents, such as wrong credentials, halts the dispatcher. It can
//!   be resumed. Otherwise, the documents without a result are returned in order.
//!
//! [`waiting`] forms requests, [`flight`] is a request that has begun, [`verdict`] interprets an error, and this file
//! moves documents between them. It depends neither on the source of the documents nor on the use of the results.

#[cfg(feature = "queue")]
mod control;
mod document;
mod flight;
mod outage;
mod user_set;
mod verdict;
mod wait;
mod waiting;

#[cfg(test)]
mod tests;

use crate::encoding::MAX_REQUEST_BYTES;
use crate::send::{Expiry, RequestSender, full_jitter};
use crate::timing::{Clock, after, sleep_until_some};
use crate::{EncodedRequest, Endpoint, Error, ErrorKind, Receipt, RetryPolicy};
pub(crate) use document::{Document, DocumentResult, Event, Halt, Unsettled};
use flight::Flight;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use outage::Outage;
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;
use user_set::UserSet;
use verdict::{Verdict, verdict};
use waiting::{Queued, Waiting};

/// The number of documents in a row, since the last acceptance, that may be refused alone. After that, the reason is
/// assumed to be outside the documents.
const MAX_REFUSED_ALONE: u32 = 100;

/// Sends a request once.
pub(crate) trait SendOnce: Clone + Send + Sync + 'static {
    fn send_once(
        self,
        request: EncodedRequest,
        expiry: Option<Expiry>,
    ) -> impl Future<Output = Result<Receipt, Error>> + Send;
}

impl SendOnce for Arc<RequestSender> {
    async fn send_once(
        self,
        request: EncodedRequest,
        expiry: Option<Expiry>,
    ) -> Result<Receipt, Error> {
        RequestSender::send_once(&self, request, expiry).await
    }
}

/// The settings of a [`Dispatch`].
#[derive(Clone)]
pub(crate) struct DispatchSettings {
    pub(crate) endpoint: Endpoint,
    /// The maximum number of requests in flight.
    pub(crate) concurrency: usize,
    /// The maximum number of documents in a request.
    pub(crate) max_batches: usize,
    /// The time for which documents wait until a request is full.
    pub(crate) linger: Duration,
    /// The time without an acceptance after which the dispatcher halts, or `None` if it never halts for that reason.
    pub(crate) max_wait: Option<Duration>,
    /// The policy for repeating failed requests.
    pub(crate) retry: RetryPolicy,
    /// The wall clock, for documents that expire.
    pub(crate) clock: Clock,
}

pub(crate) struct Dispatch<S, T> {
    sender: S,
    settings: DispatchSettings,
    waiting: Waiting<T>,
    /// Whether no further documents will come. A request is then sent without waiting until it is full.
    is_complete: bool,
    /// Requests that have begun, by number.
    flights: BTreeMap<u64, Flight<T>>,
    next_flight: u64,
    /// The users of all flights.
    locked: UserSet,
    running: FuturesUnordered<Running>,
    events: VecDeque<Event<T>>,
    accepted_at: Option<Instant>,
    /// The time since which there are documents to send.
    busy_since: Option<Instant>,
    outage: Option<Outage>,
    /// The time of the first failure since the last acceptance.
    failing_since: Option<SystemTime>,
    last_error: Option<Error>,
    refused_alone: u32,
    is_halted: bool,
    /// The number of times that the dispatcher was resumed.
    resumptions: u64,
    requests: usize,
    rng: fastrand::Rng,
}

type Running = Pin<Box<dyn Future<Output = Sent> + Send>>;

/// A request that has ended.
struct Sent {
    flight: u64,
    /// The number of times that the dispatcher had been resumed when the request was sent.
    resumptions: u64,
    result: Result<Receipt, Error>,
}

impl<S: SendOnce, T> Dispatch<S, T> {
    pub(crate) fn new(sender: S, settings: DispatchSettings) -> Self {
        let waiting = Waiting::new(settings.max_batches, settings.linger);
        let seed = settings.retry.jitter_seed;
        let rng = seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        Self {
            sender,
            settings,
            waiting,
            is_complete: false,
            flights: BTreeMap::new(),
            next_flight: 0,
            locked: UserSet::default(),
            running: FuturesUnordered::new(),
            events: VecDeque::new(),
            accepted_at: None,
            busy_since: None,
            outage: None,
            failing_since: None,
            last_error: None,
            refused_alone: 0,
            is_halted: false,
            resumptions: 0,
            requests: 0,
            rng,
        }
    }

    /// Whether another document should be pushed. This is not the case during an outage, or if twice as many documents
    /// wait as the requests in flight can contain.
    pub(crate) fn wants_more(&self) -> bool {
        let requests = 2 * self.settings.concurrency;
        !self.is_halted
            && self.outage.is_none()
            && self.waiting.len() < requests * self.settings.max_batches
            && self.waiting.bytes() < requests * MAX_REQUEST_BYTES
    }

    pub(crate) fn push(&mut self, document: Document<T>) {
        let now = Instant::now();
        if self.is_empty() {
            self.busy_since = Some(now);
        }
        self.waiting.push(document, now);
    }

    /// Sends the waiting documents without waiting for more.
    pub(crate) fn complete(&mut self) {
        self.is_complete = true;
    }

    /// Whether every document that was pushed has been settled.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.flights.is_empty() && self.events.is_empty()
    }

    /// Returns the next result if it is already known.
    pub(crate) fn take_event(&mut self) -> Option<Event<T>> {
        self.events.pop_front()
    }

    /// Returns whether results are known that [`next`](Self::next) has not returned yet.
    pub(crate) fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Returns the last error during an outage.
    pub(crate) fn outage(&self) -> Option<&Error> {
        self.outage.as_ref().and(self.last_error.as_ref())
    }

    /// Returns the time of the first failure since the last acceptance.
    pub(crate) fn failing_since(&self) -> Option<SystemTime> {
        self.failing_since
    }

    /// Returns the error of the last request that failed.
    pub(crate) fn last_error(&self) -> Option<&Error> {
        self.last_error.as_ref()
    }

    /// Returns the number of requests. A repeated request counts once.
    pub(crate) fn requests(&self) -> usize {
        self.requests
    }

    /// Converts this into the documents without a result, in the order in which they were pushed.
    pub(crate) fn into_unsettled(self) -> Vec<Unsettled<T>> {
        let Self { mut waiting, flights, .. } = self;
        let mut unsettled: Vec<(Queued<T>, bool)> = Vec::new();
        for (_, flight) in flights {
            let doubt = flight.may_have_been_sent();
            unsettled.extend(flight.into_documents().map(|document| (document, doubt)));
        }
        unsettled.extend(waiting.take_all().map(|document| (document, false)));
        unsettled.sort_by_key(|(queued, _)| queued.number);
        let unsettled = unsettled.into_iter().map(|(queued, may_have_been_sent)| Unsettled {
            document: queued.document,
            may_have_been_sent,
        });
        unsettled.collect()
    }

    /// Sends requests, and returns the next result. Waits forever if there is nothing to send. Returns `None` if the
    /// dispatcher is halted and no request is in flight.
    ///
    /// The future can be dropped at any time without losing a document or a result.
    pub(crate) async fn next(&mut self) -> Option<Event<T>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            if self.is_halted && self.running.is_empty() {
                return None;
            }
            let now = Instant::now();
            if self.times_out_at().is_some_and(|at| at <= now) {
                self.time_out();
                continue;
            }
            self.start_requests(now);
            if !self.events.is_empty() {
                continue;
            }
            let look_again = self.look_again_at();
            tokio::select! {
                biased;
                Some(sent) = self.running.next(), if !self.running.is_empty() => {
                    self.land(sent, Instant::now());
                }
                () = sleep_until_some(look_again) => {}
            }
        }
    }

    fn start_requests(&mut self, now: Instant) {
        if self.is_halted {
            return;
        }
        if let Some(outage) = &self.outage {
            if self.running.is_empty() && outage.next_try() <= now {
                self.try_one(now);
            }
            return;
        }
        while self.running.len() < self.settings.concurrency {
            let due = self.flights.iter().find(|(_, flight)| flight.is_due(now));
            if let Some((&number, _)) = due {
                self.send(number, now);
            } else if !self.begin_request(now, self.is_complete) {
                break;
            }
        }
    }

    /// Sends one request during an outage. A new request is tried first, because the failed ones may be the cause of
    /// their failures.
    fn try_one(&mut self, now: Instant) {
        if !self.begin_request(now, true) {
            let oldest_try = self.flights.iter().min_by_key(|(_, flight)| flight.failed_at());
            if let Some((&number, _)) = oldest_try {
                self.send(number, now);
            }
        }
    }

    /// Begins another request if enough documents may be sent.
    fn begin_request(&mut self, now: Instant, without_waiting: bool) -> bool {
        if !self.may_begin() {
            return false;
        }
        let Some(documents) = self.waiting.take_request(&self.locked, now, without_waiting) else {
            return false;
        };
        let flight = Flight::new(documents, now);
        self.locked.extend(flight.users());
        let number = self.next_flight;
        self.next_flight += 1;
        self.flights.insert(number, flight);
        self.send(number, now);
        true
    }

    /// Whether another request may begin. Requests in flight and requests that wait to be repeated count.
    fn may_begin(&self) -> bool {
        self.flights.len() < 2 * self.settings.concurrency
    }

    /// Sends the next part of a flight, which is the whole flight unless it was halved.
    fn send(&mut self, number: u64, now: Instant) {
        if !self.settle_expired(number) {
            return self.go_on(number, now);
        }
        let Some(flight) = self.flights.get_mut(&number) else { return };
        let expiry =
            flight.expires_at().map(|at| Expiry::new(at, Arc::clone(&self.settings.clock)));
        let request = flight.send(self.settings.endpoint, now);
        if !flight.is_repeated() {
            self.requests += 1;
        }
        let sending = self.sender.clone().send_once(request, expiry);
        let resumptions = self.resumptions;
        self.running.push(Box::pin(async move {
            Sent { flight: number, resumptions, result: sending.await }
        }));
    }

    fn land(&mut self, Sent { flight: number, resumptions, result }: Sent, now: Instant) {
        let Some(flight) = self.flights.get_mut(&number) else { return };
        let error = match result {
            Ok(receipt) => {
                self.accepted_at = Some(now);
                let receipt = Arc::new(flight.complete_receipt(receipt, now));
                self.something_got_through();
                self.refused_alone = 0;
                self.settle_part(number, &DocumentResult::Accepted(receipt));
                return self.go_on(number, now);
            }
            Err(error) => flight.complete_error(error, now),
        };
        if !self.settle_expired(number) {
            return self.go_on(number, now);
        }
        let verdict = verdict(&error);
        if verdict != Verdict::MalformedDocument {
            self.failing_since.get_or_insert_with(|| (self.settings.clock)());
            self.last_error = Some(error.clone());
        }
        let Some(flight) = self.flights.get_mut(&number) else { return };
        match verdict {
            Verdict::MalformedDocument => {
                self.something_got_through();
                self.refused_as_malformed(number, error, now);
            }
            Verdict::RateLimited { wait } => flight.wait_until(after(now, wait)),
            Verdict::Retry => self.failed(number, error, now),
            Verdict::Halt => {
                flight.wait_until(now);
                if resumptions == self.resumptions {
                    self.halt(Halt::Refused(error));
                }
            }
        }
    }

    fn something_got_through(&mut self) {
        self.outage = None;
        self.failing_since = None;
    }

    /// Handles a request that was refused as malformed: halves it, or settles its only document.
    fn refused_as_malformed(&mut self, number: u64, error: Error, now: Instant) {
        let is_halved = self.flights.get_mut(&number).is_some_and(Flight::halve);
        if !is_halved {
            self.refused_alone += 1;
            self.settle_part(number, &DocumentResult::Failed(error.clone()));
            if self.refused_alone >= MAX_REFUSED_ALONE {
                self.halt(Halt::Refused(error));
            }
        }
        self.go_on(number, now);
    }

    /// Handles a request that failed for a temporary reason.
    fn failed(&mut self, number: u64, error: Error, now: Instant) {
        let accepted_at = self.accepted_at;
        let Some(flight) = self.flights.get_mut(&number) else { return };
        flight.count_failure(accepted_at, now);
        let sent = flight.sent_at();
        if accepted_at.is_none_or(|accepted| accepted < sent) {
            flight.wait_until(now);
            let outage = self.outage.get_or_insert_with(|| Outage::new(now));
            outage.extend(sent, error.retry_after(), &self.settings.retry, &mut self.rng, now);
        } else if flight.failures() >= self.settings.retry.max_attempts.max(1) {
            let error = retries_exhausted(flight.failures(), error);
            self.settle_part(number, &DocumentResult::Failed(error));
            self.go_on(number, now);
        } else {
            let backoff = full_jitter(&self.settings.retry, flight.failures(), &mut self.rng);
            flight.back_off(backoff, error.retry_after(), now);
        }
    }

    /// Settles the documents of the next request of a flight.
    fn settle_part(&mut self, number: u64, result: &DocumentResult) {
        let Some(flight) = self.flights.get_mut(&number) else { return };
        for queued in flight.take_part() {
            let (document, result) = (queued.document, result.clone());
            self.events.push_back(Event::Settled { document, result });
        }
    }

    /// Settles the expired documents of the next request of a flight. Returns whether the request still has documents.
    fn settle_expired(&mut self, number: u64) -> bool {
        let Some(flight) = self.flights.get_mut(&number) else { return false };
        let Some(expires_at) = flight.expires_at() else { return true };
        let now = (self.settings.clock)();
        if now < expires_at {
            return true;
        }
        for queued in flight.take_expired(now) {
            let document = queued.document;
            self.events.push_back(Event::Settled { document, result: DocumentResult::Expired });
        }
        flight.part() > 0
    }

    /// Continues with the remaining documents of a flight, or ends the flight.
    fn go_on(&mut self, number: u64, now: Instant) {
        let Some(flight) = self.flights.get_mut(&number) else { return };
        flight.drop_empty_part();
        if !flight.is_done() {
            flight.wait_until(now);
        } else if let Some(flight) = self.flights.remove(&number) {
            for user in flight.users() {
                self.locked.remove(user);
            }
            self.waiting.users_unlocked();
        }
    }

    fn halt(&mut self, halt: Halt) {
        if !self.is_halted {
            self.is_halted = true;
            self.events.push_back(Event::Halted(halt));
        }
    }

    /// Returns when the dispatcher halts if nothing is accepted until then.
    fn times_out_at(&self) -> Option<Instant> {
        let since = self.busy_since.max(self.accepted_at)?;
        let max_wait = self.settings.max_wait.filter(|_| !self.is_halted && !self.is_empty())?;
        Some(after(since, max_wait))
    }

    /// Halts, and cancels the requests in flight, which most likely wait for the rate limiter.
    fn time_out(&mut self) {
        self.running.clear();
        let error = self.last_error.clone().unwrap_or_else(|| {
            Error::new(ErrorKind::RateLimited, "mParticle's rate limit allowed no request in time")
        });
        self.halt(Halt::TimedOut(error));
    }

    /// Returns when there may be something to do even if no request ends.
    fn look_again_at(&self) -> Option<Instant> {
        if self.is_halted {
            return None;
        }
        let next_start = match &self.outage {
            Some(outage) => self.running.is_empty().then_some(outage.next_try()),
            None if self.running.len() < self.settings.concurrency => {
                let retries = self.flights.values().filter_map(Flight::waits_until);
                let due = self.waiting.due().filter(|_| self.may_begin());
                retries.chain(due).min()
            }
            None => None,
        };
        next_start.into_iter().chain(self.times_out_at()).min()
    }
}

fn retries_exhausted(failures: u32, last: Error) -> Error {
    let message =
        format!("given up: {failures} attempts failed while other requests were accepted");
    Error::new(ErrorKind::RetriesExhausted, message)
        .with_stats(last.stats())
        .with_retry_after(last.retry_after())
        .with_answer_of(&last)
        .with_source(last)
}
