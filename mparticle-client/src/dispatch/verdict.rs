//! Interprets the error of a request.

use crate::send::is_acceleration_limited;
use crate::{Error, ErrorKind};
use std::time::Duration;

/// The meaning of an error for the documents of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// One of the documents is malformed.
    MalformedDocument,
    /// The request may be sent again after this time, as soon as the rate limiter allows.
    RateLimited { wait: Duration },
    /// The same request may be accepted later.
    Retry,
    /// The reason is outside the documents. Every other request would fail, too.
    Halt,
}

pub(super) fn verdict(error: &Error) -> Verdict {
    match error.kind() {
        _ if error.may_be_due_to_batch() => Verdict::MalformedDocument,
        // The rate limiter determines the wait, except for a limit that concerns only this request.
        ErrorKind::RateLimited if error.headers().is_some_and(is_acceleration_limited) => {
            Verdict::RateLimited { wait: error.retry_after().unwrap_or_default() }
        }
        ErrorKind::RateLimited => Verdict::RateLimited { wait: Duration::ZERO },
        _ if error.is_retryable() => Verdict::Retry,
        _ => Verdict::Halt,
    }
}

#[cfg(test)]
mod tests {
    use super::{Verdict, verdict};
    use crate::error::Answer;
    use crate::send::status_error;
    use crate::{Error, ErrorKind};
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};
    use std::time::Duration;

    #[test]
    fn each_status_has_its_verdict() {
        for code in (300..=599).filter(|code| *code != 429) {
            let status = StatusCode::from_u16(code).unwrap();
            let answer = Answer { status, headers: HeaderMap::new(), body: Bytes::new() };
            let expected = match code {
                400 | 413 => Verdict::MalformedDocument,
                501 | 505 => Verdict::Halt,
                408 | 500..=599 => Verdict::Retry,
                _ => Verdict::Halt,
            };
            assert_eq!(verdict(&status_error(answer, None)), expected, "{code}");
        }
    }

    #[test]
    fn a_429_waits_for_the_rate_limiter_or_for_its_retry_after() {
        let wait = Some(Duration::from_secs(9));
        for (header, expected) in [("feed", 0), ("acceleration", 9)] {
            let mut headers = HeaderMap::new();
            headers.insert("x-mp-rate-limit-exceeded", header.parse().unwrap());
            let status = StatusCode::TOO_MANY_REQUESTS;
            let answer = Answer { status, headers, body: Bytes::new() };
            let expected = Verdict::RateLimited { wait: Duration::from_secs(expected) };
            assert_eq!(verdict(&status_error(answer, wait)), expected, "{header}");
        }
    }

    #[test]
    fn without_a_response_the_kind_determines_the_verdict() {
        for (kind, expected) in [
            (ErrorKind::Transport, Verdict::Retry),
            (ErrorKind::Timeout, Verdict::Retry),
            (ErrorKind::Closed, Verdict::Halt),
            (ErrorKind::Config, Verdict::Halt),
        ] {
            assert_eq!(verdict(&Error::new(kind, "")), expected, "{kind:?}");
        }
        let untrusted = Error::new(ErrorKind::Transport, "").permanent();
        assert_eq!(verdict(&untrusted), Verdict::Halt);
    }
}
