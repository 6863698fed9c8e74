//! Converts a failed attempt into an error.

use super::admission::NotAdmitted;
use super::retry::{AttemptResult, Failure, is_retryable};
use crate::error::Answer;
use crate::transport::{TransportError, TransportErrorKind};
use crate::{Error, ErrorKind};
use http::StatusCode;
use std::fmt;
use std::time::Duration;

/// The failure of an attempt.
pub(super) enum AttemptError {
    Answered { answer: Answer, retry_after: Option<Duration> },
    Failed(TransportError),
}

/// The reason why an upload ends after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum GivenUp {
    /// The retry policy allows no further attempt.
    ByPolicy(Failure),
    /// The retry budget is exhausted.
    OutOfBudget,
    /// The deadline of the upload, or the time at which the last attempt had to begin, passed during the attempt.
    AtDeadline,
}

impl AttemptError {
    /// Returns the part of this that determines whether there is another attempt.
    pub(super) fn result(&self) -> AttemptResult {
        match self {
            Self::Answered { answer, retry_after } => {
                AttemptResult::Answered { status: answer.status, retry_after: *retry_after }
            }
            Self::Failed(error) => AttemptResult::Failed(error.kind()),
        }
    }

    pub(super) fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Answered { answer, .. } => Some(answer.status),
            Self::Failed(_) => None,
        }
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Answered { retry_after, .. } => *retry_after,
            Self::Failed(_) => None,
        }
    }

    /// Whether the server may have accepted the request in spite of the failure.
    pub(super) fn may_have_been_sent(&self) -> bool {
        match self {
            Self::Answered { answer, .. } => {
                answer.status.is_server_error() || answer.status == StatusCode::REQUEST_TIMEOUT
            }
            Self::Failed(error) => error.kind().may_have_been_sent(),
        }
    }

    /// Converts the last attempt of an upload into the error of the upload.
    pub(super) fn into_upload_error(self, given_up: GivenUp, attempts_allowed: u32) -> Error {
        let why = match given_up {
            GivenUp::ByPolicy(Failure::Final) | GivenUp::AtDeadline => return self.into_error(),
            GivenUp::ByPolicy(Failure::RateLimited { retry_after }) => {
                let message = format!(
                    "mParticle's rate limit is exceeded (status 429), and it asks to wait for {:.1} s, longer than this \
                     upload may take",
                    retry_after.as_secs_f64()
                );
                let error = Error::new(ErrorKind::RateLimited, message);
                return self.explain(error.with_retry_after(Some(retry_after)));
            }
            GivenUp::ByPolicy(Failure::OutOfAttempts) if attempts_allowed <= 1 => {
                return self.into_error();
            }
            GivenUp::ByPolicy(Failure::OutOfAttempts) => "no attempts are left",
            GivenUp::ByPolicy(Failure::OutOfTime) => "the next attempt would be too late",
            GivenUp::OutOfBudget => "the retry budget of the client is exhausted",
        };
        let retry_after = self.retry_after();
        let message = format!("given up: the last attempt {self}, and {why}");
        let error = Error::new(ErrorKind::RetriesExhausted, message).with_retry_after(retry_after);
        self.explain(error)
    }

    /// Returns an error with this as its source.
    pub(super) fn explain(self, error: Error) -> Error {
        let last = self.into_error();
        error.with_answer_of(&last).with_source(last)
    }

    /// Converts this into the error of a single attempt.
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Answered { answer, retry_after } => status_error(answer, retry_after),
            Self::Failed(error) => {
                let transport = error.kind();
                let kind = match transport {
                    TransportErrorKind::Timeout => ErrorKind::Timeout,
                    _ => ErrorKind::Transport,
                };
                // The message already contains the text of the cause. The source is therefore the next cause.
                let shown = Error::new(kind, error.to_string()).with_source(error.into_source());
                if transport.is_retryable() { shown } else { shown.permanent() }
            }
        }
    }
}

/// Completes "the last attempt".
impl fmt::Display for AttemptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.result() {
            AttemptResult::Answered { status, .. } => {
                write!(f, "was answered with status {}", status.as_u16())
            }
            AttemptResult::Failed(TransportErrorKind::Connect) => f.write_str("made no connection"),
            AttemptResult::Failed(_) => f.write_str("got no answer"),
        }
    }
}

/// Returns the error for a response that does not accept the request.
pub(crate) fn status_error(answer: Answer, retry_after: Option<Duration>) -> Error {
    let status = answer.status;
    let (kind, what) = match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            (ErrorKind::Unauthorized, "mParticle did not accept the credentials")
        }
        StatusCode::TOO_MANY_REQUESTS => {
            (ErrorKind::RateLimited, "mParticle's rate limit is exceeded")
        }
        StatusCode::REQUEST_TIMEOUT => {
            (ErrorKind::Timeout, "mParticle did not receive the request in time")
        }
        _ if status.is_server_error() => {
            (ErrorKind::Server, "mParticle failed to process the request")
        }
        _ if status.is_redirection() => {
            (ErrorKind::Rejected, "the server sent a redirect, which is not followed")
        }
        _ => (ErrorKind::Rejected, "mParticle refused the request"),
    };
    let hint = if status.is_redirection() { "; check the base URL" } else { "" };
    let error = Error::new(kind, format!("{what} (status {}){hint}", status.as_u16()));
    let error = error.with_retry_after(retry_after).with_answer(answer);
    if is_retryable(status) { error } else { error.permanent() }
}

impl NotAdmitted {
    pub(super) fn into_error(self) -> Error {
        let seconds = |time: Duration| format!("{:.1} s", time.as_secs_f64());
        match self {
            Self::RateLimited { waited, retry_after } if waited.is_zero() => {
                let after = seconds(retry_after);
                let message = format!(
                    "mParticle's rate limit allows this request in {after}, which is longer than this upload may take"
                );
                Error::new(ErrorKind::RateLimited, message).with_retry_after(Some(retry_after))
            }
            Self::RateLimited { waited, retry_after } => {
                let waited = seconds(waited);
                let message = format!(
                    "waited {waited} for mParticle's rate limit, which did not allow this request in time"
                );
                let retry_after = Some(retry_after).filter(|time| !time.is_zero());
                Error::new(ErrorKind::RateLimited, message).with_retry_after(retry_after)
            }
            Self::NoPlace { waited, limit } => {
                let waited = seconds(waited);
                let message = format!(
                    "waited {waited} while {limit} other requests were in flight, as many as the client allows"
                );
                Error::new(ErrorKind::Timeout, message)
            }
        }
    }
}
