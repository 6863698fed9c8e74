//! The emulator without its sockets: from a request and the state to a reply and the state.

use super::answer::Answer;
use super::rate_limit::{Bucket, Verdict};
use super::received::{Received, ReceivedRequest};
use super::reply::Reply;
use super::rules::{Contents, Refusal, Rules};
use bytes::Bytes;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Request, Response, StatusCode};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tokio::sync::Notify;
use tokio::time::Instant;

const RATE_LIMIT_EXCEEDED: HeaderName = HeaderName::from_static("x-mp-rate-limit-exceeded");
const RATE_LIMIT_USED: HeaderName = HeaderName::from_static("x-mp-rate-limit-percentage-used");

/// Far more than the API takes, so that tests may exceed its limit. What is longer is answered with
/// [`Reply::too_large`] and not recorded.
pub(super) const MAX_BODY: usize = 10 * 1024 * 1024;

/// Answers requests; both adaptors share it.
#[derive(Debug)]
pub(super) struct Service {
    rules: Rules,
    extent: Extent,
    state: Mutex<State>,
    received: Notify,
}

/// How much of a request is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    Full,
    /// Nothing is checked or recorded.
    Bare,
}

#[derive(Debug)]
struct State {
    script: VecDeque<Answer>,
    /// What follows the script.
    otherwise: Answer,
    received: Received,
    bucket: Option<Bucket>,
}

impl Service {
    pub(super) fn new(rules: Rules, extent: Extent, bucket: Option<Bucket>) -> Self {
        let (script, received) = (VecDeque::new(), Received::default());
        let state = State { script, otherwise: Answer::normal(), received, bucket };
        Self { rules, extent, state: Mutex::new(state), received: Notify::new() }
    }

    pub(super) fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        // Collected first: the iterator is a caller's, and may itself use the emulator.
        let answers: Vec<_> = answers.into_iter().collect();
        self.state().script.extend(answers);
    }

    pub(super) fn answer_otherwise(&self, answer: Answer) {
        self.state().otherwise = answer;
    }

    /// The answer for the request whose head has just arrived.
    pub(super) fn next_answer(&self) -> Answer {
        if self.extent == Extent::Bare {
            return Answer::normal();
        }
        let mut state = self.state();
        state.script.pop_front().unwrap_or_else(|| state.otherwise.clone())
    }

    /// Checks, takes and records a request.
    pub(super) fn handle(
        &self,
        answer: Answer,
        request: Request<Bytes>,
        at: Instant,
        now: SystemTime,
    ) -> Reply {
        if self.extent == Extent::Bare {
            return Reply::immediate(accepted());
        }
        let checked = answer.processes().then(|| self.rules.check(&request, now));
        let mut state = self.state();
        let normal = checked.map(|checked| match checked {
            Ok(contents) => state.take(contents, at),
            Err(refusal) => refusal.into_response(),
        });
        let reply = Reply::new(answer, normal);
        state.received.requests.push(record(request, at, reply.status()));
        drop(state);
        self.received.notify_waiters();
        reply
    }

    /// Looks at what was received.
    pub(super) fn inspect<T>(&self, look: impl FnOnce(&Received) -> T) -> T {
        look(&self.state().received)
    }

    /// Waits until what was received is enough.
    pub(super) async fn wait_for<T>(&self, look: impl Fn(&Received) -> Option<T>) -> T {
        loop {
            // Made before the look, lest a request between look and wait go unseen.
            let received = self.received.notified();
            if let Some(enough) = self.inspect(&look) {
                return enough;
            }
            received.await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes the batches, if the rate limit allows.
    fn take(&mut self, contents: Contents, at: Instant) -> Response<Bytes> {
        let Contents { batches, unprocessed } = contents;
        let count = batches.len() + unprocessed.len();
        let mut response = accepted();
        match self.bucket.as_mut().map(|bucket| bucket.take(count, at)) {
            None => {}
            Some(Verdict::Within { percentage_used }) => {
                response.headers_mut().insert(RATE_LIMIT_USED, HeaderValue::from(percentage_used));
            }
            Some(Verdict::Exceeded { retry_after }) => return too_many(retry_after),
        }
        for batch in batches {
            self.received.take(batch);
        }
        self.received.unprocessed.extend(unprocessed);
        response
    }
}

fn accepted() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

fn too_many(retry_after: u64) -> Response<Bytes> {
    let message = "more batches than the rate limit allows";
    let mut response = Refusal::new(StatusCode::TOO_MANY_REQUESTS, message).into_response();
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from(retry_after));
    headers.insert(RATE_LIMIT_EXCEEDED, HeaderValue::from_static("feed"));
    response
}

fn record(request: Request<Bytes>, at: Instant, status: Option<StatusCode>) -> ReceivedRequest {
    let (mut head, body) = request.into_parts();
    if let Some(value) = head.headers.get_mut(AUTHORIZATION) {
        value.set_sensitive(true);
    }
    let path = head.uri.path().to_owned();
    ReceivedRequest { at, method: head.method, path, headers: head.headers, body, status }
}
