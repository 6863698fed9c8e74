//! The loop: waits for the gate, sends, decides, waits, until there is a receipt or an error.

use super::attempt::attempt;
use super::attempt_error::{AttemptError, GivenUp, rate_limited};
use super::budget::{RetryBudget, Withdrawal};
use super::gate::{Pass, RateLimiter};
use super::headers::{self, Limit};
use super::retry::{self, Decision, Outcome, State};
use crate::base_url::BaseUrl;
use crate::error::{AttemptStats, Causes};
use crate::transport::{Transport, TransportErrorKind};
use crate::{Credentials, EncodedRequest, Error, ErrorKind, Receipt, RetryPolicy, Timeouts};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{Instrument, Span, debug, debug_span, field, info, trace, warn};

/// What the client's spans and events go by, wherever in it they come from.
const LOG: &str = "mparticle_client";

/// Whether bodies are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum BodyLog {
    #[default]
    Never,
    AtTrace,
}

/// How long an upload may take, and how often it may be tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Patience {
    /// As timeouts, retry policy and budget say.
    #[default]
    Bounded,
    /// Until it is accepted or refused. Who sends like this sends few requests at a time, so that no storm comes of it.
    #[cfg_attr(not(feature = "queue"), allow(dead_code, reason = "only the queue waits for ever"))]
    Endless,
}

/// Delivers requests with one pair of credentials.
#[derive(Debug)]
pub(crate) struct RequestSender {
    transport: Arc<dyn Transport>,
    base_url: BaseUrl,
    headers: HeaderMap,
    timeouts: Timeouts,
    policy: RetryPolicy,
    gate: RateLimiter,
    budget: RetryBudget,
    jitter: Mutex<fastrand::Rng>,
    body_log: BodyLog,
    patience: Patience,
    /// Wakes those who wait to try again.
    hurry: Notify,
}

/// What is known of an upload while it lasts.
struct Progress {
    start: Instant,
    /// `None` for one that waits as long as it takes.
    deadline: Option<Instant>,
    attempts: u32,
    may_have_been_sent: bool,
}

impl RequestSender {
    pub(crate) fn new(
        transport: Arc<dyn Transport>,
        base_url: BaseUrl,
        headers: HeaderMap,
        gate: RateLimiter,
    ) -> Self {
        Self {
            transport,
            base_url,
            headers,
            timeouts: Timeouts::default(),
            policy: RetryPolicy::default(),
            gate,
            budget: RetryBudget::default(),
            jitter: Mutex::new(fastrand::Rng::new()),
            body_log: BodyLog::default(),
            patience: Patience::default(),
            hurry: Notify::new(),
        }
    }

    pub(crate) fn with_times(mut self, timeouts: Timeouts, policy: RetryPolicy) -> Self {
        self.timeouts = timeouts;
        self.policy = policy;
        self.jitter = Mutex::new(jitter(policy));
        self
    }

    pub(crate) fn with_body_log(mut self, body_log: BodyLog) -> Self {
        self.body_log = body_log;
        self
    }

    /// The same for other credentials, with its own gate and budget.
    pub(crate) fn with_credentials(&self, credentials: &Credentials) -> Result<Self, Error> {
        let problems = credentials.problems();
        let refused = |why: &str| Error::new(ErrorKind::Config, format!("credentials: {why}"));
        if !problems.is_empty() {
            return Err(refused(&problems.join("; ")));
        }
        let authorization =
            credentials.authorization().map_err(|_| refused("they make no header"))?;
        let mut headers = self.headers.clone();
        headers.insert(header::AUTHORIZATION, authorization);
        Ok(self.with_headers(headers, RateLimiter::default()))
    }

    /// The same with connections for another runtime, and with the patience to wait until a request is accepted or
    /// refused. It shares the gate, but not the budget.
    #[cfg(feature = "queue")]
    pub(crate) fn for_queue(&self) -> Self {
        let mut sender = self.with_headers(self.headers.clone(), self.gate.clone());
        if let Some(transport) = self.transport.for_another_runtime() {
            sender.transport = transport;
        }
        sender.patience = Patience::Endless;
        sender.policy = sender.policy.with_max_attempts(u32::MAX);
        sender
    }

    fn with_headers(&self, headers: HeaderMap, gate: RateLimiter) -> Self {
        let transport = Arc::clone(&self.transport);
        let mut sender = Self::new(transport, self.base_url.clone(), headers, gate)
            .with_times(self.timeouts, self.policy)
            .with_body_log(self.body_log);
        sender.patience = self.patience;
        sender
    }

    /// Lets those try again at once who wait for no reason but that an attempt has failed.
    #[cfg(feature = "queue")]
    pub(crate) fn hurry(&self) {
        self.hurry.notify_waiters();
    }

    pub(crate) fn rate_limiter(&self) -> RateLimiter {
        self.gate.clone()
    }

    /// Sends a request until it is accepted or there is no point in trying again.
    pub(crate) async fn deliver(&self, unsent: EncodedRequest) -> Result<Receipt, Error> {
        // Timers and sockets would panic without one.
        if Handle::try_current().is_err() {
            let message = "there is no Tokio runtime here: await the upload in one, or use the blocking client";
            return Err(Error::new(ErrorKind::Config, message).with_request(unsent));
        }
        let span = debug_span!(
            target: LOG,
            "upload",
            endpoint = %unsent.endpoint(),
            batches = unsent.source_request_ids().len(),
            bytes = unsent.body().len(),
        );
        self.deliver_in_span(unsent).instrument(span).await
    }

    async fn deliver_in_span(&self, unsent: EncodedRequest) -> Result<Receipt, Error> {
        debug!(target: LOG, source_request_ids = ?unsent.source_request_ids(), "uploading");
        let start = Instant::now();
        let deadline = match self.patience {
            Patience::Bounded => Some(after(start, self.timeouts.overall)),
            Patience::Endless => None,
        };
        let mut progress = Progress { start, deadline, attempts: 0, may_have_been_sent: false };
        let result = self.repeat(&unsent, &mut progress).await;
        result.map_err(|error| {
            let error = error.with_stats(progress.course()).with_request(unsent);
            let (kind, attempts) = (error.kind(), error.attempts());
            warn!(target: LOG, ?kind, attempts, "upload failed: {error:#}");
            error
        })
    }

    async fn repeat(
        &self,
        unsent: &EncodedRequest,
        progress: &mut Progress,
    ) -> Result<Receipt, Error> {
        let mut withdrawal = None;
        let mut last: Option<AttemptError> = None;
        loop {
            let asked = Instant::now();
            let pass = match self.gate.enter(progress.deadline).await {
                Ok(pass) => pass,
                Err(shut) => return Err(closed_gate(shut.retry_after, last)),
            };
            progress.attempts += 1;
            let span = debug_span!(
                target: LOG,
                "attempt",
                attempt = progress.attempts,
                waited_ms = millis(asked.elapsed()),
                status = field::Empty,
                rate_limit_used = field::Empty,
            );
            let result = self.attempt(unsent, progress, pass).instrument(span).await;
            // A repetition that is cancelled gives its token back by being dropped before it comes here.
            if let Some(repetition) = withdrawal.take() {
                Withdrawal::spend(repetition);
            }
            let problem = match result {
                Ok(receipt) => return Ok(receipt),
                Err(problem) => problem,
            };
            progress.may_have_been_sent |= problem.may_have_been_sent();
            let at = match self.decide(progress, &problem.outcome()) {
                Ok(at) => at,
                Err(given_up) => return Err(problem.into_error(given_up, self.policy.max_attempts)),
            };
            withdrawal = self.budget.withdraw(Instant::now());
            if withdrawal.is_none() && self.patience == Patience::Bounded {
                return Err(problem.into_error(GivenUp::OutOfBudget, self.policy.max_attempts));
            }
            let wait_ms = millis(at.saturating_duration_since(Instant::now()));
            info!(target: LOG, attempt = progress.attempts, wait_ms, "attempt failed, trying again");
            if problem.retry_after().is_some() {
                sleep_until(at).await;
            } else {
                // In a hurry or not, it is time to try again.
                _ = timeout_at(at, self.hurry.notified()).await;
            }
            last = Some(problem);
        }
    }

    /// One attempt, whose outcome the gate and the budget learn.
    async fn attempt(
        &self,
        unsent: &EncodedRequest,
        progress: &Progress,
        pass: Pass,
    ) -> Result<Receipt, AttemptError> {
        let until = after(Instant::now(), self.timeouts.attempt);
        let until = progress.deadline.map_or(until, |deadline| until.min(deadline));
        let sent = attempt(&*self.transport, self.request(unsent), until).await;
        let answer = match sent {
            Ok(answer) => answer,
            Err(error) => {
                pass.failed();
                debug!(target: LOG, "no answer: {error}{}", Causes(&error));
                return Err(AttemptError::Failed(error));
            }
        };
        let used = headers::rate_limit_used(&answer.headers);
        let span = Span::current();
        span.record("status", answer.status.as_u16());
        if let Some(used) = used {
            span.record("rate_limit_used", used);
        }
        if answer.status.is_success() {
            pass.accepted(used);
            self.budget.succeeded(Instant::now());
            log_acceptance(answer.status, used);
            return Ok(Receipt {
                status: answer.status,
                attempts: progress.attempts,
                elapsed: progress.start.elapsed(),
                source_request_ids: unsent.shared_ids(),
                rate_limit_used: used,
                headers: answer.headers,
            });
        }
        let retry_after = headers::retry_after(&answer.headers, SystemTime::now());
        debug!(target: LOG, status = answer.status.as_u16(), ?retry_after, "not accepted");
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            self.close_gate(pass, &answer.headers, retry_after, progress.attempts);
        } else {
            pass.failed();
        }
        Err(AttemptError::Answered { answer, retry_after })
    }

    /// Closes the gate for as long as the server asks, or for a backoff of its own.
    fn close_gate(
        &self,
        pass: Pass,
        headers: &HeaderMap,
        retry_after: Option<Duration>,
        attempts: u32,
    ) {
        let limit = headers::exceeded(headers);
        let wait = retry_after.unwrap_or_else(|| {
            let mut rng = self.jitter.lock().unwrap_or_else(PoisonError::into_inner);
            super::backoff::full_jitter(&self.policy, attempts, &mut rng)
        });
        let wait_ms = millis(wait);
        match limit {
            Limit::Speed => {
                warn!(target: LOG, wait_ms, "rate limit exceeded: all uploads of this key wait");
            }
            Limit::Acceleration => {
                warn!(target: LOG, wait_ms, "rate grows too fast: uploads slow down");
            }
        }
        pass.limited(limit, after(Instant::now(), wait));
    }

    fn decide(&self, progress: &Progress, outcome: &Outcome) -> Result<Instant, GivenUp> {
        let now = Instant::now();
        let timed_out = *outcome == Outcome::Failed(TransportErrorKind::Timeout);
        if timed_out && progress.deadline.is_some_and(|deadline| now >= deadline) {
            return Err(GivenUp::AtDeadline);
        }
        let state = State { attempts: progress.attempts, deadline: progress.deadline };
        let mut rng = self.jitter.lock().unwrap_or_else(PoisonError::into_inner);
        match retry::decide(&self.policy, &state, outcome, now, &mut rng) {
            // `attempt` has returned every acceptance before.
            Decision::Done => Err(GivenUp::ByPolicy(retry::Failure::Final)),
            Decision::Retry { at } => Ok(at),
            Decision::Fail(failure) => Err(GivenUp::ByPolicy(failure)),
        }
    }

    fn request(&self, unsent: &EncodedRequest) -> Request<Bytes> {
        if self.body_log == BodyLog::AtTrace {
            trace!(target: LOG, body = %String::from_utf8_lossy(unsent.body()), "sending");
        }
        let mut request = Request::new(unsent.body().clone());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.base_url.uri(unsent.endpoint()).clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

impl Progress {
    fn course(&self) -> AttemptStats {
        AttemptStats {
            attempts: self.attempts,
            elapsed: self.start.elapsed(),
            may_have_been_sent: self.may_have_been_sent,
        }
    }
}

fn log_acceptance(status: StatusCode, used: Option<f64>) {
    if status == StatusCode::ACCEPTED {
        debug!(target: LOG, rate_limit_used = used, "accepted");
    } else {
        // mParticle documents 202 alone; a web server at a wrong base URL says 200 to anything.
        let status = status.as_u16();
        warn!(target: LOG, status, "accepted with a status that mParticle does not document");
    }
}

fn closed_gate(retry_after: Duration, last: Option<AttemptError>) -> Error {
    let error = rate_limited(retry_after);
    match last {
        Some(problem) => problem.explain(error),
        None => error,
    }
}

fn jitter(policy: RetryPolicy) -> fastrand::Rng {
    policy.jitter_seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed)
}

/// A time so far away that it does not matter takes the place of one that cannot be expressed.
fn after(start: Instant, wait: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    start + wait.min(FAR)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
