//! The error of this crate.

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

/// The error of a client or queue.
///
/// The [`kind`](Self::kind) says what happened, and [`ErrorKind`] describes what to do. If an upload fails after its
/// request was encoded, [`into_request`](Self::into_request) returns the request, which can be sent again.
///
/// # Display and Debug
///
/// `{}` writes one line: the message, the error codes that mParticle listed, the [`pointer`](Self::pointer), and for
/// some kinds a hint. `{:#}` appends the [sources](std::error::Error::source), each after a colon. `Debug` writes
/// the kind, the message, the pointer, the status, the number of attempts, the `source_request_id`s and the source.
///
/// Their output contains neither credentials nor the content of a batch. It does not contain the text of a response,
/// which may quote both. There are two exceptions: a pointer can contain the name of an attribute, and `Debug` writes
/// the `source_request_id`s that the caller has set.
///
/// # Examples
///
/// ```no_run
/// use mparticle_client::models::Batch;
/// use mparticle_client::{Client, EncodedRequest};
///
/// /// Uploads a batch. Returns the request if it can be sent again later.
/// async fn upload(client: &Client, batch: &Batch) -> Option<EncodedRequest> {
///     let error = client.upload_events(batch).await.err()?;
///     eprintln!("{error:#}");
///     if error.is_retryable() { error.into_request() } else { None }
/// }
/// ```
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
    request: Option<EncodedRequest>,
}

/// A response of the server.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The first 64 KiB of the body.
    pub(crate) body: Bytes,
}

/// The attempts of a failed upload.
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
            request: None,
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

    /// Copies the response of another error.
    pub(crate) fn with_answer_of(mut self, other: &Self) -> Self {
        self.0.answer.clone_from(&other.0.answer);
        self
    }

    pub(crate) fn with_retry_after(mut self, retry_after: Option<Duration>) -> Self {
        self.0.retry_after = retry_after;
        self
    }

    /// Marks the error as permanent, although other errors of its kind are retryable.
    pub(crate) fn permanent(mut self) -> Self {
        self.0.retryable = false;
        self
    }

    pub(crate) fn with_stats(mut self, stats: AttemptStats) -> Self {
        self.0.attempts = stats.attempts;
        self.0.elapsed = stats.elapsed;
        self.0.may_have_been_sent = stats.may_have_been_sent;
        self
    }

    pub(crate) fn stats(&self) -> AttemptStats {
        let Inner { attempts, elapsed, may_have_been_sent, .. } = *self.0;
        AttemptStats { attempts, elapsed, may_have_been_sent }
    }

    pub(crate) fn with_request(mut self, request: EncodedRequest) -> Self {
        self.0.source_request_ids = Some(request.shared_ids());
        self.0.request = Some(request);
        self
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns whether the same request may succeed later.
    ///
    /// The client has already retried the request as far as its [`RetryPolicy`](crate::RetryPolicy) allows.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Returns whether mParticle may have accepted the request in spite of the error.
    ///
    /// This is the case if an attempt was interrupted, if no response arrived in time, or if a response had status 408
    /// or a status of 500 or above. To send the data again without counting it twice, send the request that
    /// [`into_request`](Self::into_request) returns: it has the same ids.
    #[must_use]
    pub fn may_have_been_sent(&self) -> bool {
        self.0.may_have_been_sent
    }

    /// Returns how long to wait before the request is sent again, measured from the creation of the error.
    ///
    /// This is the `Retry-After` of the last response, or, for [`RateLimited`](ErrorKind::RateLimited), the time after
    /// which the client expects the rate limit to allow the request. Returns `None` if the time is not known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Returns the status of the last response, or `None` if the last attempt got no response.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.0.answer.as_ref().map(|answer| answer.status)
    }

    /// Returns the headers of the last response, or `None` if the last attempt got no response.
    #[must_use]
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.0.answer.as_ref().map(|answer| &answer.headers)
    }

    /// Returns the first 64 KiB of the body of the last response, or `None` if the last attempt got no response.
    ///
    /// The body can be empty. It may quote personal data and credentials.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        self.0.answer.as_ref().map(|answer| answer.body.as_ref())
    }

    /// Returns the errors that mParticle listed in the body of the last response.
    ///
    /// The list is empty if no response arrived, or if the body does not have the documented form. The messages may
    /// quote personal data.
    #[must_use]
    pub fn api_errors(&self) -> Vec<ApiError> {
        let body = self.body().unwrap_or_default();
        serde_json::from_slice::<ErrorResponse>(body)
            .map(|response| response.errors)
            .unwrap_or_default()
    }

    /// Returns the number of attempts to send the request, including attempts without a connection.
    ///
    /// If the number is zero, nothing was sent.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Returns the time from the call to the error, including all waits, or zero if the request could not be encoded.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed
    }

    /// Returns the `source_request_id` of each batch of the request, in order.
    ///
    /// The list is empty if the error has no [`request`](Self::request).
    #[must_use]
    pub fn source_request_ids(&self) -> &[String] {
        self.0.source_request_ids.as_deref().unwrap_or_default()
    }

    /// Returns the JSON pointer of the invalid data, if the error has one.
    ///
    /// In the error of a bulk request, the pointer starts with the index of the batch: `/3/events/0` is the first event
    /// of the fourth batch. The pointer can contain the name of an attribute.
    #[must_use]
    pub fn pointer(&self) -> Option<&str> {
        self.0.pointer.as_deref()
    }

    /// Returns the violations that [`Batch::validate`](crate::models::Batch::validate) found with
    /// [`Validation::Strict`](crate::Validation::Strict).
    ///
    /// In the error of a bulk request, the pointers start with the index of the batch.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.0.violations
    }

    /// Returns the encoded request, which [`Client::resend`](crate::Client::resend) sends again with the same ids and
    /// the same bytes.
    ///
    /// Returns `None` if no request was encoded: the configuration or the data was invalid, a queue did not accept the
    /// batch, or [`Client::upload_all`](crate::Client::upload_all) stopped before it sent the batch.
    ///
    /// The request of a [`FailedBatch`](crate::FailedBatch) can contain other batches, too. Use
    /// [`FailedBatch::into_batches`](crate::FailedBatch::into_batches) to get the batch that `upload_all` did not
    /// deliver.
    #[must_use]
    pub fn into_request(self) -> Option<EncodedRequest> {
        self.0.request
    }

    /// Returns a reference to the encoded request. See [`into_request`](Self::into_request).
    #[must_use]
    pub fn request(&self) -> Option<&EncodedRequest> {
        self.0.request.as_ref()
    }

    /// Whether mParticle refused the request with a status that one invalid batch can cause.
    pub(crate) fn may_be_due_to_batch(&self) -> bool {
        let status = self.status().unwrap_or_default();
        self.kind() == ErrorKind::Rejected
            && matches!(status, StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE)
    }

    /// Returns up to three codes of the listed errors. Any other text in the field of the code is ignored, because it
    /// may quote the request.
    fn codes(&self) -> Vec<String> {
        let is_code = |code: &String| {
            code.len() <= 40 && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        };
        let errors = self.api_errors();
        errors.into_iter().filter_map(|error| error.code).filter(is_code).take(3).collect()
    }
}

/// Writes the message in one line. The alternate form, `{:#}`, appends the sources.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        let codes = self.codes();
        if !codes.is_empty() {
            write!(f, ": {}", codes.join(", "))?;
        }
        if let Some(pointer) = &self.0.pointer {
            // A name in the pointer may contain line breaks.
            write!(f, " (at {})", pointer.escape_debug())?;
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

/// Writes only what is safe to log: no credentials, no content of batches and no text of a response.
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
