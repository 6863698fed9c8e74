//! Many documents in few requests: order per user, packing, a bounded number of requests in flight, halving, retries.
//!
//! A document is an encoded batch with a tag of the caller's. [`Dispatch`] takes documents, and yields each of them once
//! with its result. What holds throughout:
//!
//! - **Order.** Documents that share a user are sent in the order in which they came: a document waits while an earlier
//!   one of its user is in another request, also while that one is repeated.
//! - **Packing.** A request takes the documents that may be sent, in order, up to 100 and 256,000 bytes. Those of a busy
//!   user gather while one of them is in flight, and go together in the next request.
//! - **Halving.** A request that is refused as malformed is sent in halves until the bad document stands alone.
//! - **Outages.** While nothing gets through, nothing more is taken, and one request at a time is tried.
//! - **Halts.** A failure that no document is to blame for, such as wrong credentials, halts it. What has no result then
//!   comes back in order.
//!
//! [`waiting`] forms requests, [`flight`] is one on its way, [`verdict`] tells what an error means, and this file moves
//! documents along. It knows neither where documents come from nor what becomes of results.

mod flight;
mod outage;
mod user_set;
mod verdict;
mod waiting;

#[cfg(test)]
mod tests;

use crate::encoding::users::UserKey;
use crate::encoding::{EncodedBatch, MAX_REQUEST_BYTES};
use crate::send::{RequestSender, full_jitter};
use crate::timing::{after, sleep_until_some};
use crate::{EncodedRequest, Endpoint, Error, ErrorKind, Receipt, RetryPolicy};
use flight::Flight;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use outage::Outage;
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use user_set::UserSet;
use verdict::{Verdict, verdict};
use waiting::{Queued, Waiting};

/// After how many documents in a row that were refused alone, since the last acceptance, the request is held to be wrong.
const MAX_REFUSED_ALONE: u32 = 100;

/// Sends a request once.
pub(crate) trait SendOnce: Clone + Send + Sync + 'static {
    fn send_once(
        self,
        request: EncodedRequest,
    ) -> impl Future<Output = Result<Receipt, Error>> + Send;
}

impl SendOnce for Arc<RequestSender> {
    async fn send_once(self, request: EncodedRequest) -> Result<Receipt, Error> {
        RequestSender::send_once(&self, request).await
    }
}

/// One batch to be sent.
pub(crate) struct Document<T> {
    pub(crate) encoded: EncodedBatch,
    pub(crate) users: Vec<UserKey>,
    /// What the caller knows it by. It is not interpreted.
    pub(crate) tag: T,
}

/// How a [`Dispatch`] sends.
#[derive(Clone, Debug)]
pub(crate) struct DispatchSettings {
    pub(crate) endpoint: Endpoint,
    /// How many requests may be in flight at a time.
    pub(crate) concurrency: usize,
    /// How many documents a request holds at most.
    pub(crate) max_batches: usize,
    /// How long documents wait for others to fill a request with.
    pub(crate) linger: Duration,
    /// How long nothing has to be accepted until it halts; `None` if it never does for that reason.
    pub(crate) max_wait: Option<Duration>,
    /// How failed requests are repeated.
    pub(crate) retry: RetryPolicy,
}

/// What [`Dispatch::next`] yields.
pub(crate) enum Event<T> {
    /// A document was accepted, or is given up.
    Settled { document: Document<T>, result: Result<Arc<Receipt>, Error> },
    /// Nothing more is sent. What is in flight may still be settled.
    Halted(Halt),
}

/// Why nothing more is sent.
#[derive(Clone, Debug)]
pub(crate) enum Halt {
    /// A request failed in a way that no document is to blame for and that repeating it would not change.
    Refused(Error),
    /// Nothing was accepted for as long as [`DispatchSettings::max_wait`] allows.
    TimedOut(Error),
}

/// A document that has no result.
pub(crate) struct Unsettled<T> {
    pub(crate) document: Document<T>,
    pub(crate) may_have_been_sent: bool,
}

pub(crate) struct Dispatch<S, T> {
    sender: S,
    settings: DispatchSettings,
    waiting: Waiting<T>,
    /// Whether no further documents will come, so that there is nothing to wait for.
    is_complete: bool,
    /// Requests that have begun, by number.
    flights: BTreeMap<u64, Flight<T>>,
    next_flight: u64,
    /// The users of all flights.
    locked: UserSet,
    running: FuturesUnordered<Running>,
    events: VecDeque<Event<T>>,
    accepted_at: Option<Instant>,
    /// Since when there is something to send.
    busy_since: Option<Instant>,
    outage: Option<Outage>,
    last_error: Option<Error>,
    refused_alone: u32,
    is_halted: bool,
    requests: usize,
    rng: fastrand::Rng,
}

type Running = Pin<Box<dyn Future<Output = (u64, Result<Receipt, Error>)> + Send>>;

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
            last_error: None,
            refused_alone: 0,
            is_halted: false,
            requests: 0,
            rng,
        }
    }

    /// Whether another document should be pushed: twice as much waits as the requests in flight hold, at most, and
    /// nothing is taken while nothing gets through.
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

    /// Sends what waits without waiting for more.
    pub(crate) fn complete(&mut self) {
        self.is_complete = true;
    }

    /// Whether every document that was pushed has been settled.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.flights.is_empty() && self.events.is_empty()
    }

    /// How many requests were made. One that was repeated counts once.
    pub(crate) fn requests(&self) -> usize {
        self.requests
    }

    /// The documents that were not settled, in the order in which they were pushed.
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

    /// Sends, and returns the next result. It waits forever if there is nothing to send, and returns `None` if it is halted
    /// and nothing is in flight any more.
    ///
    /// The future may be dropped at any time without losing anything.
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
            let look_again = self.look_again_at();
            tokio::select! {
                biased;
                Some((flight, result)) = self.running.next(), if !self.running.is_empty() => {
                    self.land(flight, result, Instant::now());
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

    /// Tries one request while nothing gets through, a new one first, because the others may be at fault themselves.
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

    /// Whether fewer requests have begun than may be in flight or wait to be repeated.
    fn may_begin(&self) -> bool {
        self.flights.len() < 2 * self.settings.concurrency
    }

    /// Sends the next part of a flight, which is all of it unless it was halved.
    fn send(&mut self, number: u64, now: Instant) {
        let Some(flight) = self.flights.get_mut(&number) else { return };
        let request = flight.send(self.settings.endpoint, now);
        if !flight.is_repeated() {
            self.requests += 1;
        }
        let sending = self.sender.clone().send_once(request);
        self.running.push(Box::pin(async move { (number, sending.await) }));
    }

    fn land(&mut self, number: u64, result: Result<Receipt, Error>, now: Instant) {
        let Some(flight) = self.flights.get_mut(&number) else { return };
        let error = match result {
            Ok(receipt) => {
                self.accepted_at = Some(now);
                self.outage = None;
                self.refused_alone = 0;
                let receipt = Arc::new(flight.complete_receipt(receipt, now));
                for queued in flight.take_part() {
                    let (document, result) = (queued.document, Ok(Arc::clone(&receipt)));
                    self.events.push_back(Event::Settled { document, result });
                }
                return self.go_on(number, now);
            }
            Err(error) => flight.complete_error(error, now),
        };
        match verdict(&error) {
            Verdict::BlamesDocument => {
                self.outage = None;
                if flight.halve() {
                    return self.go_on(number, now);
                }
                self.refused_alone += 1;
                self.settle_part(number, &error);
                if self.refused_alone >= MAX_REFUSED_ALONE {
                    self.halt(Halt::Refused(error));
                }
                self.go_on(number, now);
            }
            Verdict::RateLimited { wait } => {
                flight.wait_until(after(now, wait));
                self.last_error = Some(error);
            }
            Verdict::Retry => self.failed(number, error, now),
            Verdict::Halt => {
                flight.wait_until(now);
                self.halt(Halt::Refused(error));
            }
        }
    }

    /// A request failed for a reason that may pass.
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
            self.settle_part(number, &error);
            return self.go_on(number, now);
        } else {
            let wait = full_jitter(&self.settings.retry, flight.failures(), &mut self.rng);
            flight.wait_until(after(now, wait.max(error.retry_after().unwrap_or_default())));
        }
        self.last_error = Some(error);
    }

    /// Settles the documents of the request that has just ended.
    fn settle_part(&mut self, number: u64, error: &Error) {
        let Some(flight) = self.flights.get_mut(&number) else { return };
        for queued in flight.take_part() {
            let (document, result) = (queued.document, Err(error.clone()));
            self.events.push_back(Event::Settled { document, result });
        }
    }

    /// Sends what is left of a flight, or ends it.
    fn go_on(&mut self, number: u64, now: Instant) {
        let Some(flight) = self.flights.get_mut(&number) else { return };
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

    /// When it halts because nothing was accepted for too long.
    fn times_out_at(&self) -> Option<Instant> {
        let since = self.busy_since.max(self.accepted_at)?;
        let max_wait = self.settings.max_wait.filter(|_| !self.is_halted && !self.is_empty())?;
        Some(after(since, max_wait))
    }

    /// Halts, and cancels what is in flight: most likely it waits for the rate limiter.
    fn time_out(&mut self) {
        self.running.clear();
        let error = self.last_error.clone().unwrap_or_else(|| {
            Error::new(ErrorKind::RateLimited, "mParticle's rate limit allowed no request in time")
        });
        self.halt(Halt::TimedOut(error));
    }

    /// When there may be something to do although no request has ended.
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
