//! Scripted answers and faults.

use bytes::Bytes;
use http::header::{LOCATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use std::time::Duration;

/// A scripted answer to a request, or a fault in place of an answer.
///
/// A constructor selects the kind of answer, and further methods refine it. Pass the answer to
/// [`Emulator::script`](super::Emulator::script) or [`Emulator::always`](super::Emulator::always).
///
/// Delayed, dripping and endless answers use Tokio's timer. Paused time skips their waits, and they need a Tokio
/// runtime even in memory.
///
/// # Examples
/// ```
/// use mparticle_client::testing::Answer;
/// use std::time::Duration;
///
/// let rate_limited = Answer::status(429).retry_after(2);
/// // The emulator accepts the batches, but the client gets no answer.
/// let lost_answer = Answer::reset().after_processing();
/// let invalid_json = Answer::status(400).body("{\"errors\":[");
/// let slow = Answer::normal().delayed(Duration::from_secs(3));
/// let incomplete = Answer::status(503).body("sorry").truncated();
/// ```
#[derive(Clone, Debug)]
pub struct Answer {
    pub(super) kind: AnswerKind,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Option<Bytes>,
    pub(super) body_mode: BodyMode,
    pub(super) delay: Duration,
    /// Whether batches are accepted although the kind of answer would not accept them.
    after_processing: bool,
    /// Why this answer cannot be sent.
    pub(super) script_error: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) enum AnswerKind {
    Normal,
    Status(StatusCode),
    Raw(Bytes),
    Hang,
    Close,
    Reset,
    ResetAtHead,
}

/// How the body of an answer is sent.
#[derive(Clone, Copy, Debug)]
pub(super) enum BodyMode {
    Complete,
    /// `Content-Length` exceeds what is sent, and the connection is then closed.
    Truncated,
    /// `Content-Length` exceeds what is sent, and the connection is then reset.
    Reset,
    /// One byte at a time, after a wait of this length.
    Dripping(Duration),
    Endless,
}

impl BodyMode {
    /// Returns the mode for a body whose `Content-Length` a script has set: it may exceed the body.
    pub(super) fn or_truncated(self) -> Self {
        if matches!(self, Self::Complete) { Self::Truncated } else { self }
    }
}

impl Answer {
    /// Answers as without a script: with status 202, or with the status that describes the error in the request.
    #[must_use]
    pub fn normal() -> Self {
        Self::new(AnswerKind::Normal)
    }

    /// Answers with a status, regardless of the request.
    ///
    /// The emulator accepts the batches of the request if the status is a 2xx, and otherwise only with
    /// [`after_processing`](Self::after_processing).
    ///
    /// If `status` is not between 200 and 999, the emulator answers 500 with a body that explains the error.
    #[must_use]
    pub fn status(status: u16) -> Self {
        match StatusCode::from_u16(status) {
            Ok(code) if status >= 200 => Self::new(AnswerKind::Status(code)),
            _ => Self::normal().with_script_error(format!(
                "the scripted status {status} is not one of 200 to 999"
            )),
        }
    }

    /// Answers 307 with a `Location` header.
    #[must_use]
    pub fn redirect(location: &str) -> Self {
        Self::status(307).header(LOCATION.as_str(), location)
    }

    /// Never answers, and keeps the connection open.
    #[must_use]
    pub fn hang() -> Self {
        Self::new(AnswerKind::Hang)
    }

    /// Reads the request and closes the connection without an answer.
    #[must_use]
    pub fn close() -> Self {
        Self::new(AnswerKind::Close)
    }

    /// Reads the request and resets the connection without an answer.
    #[must_use]
    pub fn reset() -> Self {
        Self::new(AnswerKind::Reset)
    }

    /// Resets the connection once the head of the request has arrived, without reading its body.
    #[must_use]
    pub fn reset_at_head() -> Self {
        Self::new(AnswerKind::ResetAtHead)
    }

    /// Sends these bytes instead of an HTTP response, and closes the connection.
    ///
    /// In memory, where no client parses the bytes, the request fails as if the connection had been closed.
    #[must_use]
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self::new(AnswerKind::Raw(bytes.into()))
    }

    /// Adds a `Retry-After` header in seconds.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.with_header(RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Adds a header. It replaces a header of the same name that the emulator would set itself. If a header is added
    /// more than once, all values are sent.
    ///
    /// If the name or the value is invalid in HTTP, the emulator answers 500 with a body that explains the error.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => self.with_header(name, value),
            _ => self.with_script_error(format!(
                "the scripted header `{name}` has a name or a value that is invalid in HTTP"
            )),
        }
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// Delays the answer, but not the processing of the request.
    #[must_use]
    pub fn delayed(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Makes the emulator accept the batches of the request as if there were no script.
    ///
    /// This has no effect on [`reset_at_head`](Self::reset_at_head), which does not read the batches.
    #[must_use]
    pub fn after_processing(mut self) -> Self {
        self.after_processing = true;
        self
    }

    /// Makes `Content-Length` 1,000 bytes greater than the body, and closes the connection after the body.
    #[must_use]
    pub fn truncated(mut self) -> Self {
        self.body_mode = BodyMode::Truncated;
        self
    }

    /// Makes `Content-Length` 1,000 bytes greater than the body, and resets the connection after the body.
    #[must_use]
    pub fn reset_in_body(mut self) -> Self {
        self.body_mode = BodyMode::Reset;
        self
    }

    /// Sends the body one byte at a time, and waits for `interval` before each byte.
    #[must_use]
    pub fn dripping(mut self, interval: Duration) -> Self {
        self.body_mode = BodyMode::Dripping(interval);
        self
    }

    /// Sends spaces after the body, 16 KiB every millisecond, until the client closes the connection.
    #[must_use]
    pub fn endless(mut self) -> Self {
        self.body_mode = BodyMode::Endless;
        self
    }

    /// Returns whether the request is checked and its batches are accepted.
    pub(super) fn processes_request(&self) -> bool {
        match self.kind {
            _ if self.script_error.is_some() => false,
            AnswerKind::Normal => true,
            AnswerKind::Status(status) if status.is_success() => true,
            AnswerKind::ResetAtHead => false,
            _ => self.after_processing,
        }
    }

    /// Returns whether the body of the request is read.
    pub(super) fn reads_body(&self) -> bool {
        !matches!(self.kind, AnswerKind::ResetAtHead)
    }

    fn new(kind: AnswerKind) -> Self {
        Self {
            kind,
            headers: Vec::new(),
            body: None,
            body_mode: BodyMode::Complete,
            delay: Duration::ZERO,
            after_processing: false,
            script_error: None,
        }
    }

    fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Keeps the first error.
    fn with_script_error(mut self, error: String) -> Self {
        self.script_error.get_or_insert(error);
        self
    }
}
