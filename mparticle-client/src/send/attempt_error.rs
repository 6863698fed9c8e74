//! From what went wrong to an error that says so.

use super::retry::{Failure, Outcome};
use crate::error::Answer;
use crate::transport::{TransportError, TransportErrorKind};
use crate::{Error, ErrorKind};
use http::StatusCode;
use std::time::Duration;

/// How an attempt ended that was not accepted.
pub(crate) enum AttemptError {
    Answered { answer: Answer, retry_after: Option<Duration> },
    Failed(TransportError),
}

/// Why an upload was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GivenUp {
    /// By the rules of a single request.
    ByPolicy(Failure),
    /// All uploads together had too many repetitions.
    OutOfBudget,
    /// The time for the whole upload ended during the last attempt.
    AtDeadline,
}

impl AttemptError {
    /// What the retry decision has to know of it.
    pub(crate) fn outcome(&self) -> Outcome {
        match self {
            Self::Answered { answer, retry_after } => {
                Outcome::Answered { status: answer.status, retry_after: *retry_after }
            }
            Self::Failed(error) => Outcome::Failed(error.kind()),
        }
    }

    /// How long the server wants to be left alone.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Answered { retry_after, .. } => *retry_after,
            Self::Failed(_) => None,
        }
    }

    /// Whether the server may have taken the request nevertheless.
    pub(crate) fn may_have_been_sent(&self) -> bool {
        match self {
            Self::Answered { answer, .. } => {
                answer.status.is_server_error() || answer.status == StatusCode::REQUEST_TIMEOUT
            }
            Self::Failed(error) => error.kind().may_have_been_sent(),
        }
    }

    pub(crate) fn into_error(self, given_up: GivenUp, attempts_allowed: u32) -> Error {
        let why = match given_up {
            GivenUp::ByPolicy(Failure::Final) => return self.into_last_error().permanent(),
            GivenUp::ByPolicy(Failure::RateLimited { retry_after }) => {
                return self.explain(rate_limited(retry_after));
            }
            GivenUp::AtDeadline => return self.into_last_error(),
            GivenUp::ByPolicy(Failure::OutOfAttempts) if attempts_allowed <= 1 => {
                return self.into_last_error();
            }
            GivenUp::ByPolicy(Failure::OutOfAttempts) => "no attempt is left",
            GivenUp::ByPolicy(Failure::OutOfTime) => "the next attempt would be too late",
            GivenUp::OutOfBudget => "too many uploads are being repeated",
        };
        let (last, retry_after) = match self.outcome() {
            Outcome::Answered { status, retry_after } => {
                (format!("answered with status {}", status.as_u16()), retry_after)
            }
            Outcome::Failed(TransportErrorKind::Connect) => ("made no connection".to_owned(), None),
            Outcome::Failed(_) => ("got no answer".to_owned(), None),
        };
        let message = format!("given up: the last attempt {last}, and {why}");
        let error = Error::new(ErrorKind::RetriesExhausted, message).with_retry_after(retry_after);
        self.explain(error)
    }

    /// Makes this the cause of an error.
    pub(crate) fn explain(self, error: Error) -> Error {
        let last = self.into_last_error();
        error.with_answer_of(&last).with_source(last)
    }

    /// The error of the last attempt alone.
    fn into_last_error(self) -> Error {
        match self {
            Self::Answered { answer, retry_after } => {
                let status = answer.status;
                let error = match status {
                    StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                        let message = format!(
                            "mParticle did not accept the credentials (status {})",
                            status.as_u16()
                        );
                        Error::new(ErrorKind::Unauthorized, message)
                    }
                    StatusCode::TOO_MANY_REQUESTS => Error::new(
                        ErrorKind::RateLimited,
                        "mParticle's rate limit is exceeded (status 429)",
                    ),
                    StatusCode::REQUEST_TIMEOUT => {
                        answered(ErrorKind::Timeout, "waited too long for the request", status)
                    }
                    _ if status.is_server_error() => answered(ErrorKind::Server, "failed", status),
                    _ if status.is_redirection() => {
                        let what = "sent a redirect, which is not followed: check the base URL,";
                        answered(ErrorKind::Rejected, what, status)
                    }
                    _ => answered(ErrorKind::Rejected, "refused the request", status),
                };
                error.with_retry_after(retry_after).with_answer(answer)
            }
            Self::Failed(error) => {
                let kind = match error.kind() {
                    TransportErrorKind::Timeout => ErrorKind::Timeout,
                    _ => ErrorKind::Transport,
                };
                let message = error.to_string();
                // What the cause says, but not once more what the message says.
                Error::new(kind, message).with_source(error.into_source())
            }
        }
    }
}

/// The gate, or mParticle's last answer, lets nothing pass in the time there is. Zero: when it would, depends on the
/// answers to requests that went ahead.
pub(crate) fn rate_limited(retry_after: Duration) -> Error {
    if retry_after.is_zero() {
        let message = "mParticle's rate limit lets few requests pass, and the time for this one ended in the line";
        return Error::new(ErrorKind::RateLimited, message);
    }
    let message = format!(
        "mParticle's rate limit allows no request for {:.1} s, which is longer than this upload may take",
        retry_after.as_secs_f64()
    );
    Error::new(ErrorKind::RateLimited, message).with_retry_after(Some(retry_after))
}

fn answered(kind: ErrorKind, what: &str, status: StatusCode) -> Error {
    Error::new(kind, format!("mParticle {what} (status {})", status.as_u16()))
}
