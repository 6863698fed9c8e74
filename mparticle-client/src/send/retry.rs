//! The decision whether and when an attempt is repeated.

use super::backoff::full_jitter;
use crate::RetryPolicy;
use crate::transport::TransportErrorKind;
use http::StatusCode;
use std::time::Duration;
use tokio::time::Instant;

/// The upper bound of the jitter that is added to a `Retry-After`, besides a tenth of it. The jitter spreads the
/// requests of clients that received the same `Retry-After`.
const GREATEST_RETRY_AFTER_JITTER: Duration = Duration::from_secs(1);

/// The result of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptResult {
    /// The head of a response arrived.
    Answered { status: StatusCode, retry_after: Option<Duration> },
    /// No response arrived.
    Failed(TransportErrorKind),
}

/// The progress of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The number of failed attempts, including the last one. A 429 is not a failure.
    pub(crate) failures: u32,
    /// When the last attempt has to begin, or `None` if the time is not limited.
    pub(crate) deadline: Option<Instant>,
}

/// The next step after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The request was accepted.
    Done,
    /// Try again at this time.
    Retry { at: Instant },
    /// Try again as soon as the rate limiter allows.
    RetryWhenAllowed,
    /// Give up.
    Fail(Failure),
}

/// The reason why no further attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The same request would fail again.
    Final,
    /// The `Retry-After` of a 429 would pass the deadline.
    RateLimited { retry_after: Duration },
    /// The policy allows no further attempt.
    OutOfAttempts,
    /// The wait before the next attempt would pass the deadline.
    OutOfTime,
}

/// Whether the same request may succeed later: 408, 429, and 5xx except 501 (not implemented) and 505 (HTTP version not
/// supported).
pub(crate) fn is_retryable(status: StatusCode) -> bool {
    match status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED => false,
        other => other.is_server_error(),
    }
}

/// Decides the next step after an attempt.
///
/// A request with status 429 is repeated as soon as the rate limiter allows, unless its `Retry-After` passes the
/// deadline or the policy allows a single attempt. Other failures are repeated after the longer of the backoff and
/// `Retry-After`, if attempts are left and the wait does not pass the deadline. A `Retry-After` is never shortened. Its
/// jitter is shortened if the deadline leaves less time.
pub(crate) fn decide(
    policy: &RetryPolicy,
    progress: &Progress,
    result: &AttemptResult,
    now: Instant,
    rng: &mut fastrand::Rng,
) -> Decision {
    let time_left = progress.deadline.map(|deadline| deadline.saturating_duration_since(now));
    let passes_deadline = |wait: Duration| time_left.is_some_and(|time_left| wait > time_left);
    let retry_after = match *result {
        AttemptResult::Answered { status, .. } if status.is_success() => return Decision::Done,
        AttemptResult::Answered { status: StatusCode::TOO_MANY_REQUESTS, retry_after } => {
            return match retry_after {
                Some(retry_after) if passes_deadline(retry_after) => {
                    Decision::Fail(Failure::RateLimited { retry_after })
                }
                _ if policy.max_attempts <= 1 => Decision::Fail(Failure::OutOfAttempts),
                _ => Decision::RetryWhenAllowed,
            };
        }
        AttemptResult::Answered { status, retry_after } if is_retryable(status) => retry_after,
        AttemptResult::Failed(kind) if kind.is_retryable() => None,
        // Someone may correct the certificate or the proxy, but hardly before the deadline of an upload that has one.
        AttemptResult::Failed(
            TransportErrorKind::Untrusted | TransportErrorKind::ProxyAuthenticationRequired,
        ) if progress.deadline.is_none() => None,
        AttemptResult::Answered { .. } | AttemptResult::Failed(_) => {
            return Decision::Fail(Failure::Final);
        }
    };
    if progress.failures >= policy.max_attempts.max(1) {
        return Decision::Fail(Failure::OutOfAttempts);
    }
    let backoff = full_jitter(policy, progress.failures, rng);
    let floor = retry_after.map(|floor| with_jitter(floor, time_left, rng));
    let wait = floor.map_or(backoff, |floor| floor.max(backoff));
    match now.checked_add(wait) {
        Some(at) if !passes_deadline(wait) => Decision::Retry { at },
        _ => Decision::Fail(Failure::OutOfTime),
    }
}

/// Adds jitter of up to a tenth to a `Retry-After`, but does not exceed the time left.
fn with_jitter(
    retry_after: Duration,
    time_left: Option<Duration>,
    rng: &mut fastrand::Rng,
) -> Duration {
    let greatest = (retry_after / 10).min(GREATEST_RETRY_AFTER_JITTER);
    let waited = retry_after.saturating_add(greatest.mul_f64(rng.f64()));
    time_left.map_or(waited, |time_left| waited.min(time_left.max(retry_after)))
}

#[cfg(test)]
mod tests;
