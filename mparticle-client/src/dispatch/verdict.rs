//! What the error of a request means for its documents.

use crate::send::is_acceleration_limited;
use crate::{Error, ErrorKind};
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// One of the documents is at fault.
    BlamesDocument,
    /// The request may be sent again after this time, as soon as the rate limiter allows.
    RateLimited { wait: Duration },
    /// The same request may be accepted later.
    Retry,
    /// No document is at fault, and every other request would fail as well.
    Halt,
}

pub(super) fn verdict(error: &Error) -> Verdict {
    match error.kind() {
        _ if error.blames_the_data() => Verdict::BlamesDocument,
        // The rate limiter knows how long to wait, except for a limit that stops this request alone.
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
                400 | 413 => Verdict::BlamesDocument,
                501 | 505 => Verdict::Halt,
                408 | 500..=599 => Verdict::Retry,
                _ => Verdict::Halt,
            };
            assert_eq!(verdict(&status_error(answer, None)), expected, "{code}");
        }
    }

    #[test]
    fn a_429_waits_for_the_rate_limiter_or_for_its_own_time() {
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
    fn where_nothing_was_answered_the_kind_decides() {
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
