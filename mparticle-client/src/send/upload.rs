//! One upload: waits for its admission, makes an attempt, and repeats this until there is a receipt or a final error.

use super::admission::Admission;
use super::attempt::{exchange, read_body};
use super::attempt_error::{AttemptError, GivenUp};
use super::backoff::full_jitter;
use super::expiry::Expiry;
use super::headers::{self, Limit};
use super::request_sender::{BodyLog, RequestSender};
use super::retry::{self, AttemptResult, Decision, Progress};
use crate::error::{Answer, AttemptStats, Causes};
use crate::timing::after;
use crate::transport::TransportErrorKind;
use crate::{EncodedRequest, Error, Receipt};
use bytes::Bytes;
use http::{Method, Request, StatusCode, response};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, sleep_until};
use tracing::{Instrument, Span, debug, debug_span, field, trace, warn};

/// No attempt begins in the last tenth of the overall timeout, or in this time before the deadline if that is shorter.
const MAX_MARGIN: Duration = Duration::from_secs(1);

/// The state of an upload.
pub(super) struct Upload {
    sender: Arc<RequestSender>,
    request: EncodedRequest,
    admission: Arc<Admission>,
    start: Instant,
    /// `None` if the duration is not limited.
    deadline: Option<Instant>,
    /// The number of failed attempts, except those with status 429.
    failures: u32,
    /// The number of attempts with status 429.
    refusals: u32,
    may_have_been_sent: bool,
}

impl Upload {
    pub(super) fn new(
        sender: Arc<RequestSender>,
        request: EncodedRequest,
        admission: Arc<Admission>,
        start: Instant,
    ) -> Self {
        let (deadline, may_have_been_sent) = (None, false);
        let (failures, refusals) = (0, 0);
        Self { sender, request, admission, start, deadline, failures, refusals, may_have_been_sent }
    }

    /// Sends the request until mParticle accepts it or a further attempt is useless.
    pub(super) async fn send(mut self) -> Result<Receipt, Error> {
        self.deadline = Some(after(self.start, self.sender.settings.timeouts.overall));
        let result = self.repeat().await;
        result.map_err(|error| error.with_stats(self.stats()))
    }

    /// Sends the request once, as soon as the rate limiter allows.
    pub(super) async fn send_once(mut self, expiry: Option<Expiry>) -> Result<Receipt, Error> {
        let admitted = match self.admit().await {
            Ok(sent) => expiry.map_or(Ok(()), |expiry| expiry.check()).map(|()| sent),
            Err(error) => Err(error),
        };
        let result = match admitted {
            Ok(sent) => self.attempt(sent).await.map_err(AttemptError::into_error),
            Err(error) => Err(error),
        };
        self.admission.leave();
        result.map_err(|error| error.with_stats(self.stats()))
    }

    async fn repeat(&mut self) -> Result<Receipt, Error> {
        let mut last: Option<AttemptError> = None;
        loop {
            let sent = match (self.admit().await, last) {
                (Ok(sent), _) => sent,
                (Err(error), Some(last)) => return Err(last.explain(error)),
                (Err(error), None) => return Err(error),
            };
            let error = match self.attempt(sent).await {
                Ok(receipt) => return Ok(receipt),
                Err(error) => error,
            };
            match self.next_attempt(&error) {
                Ok(at) => self.sleep_until(at).await,
                Err(given_up) => {
                    let attempts = self.sender.settings.policy.max_attempts;
                    return Err(error.into_upload_error(given_up, attempts));
                }
            }
            last = Some(error);
        }
    }

    /// Waits until the request may be sent.
    async fn admit(&self) -> Result<Instant, Error> {
        let settings = &self.sender.settings;
        self.admission
            .enter(&settings.rate_limiter, &settings.in_flight, self.weight(), self.last_start())
            .await
            .map_err(super::admission::NotAdmitted::into_error)
    }

    /// Returns when the last attempt has to begin. The response to a request that is sent right before the deadline
    /// could arrive too late.
    fn last_start(&self) -> Option<Instant> {
        let margin = MAX_MARGIN.min(self.sender.settings.timeouts.overall / 10);
        self.deadline.map(|deadline| deadline - margin)
    }

    /// Makes one attempt, and releases its place in flight.
    async fn attempt(&mut self, sent: Instant) -> Result<Receipt, AttemptError> {
        let span = debug_span!(
            "attempt",
            attempt = self.admission.entries(),
            waited_ms = millis(self.start.elapsed()),
            status = field::Empty,
            rate_limit_used = field::Empty,
        );
        let result = self.exchange(sent).instrument(span).await;
        self.admission.leave();
        if let Err(error) = &result {
            self.may_have_been_sent |= error.may_have_been_sent();
            if error.status() == Some(StatusCode::TOO_MANY_REQUESTS) {
                self.refusals += 1;
            } else {
                self.failures += 1;
            }
        }
        result
    }

    async fn exchange(&self, sent: Instant) -> Result<Receipt, AttemptError> {
        let until = after(sent, self.sender.settings.timeouts.attempt);
        let until = self.deadline.map_or(until, |deadline| until.min(deadline));
        let transport = &*self.sender.settings.transport;
        let response = match exchange(transport, self.http_request(), until).await {
            Ok(response) => response,
            Err(error) => {
                debug!("no answer: {error}{}", Causes(&error));
                self.sender.stall_log.failed(&error, Duration::ZERO, Instant::now());
                return Err(AttemptError::Failed(error));
            }
        };
        let (head, body) = response.into_parts();
        let used = headers::rate_limit_used(&head.headers);
        let retry_after = headers::retry_after(&head.headers, SystemTime::now());
        // The head takes effect before the body is read, which may take long: it may close the rate limiter.
        self.head_arrived(&head, used, retry_after, sent);
        let body = read_body(body, head.status, until).await;
        if head.status.is_success() {
            return Ok(Receipt {
                status: Some(head.status),
                attempts: self.admission.entries(),
                elapsed: self.start.elapsed(),
                source_request_ids: self.request.shared_ids(),
                rate_limit_used: used,
                headers: head.headers,
            });
        }
        let answer = Answer { status: head.status, headers: head.headers, body };
        Err(AttemptError::Answered { answer, retry_after })
    }

    /// Passes a response to the rate limiter, the retry budget and the log.
    fn head_arrived(
        &self,
        head: &response::Parts,
        used: Option<f64>,
        retry_after: Option<Duration>,
        sent: Instant,
    ) {
        let now = Instant::now();
        let (status, sender) = (head.status, &*self.sender);
        let span = Span::current();
        span.record("status", status.as_u16());
        if let Some(used) = used {
            span.record("rate_limit_used", used);
        }
        let limiter = &sender.settings.rate_limiter;
        if status.is_success() {
            limiter.accepted(self.weight(), used, sent);
            sender.budget.succeeded(now);
            sender.stall_log.accepted(now);
            debug!(rate_limit_used = used, "accepted");
            if status != StatusCode::ACCEPTED {
                // A web server at a wrong base URL may answer every request with status 200.
                sender.undocumented_status.call_once(|| {
                    let status = status.as_u16();
                    warn!(status, "accepted with a status that mParticle does not document");
                });
            }
            return;
        }
        debug!(status = status.as_u16(), ?retry_after, "not accepted");
        if status == StatusCode::TOO_MANY_REQUESTS {
            let wait = retry_after.unwrap_or_else(|| self.backoff(self.refusals + 1));
            match headers::exceeded(&head.headers) {
                Limit::Speed => {
                    limiter.refused(self.with_jitter(wait), sent);
                    sender.stall_log.failed(&"mParticle's rate limit is exceeded", wait, now);
                }
                Limit::Acceleration => limiter.accelerated(wait),
            }
        } else if retry::is_retryable(status) {
            let reason = format!("mParticle answers with status {}", status.as_u16());
            sender.stall_log.failed(&reason, Duration::ZERO, now);
        }
    }

    /// Returns when to try again after a failed attempt.
    fn next_attempt(&self, error: &AttemptError) -> Result<Instant, GivenUp> {
        let (sender, now) = (&*self.sender, Instant::now());
        let result = error.result();
        let timed_out = result == AttemptResult::Failed(TransportErrorKind::Timeout);
        if timed_out && self.deadline.is_some_and(|deadline| now >= deadline) {
            return Err(GivenUp::AtDeadline);
        }
        let last_start = self.last_start();
        let is_too_late = |at: Instant| last_start.is_some_and(|last_start| at > last_start);
        let progress = Progress { failures: self.failures, deadline: last_start };
        let decision = {
            let mut rng = sender.jitter.lock().unwrap_or_else(PoisonError::into_inner);
            retry::decide(&sender.settings.policy, &progress, &result, now, &mut rng)
        };
        match decision {
            // This function is not called after an acceptance.
            Decision::Done => Err(GivenUp::ByPolicy(retry::Failure::Final)),
            Decision::Fail(failure) => Err(GivenUp::ByPolicy(failure)),
            Decision::RetryWhenAllowed if is_too_late(now) => Err(GivenUp::AtDeadline),
            Decision::RetryWhenAllowed => match error {
                AttemptError::Answered { answer, retry_after }
                    if headers::is_acceleration_limited(&answer.headers) =>
                {
                    let retry_after = retry_after.unwrap_or_else(|| self.backoff(self.refusals));
                    let at = after(now, retry_after);
                    let failure = retry::Failure::RateLimited { retry_after };
                    if is_too_late(at) { Err(GivenUp::ByPolicy(failure)) } else { Ok(at) }
                }
                _ => Ok(now),
            },
            Decision::Retry { at } => {
                if !sender.budget.withdraw(now) {
                    return Err(GivenUp::OutOfBudget);
                }
                Ok(at)
            }
        }
    }

    async fn sleep_until(&self, at: Instant) {
        let wait_ms = millis(at.saturating_duration_since(Instant::now()));
        debug!(wait_ms, "trying again");
        sleep_until(at).await;
    }

    /// Adds up to a tenth to a wait. Clients that received the same `Retry-After` then do not send at the same time.
    fn with_jitter(&self, wait: Duration) -> Duration {
        let mut rng = self.sender.jitter.lock().unwrap_or_else(PoisonError::into_inner);
        wait.mul_f64(1.0 + 0.1 * rng.f64())
    }

    fn backoff(&self, refusals: u32) -> Duration {
        let mut rng = self.sender.jitter.lock().unwrap_or_else(PoisonError::into_inner);
        full_jitter(&self.sender.settings.policy, refusals, &mut rng)
    }

    fn http_request(&self) -> Request<Bytes> {
        let (settings, body) = (&self.sender.settings, self.request.body());
        if settings.body_log == BodyLog::AtTrace {
            trace!(body = %String::from_utf8_lossy(body), "sending");
        }
        let mut request = Request::new(body.clone());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = settings.base_url.uri(self.request.endpoint()).clone();
        *request.headers_mut() = settings.headers.clone();
        request
    }

    /// Returns the number of batches in the request.
    fn weight(&self) -> u32 {
        u32::try_from(self.request.source_request_ids().len()).unwrap_or(u32::MAX)
    }

    fn stats(&self) -> AttemptStats {
        AttemptStats {
            attempts: self.admission.entries(),
            elapsed: self.start.elapsed(),
            may_have_been_sent: self.may_have_been_sent,
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
