//! The emulator without its transports: turns a request and the state into a reply and the new state.

use super::answer::Answer;
use super::counts::{Counts, count_batches};
use super::rate_limit::RateLimit;
use super::records::Records;
use super::reply::{Action, Reply};
use super::rules::{CheckedBatches, ErrorResponse, Rules};
use super::token_bucket::{Decision, TokenBucket};
use bytes::Bytes;
use http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

const RATE_LIMIT_EXCEEDED: HeaderName = HeaderName::from_static("x-mp-rate-limit-exceeded");
const RATE_LIMIT_USED: HeaderName = HeaderName::from_static("x-mp-rate-limit-percentage-used");

/// The maximum size of a body that is read. It is far above the limit of the API, which tests can therefore exceed. A
/// larger body is answered with [`Action::payload_too_large`] and is not recorded.
pub(super) const MAX_BODY: usize = 10 * 1024 * 1024;

/// Answers the requests of both transports.
#[derive(Debug)]
pub(super) struct Service {
    mode: Mode,
    latency: Duration,
    state: Mutex<State>,
    request_recorded: Notify,
}

/// The mode of an emulator.
#[derive(Debug)]
pub(super) enum Mode {
    /// Requests are checked by the rules, answered by scripts, and recorded.
    Full(Rules),
    /// Requests are only counted and rate limited.
    Bare,
}

#[derive(Debug)]
struct State {
    script: VecDeque<Answer>,
    /// Answers to a share of the requests for which no scripted answer is left.
    faults: Vec<(f64, Answer)>,
    /// The answer to all other requests.
    default_answer: Answer,
    records: Records,
    counts: Counts,
    rate_limit: Option<TokenBucket>,
    /// Whether a rate limit has ever been set. Until then a bare emulator does not read bodies to count batches.
    counts_batches: bool,
}

impl Service {
    pub(super) fn new(
        mode: Mode,
        latency: Duration,
        rate_limit: Option<RateLimit>,
        records: Records,
    ) -> Self {
        let state = State {
            script: VecDeque::new(),
            faults: Vec::new(),
            default_answer: Answer::normal(),
            records,
            counts: Counts::default(),
            rate_limit: rate_limit.map(TokenBucket::new),
            counts_batches: rate_limit.is_some(),
        };
        Self { mode, latency, state: Mutex::new(state), request_recorded: Notify::new() }
    }

    pub(super) fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        // Collected before locking, because the caller's iterator may use the emulator.
        let answers: Vec<_> = answers.into_iter().collect();
        self.state().script.extend(answers);
    }

    pub(super) fn set_default_answer(&self, answer: Answer) {
        self.state().default_answer = answer;
    }

    pub(super) fn set_faults(&self, faults: Vec<(f64, Answer)>) {
        self.state().faults = faults;
    }

    pub(super) fn set_rate_limit(&self, limit: Option<RateLimit>, now: Instant) {
        let mut state = self.state();
        state.counts_batches |= limit.is_some();
        match (limit, &mut state.rate_limit) {
            (Some(limit), Some(bucket)) => bucket.set_limit(limit, now),
            (limit, bucket) => *bucket = limit.map(TokenBucket::new),
        }
    }

    /// Returns the answer for a request whose head has just arrived.
    pub(super) fn next_answer(&self) -> Answer {
        if matches!(self.mode, Mode::Bare) {
            return Answer::normal();
        }
        let mut state = self.state();
        let answer = state.script.pop_front().or_else(|| choose(&state.faults, fastrand::f64()));
        answer.unwrap_or_else(|| state.default_answer.clone())
    }

    /// Processes a request that has arrived, and returns when it is time to act on the result.
    pub(super) async fn respond(&self, answer: Answer, request: Request<Bytes>) -> Action {
        let arrived = Instant::now();
        if !self.latency.is_zero() {
            sleep(self.latency / 2).await;
        }
        let Reply { delay, action } =
            self.process(answer, request, Instant::now(), SystemTime::now());
        // Measured from the arrival, because timers round each wait up to whole milliseconds.
        let rest = self.latency.saturating_add(delay).saturating_sub(arrived.elapsed());
        if !rest.is_zero() {
            sleep(rest).await;
        }
        action
    }

    fn process(
        &self,
        answer: Answer,
        request: Request<Bytes>,
        at: Instant,
        now: SystemTime,
    ) -> Reply {
        let rules = match &self.mode {
            Mode::Full(rules) => rules,
            Mode::Bare => return self.process_bare(&request, at),
        };
        let checked = answer.processes_request().then(|| rules.check(&request, now));
        let mut state = self.state();
        let normal = checked.map(|checked| match checked {
            Ok(batches) => state.accept(batches, at),
            Err(error) => error.into_response(),
        });
        let reply = Reply::new(answer, normal);
        state.count_request(reply.status());
        state.records.add_request(request, at, reply.status());
        drop(state);
        self.request_recorded.notify_waiters();
        reply
    }

    fn process_bare(&self, request: &Request<Bytes>, at: Instant) -> Reply {
        let counts_batches = self.state().counts_batches;
        // Counted between the locks, because it reads the whole body.
        let batches = if counts_batches { count_batches(request) } else { 0 };
        let mut state = self.state();
        let response = state.apply_rate_limit(batches, at);
        state.count_request(Some(response.status()));
        drop(state);
        Reply::immediate(response)
    }

    pub(super) fn counts(&self) -> Counts {
        self.state().counts
    }

    /// Reads the records.
    pub(super) fn inspect<T>(&self, read: impl FnOnce(&Records) -> T) -> T {
        read(&self.state().records)
    }

    /// Discards the records.
    pub(super) fn clear(&self) {
        self.state().records.clear();
    }

    /// Waits until `read` returns a value.
    pub(super) async fn wait_for<T>(&self, read: impl Fn(&Records) -> Option<T>) -> T {
        loop {
            // The future is created before the state is read. It therefore notices a request in between.
            let recorded = self.request_recorded.notified();
            if let Some(value) = self.inspect(&read) {
                return value;
            }
            recorded.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Records the batches of a request if the rate limit allows them.
    fn accept(&mut self, batches: CheckedBatches, at: Instant) -> Response<Bytes> {
        let CheckedBatches { valid, unprocessed } = batches;
        let response = self.apply_rate_limit(valid.len() + unprocessed.len(), at);
        if response.status().is_success() {
            for batch in valid {
                self.records.add_batch(batch);
            }
            self.records.add_unprocessed(unprocessed);
        }
        response
    }

    /// Returns 202 and counts the batches, or returns 429 if there are more than the rate limit allows.
    fn apply_rate_limit(&mut self, batches: usize, at: Instant) -> Response<Bytes> {
        let mut response = accepted();
        if let Some(bucket) = &mut self.rate_limit {
            match bucket.acquire(batches, at) {
                Decision::Refused { retry_after } => return too_many_requests(retry_after),
                Decision::Accepted { percentage_used } if bucket.limit().percentage_header => {
                    let percentage = HeaderValue::from(percentage_used);
                    response.headers_mut().insert(RATE_LIMIT_USED, percentage);
                }
                Decision::Accepted { .. } => {}
            }
        }
        self.counts.accepted_batches += u64::try_from(batches).unwrap_or(u64::MAX);
        response
    }

    fn count_request(&mut self, status: Option<StatusCode>) {
        self.counts.requests += 1;
        if status == Some(StatusCode::TOO_MANY_REQUESTS) {
            self.counts.rate_limited_requests += 1;
        }
    }
}

/// Returns the answer whose share of the numbers from 0 to 1 contains `number`, if there is one.
fn choose(faults: &[(f64, Answer)], number: f64) -> Option<Answer> {
    let mut end = 0.0;
    let fault = faults.iter().find(|(share, _)| {
        end += share;
        number < end
    });
    fault.map(|(_, answer)| answer.clone())
}

fn accepted() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

fn too_many_requests(retry_after: u64) -> Response<Bytes> {
    let message = "more batches than the rate limit allows";
    let mut response = ErrorResponse::new(StatusCode::TOO_MANY_REQUESTS, message).into_response();
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from(retry_after));
    headers.insert(RATE_LIMIT_EXCEEDED, HeaderValue::from_static("feed"));
    response
}
