//! Why an upload failed, and what is left to do.

mod causes;
mod kind;

pub(crate) use causes::Causes;
pub use kind::ErrorKind;

use crate::EncodedRequest;
use crate::models::{ApiError, ErrorResponse, Violation};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// Why an upload failed.
///
/// [`kind`](Self::kind) tells what happened and what to do. What was encoded is not lost:
/// [`into_request`](Self::into_request) gives it back. Neither `Display` nor `Debug` shows a secret, a batch or what the
/// server wrote, which may quote either.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    kind: ErrorKind,
    message: String,
    pointer: Option<String>,
    source: Option<Cause>,
    violations: Vec<Violation>,
    answer: Option<Answer>,
    retry_after: Option<Duration>,
    retryable: bool,
    may_have_been_sent: bool,
    attempts: u32,
    elapsed: Duration,
    source_request_ids: Option<Arc<[String]>>,
    unsent: Option<EncodedRequest>,
}

/// What the server answered.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The beginning of the body.
    pub(crate) body: Bytes,
}

/// How an upload went before it failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttemptStats {
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    pub(crate) may_have_been_sent: bool,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: message.into(),
            pointer: None,
            source: None,
            violations: Vec::new(),
            answer: None,
            retry_after: None,
            retryable: kind.is_retryable(),
            may_have_been_sent: false,
            attempts: 0,
            elapsed: Duration::ZERO,
            source_request_ids: None,
            unsent: None,
        }))
    }

    pub(crate) fn with_pointer(mut self, pointer: impl Into<String>) -> Self {
        self.0.pointer = Some(pointer.into());
        self
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    pub(crate) fn with_violations(mut self, violations: Vec<Violation>) -> Self {
        self.0.violations = violations;
        self
    }

    pub(crate) fn with_answer(mut self, answer: Answer) -> Self {
        self.0.answer = Some(answer);
        self
    }

    /// Takes over the response that another error is about.
    pub(crate) fn with_answer_of(mut self, other: &Self) -> Self {
        self.0.answer.clone_from(&other.0.answer);
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.0.retry_after = retry_after;
        self
    }

    /// Says that sending the same again would fail again, though others of this kind may pass.
    pub(crate) fn permanent(mut self) -> Self {
        self.0.retryable = false;
        self
    }

    pub(crate) fn with_stats(mut self, course: AttemptStats) -> Self {
        self.0.attempts = course.attempts;
        self.0.elapsed = course.elapsed;
        self.0.may_have_been_sent = course.may_have_been_sent;
        self
    }

    pub(crate) fn stats(&self) -> AttemptStats {
        let Inner { attempts, elapsed, may_have_been_sent, .. } = *self.0;
        AttemptStats { attempts, elapsed, may_have_been_sent }
    }

    pub(crate) fn with_request(mut self, unsent: EncodedRequest) -> Self {
        self.0.source_request_ids = Some(unsent.shared_ids());
        self.0.unsent = Some(unsent);
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether sending the same again, later, may succeed.
    ///
    /// The client has tried already, as often as its [`RetryPolicy`](crate::RetryPolicy) allows.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Whether mParticle may have accepted the request in spite of the failure.
    ///
    /// If so, only a request with the same ids avoids counting twice: that of [`into_request`](Self::into_request).
    #[must_use]
    pub fn may_have_been_sent(&self) -> bool {
        self.0.may_have_been_sent
    }

    /// How long mParticle asked to wait, counted from when the error was made.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The status of the last response, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.answer.as_ref().map(|answer| answer.status)
    }

    /// The headers of the last response, if there was one.
    #[must_use]
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.0.answer.as_ref().map(|answer| &answer.headers)
    }

    /// The beginning of the body of the last response, 64 KiB at most. It may be empty, and may quote what was sent.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        self.0.answer.as_ref().map(|answer| answer.body.as_ref())
    }

    /// The errors that mParticle listed; empty when the body of the response has another shape.
    #[must_use]
    pub fn api_errors(&self) -> Vec<ApiError> {
        let body = self.body().unwrap_or_default();
        serde_json::from_slice::<ErrorResponse>(body)
            .map(|response| response.errors)
            .unwrap_or_default()
    }

    /// How many times the request was sent, or begun to be sent. Zero: it never left.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// How long it took from the call to the failure.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// The `source_request_id` of each batch of the request; empty when it was not encoded.
    #[must_use]
    pub fn source_request_ids(&self) -> &[String] {
        self.0.source_request_ids.as_deref().unwrap_or_default()
    }

    /// Where in the data the mistake is, as a JSON pointer: `/3/events/0` is the first event of the fourth batch.
    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        self.0.pointer.as_deref()
    }

    /// What [`Batch::validate`](crate::models::Batch::validate) found, with
    /// [`Validation::Strict`](crate::Validation::Strict). In a bulk request the pointers begin with the batch's place.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }

    /// The encoded request, to be sent again with [`Client::resend`](crate::Client::resend), same ids and same bytes.
    #[must_use]
    pub fn into_request(self) -> Option<EncodedRequest> {
        self.0.unsent
    }

    /// The encoded request; see [`into_request`](Self::into_request).
    #[must_use]
    pub fn request(&self) -> Option<&EncodedRequest> {
        self.0.unsent.as_ref()
    }

    /// Whether mParticle refused the whole request for what may be the fault of one batch.
    pub(crate) fn blames_the_data(&self) -> bool {
        let status = self.status().unwrap_or_default();
        self.kind() == ErrorKind::Rejected
            && matches!(status, StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE)
    }

    /// The codes of the listed errors, if they look like codes.
    fn codes(&self) -> Vec<String> {
        let looks_like_a_code = |code: &String| {
            code.len() <= 40 && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        };
        let errors = self.api_errors();
        errors
            .into_iter()
            .filter_map(|error| error.code)
            .filter(looks_like_a_code)
            .take(3)
            .collect()
    }
}

/// One line. The alternate form, `{:#}`, goes on with the causes.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        let codes = self.codes();
        if !codes.is_empty() {
            write!(f, ", {}", codes.join(", "))?;
        }
        if let Some(pointer) = &self.0.pointer {
            write!(f, " (at {pointer})")?;
        }
        if let Some(hint) = self.0.kind.hint() {
            write!(f, "; {hint}")?;
        }
        if f.alternate() {
            write!(f, "{}", Causes(self))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, message, pointer, source, retry_after, .. } = &*self.0;
        let mut shown = f.debug_struct("Error");
        shown.field("kind", kind).field("message", message);
        if let Some(pointer) = pointer {
            shown.field("pointer", pointer);
        }
        if let Some(status) = self.status() {
            shown.field("status", &status.as_u16());
        }
        if let Some(retry_after) = retry_after {
            shown.field("retry_after", retry_after);
        }
        shown
            .field("attempts", &self.attempts())
            .field("may_have_been_sent", &self.may_have_been_sent())
            .field("source_request_ids", &self.source_request_ids());
        if let Some(source) = source {
            shown.field("source", source);
        }
        shown.finish_non_exhaustive()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0
            .source
            .as_ref()
            .map(|source| -> &(dyn std::error::Error + 'static) { source.as_ref() })
    }
}
