//! Whether an attempt is repeated, and when.

use super::backoff::full_jitter;
use crate::RetryPolicy;
use crate::transport::TransportErrorKind;
use http::StatusCode;
use std::time::Duration;
use tokio::time::Instant;

/// Those who were told the same `Retry-After` do not come back in the same instant: up to a tenth is added, but not more
/// than this.
const GREATEST_RETRY_AFTER_JITTER: Duration = Duration::from_secs(1);

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The head of a response.
    Answered { status: StatusCode, retry_after: Option<Duration> },
    /// No response.
    Failed(TransportErrorKind),
}

/// How far an upload has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State {
    /// The attempts made so far, the one just decided about included.
    pub(crate) attempts: u32,
    /// When the upload has to be over; `None` for one that waits out whatever may pass.
    pub(crate) deadline: Option<Instant>,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Accepted.
    Done,
    /// Try again, not earlier than this.
    Retry { at: Instant },
    /// Give up.
    Fail(Failure),
}

/// Why no further attempt is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The same request would fail again.
    Final,
    /// A 429 whose `Retry-After` passes the deadline.
    RateLimited { retry_after: Duration },
    /// It was the last attempt allowed.
    OutOfAttempts,
    /// The wait before the next attempt would pass the deadline.
    OutOfTime,
}

/// Whether the same request may succeed later: 408, 429, and 5xx but 501 (not implemented) and 505 (HTTP version).
pub(crate) fn is_retryable(status: StatusCode) -> bool {
    match status {
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::NOT_IMPLEMENTED | StatusCode::HTTP_VERSION_NOT_SUPPORTED => false,
        other => other.is_server_error(),
    }
}

/// Decides what follows from the outcome of an attempt.
///
/// Of several reasons to give up, the first of these is named:
/// 1. the same request would fail again;
/// 2. a 429 asks for a wait that passes the deadline. It goes before the number of attempts because it tells the caller
///    when to come back;
/// 3. no attempt is left;
/// 4. the wait would pass the deadline.
///
/// The wait is the longer of the backoff and `Retry-After` with its jitter. A `Retry-After` is never shortened; its
/// jitter is, where the deadline leaves less room. A wait that ends at the very deadline does not pass it.
pub(crate) fn decide(
    policy: &RetryPolicy,
    state: &State,
    outcome: &Outcome,
    now: Instant,
    rng: &mut fastrand::Rng,
) -> Decision {
    let (status, retry_after) = match *outcome {
        Outcome::Answered { status, .. } if status.is_success() => return Decision::Done,
        Outcome::Answered { status, retry_after } if is_retryable(status) => {
            (Some(status), retry_after)
        }
        Outcome::Failed(kind) if kind.is_retryable() => (None, None),
        // A certificate can be replaced, which takes longer than an upload with a deadline lasts.
        Outcome::Failed(TransportErrorKind::Untrusted) if state.deadline.is_none() => (None, None),
        Outcome::Answered { .. } | Outcome::Failed(_) => return Decision::Fail(Failure::Final),
    };
    let time_left = state.deadline.map(|deadline| deadline.saturating_duration_since(now));
    let passes_deadline = |wait: Duration| {
        now.checked_add(wait).is_none() || time_left.is_some_and(|time_left| wait > time_left)
    };
    if let (Some(StatusCode::TOO_MANY_REQUESTS), Some(retry_after)) = (status, retry_after) {
        if passes_deadline(retry_after) {
            return Decision::Fail(Failure::RateLimited { retry_after });
        }
    }
    if state.attempts >= policy.max_attempts.max(1) {
        return Decision::Fail(Failure::OutOfAttempts);
    }
    let backoff = full_jitter(policy, state.attempts, rng);
    let floor = retry_after.map(|floor| with_jitter(floor, time_left, rng));
    let wait = floor.map_or(backoff, |floor| floor.max(backoff));
    match now.checked_add(wait) {
        Some(at) if !passes_deadline(wait) => Decision::Retry { at },
        _ => Decision::Fail(Failure::OutOfTime),
    }
}

/// A `Retry-After` and up to a tenth of it, as far as the time left allows.
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
