//! The reply to a request: the scripted answer, merged with the normal one.

use super::answer::{Answer, AnswerKind, BodyMode};
use bytes::Bytes;
use futures_core::Stream;
use futures_util::stream::{self, BoxStream, StreamExt};
use http::header::CONTENT_LENGTH;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use std::fmt;
use std::time::Duration;

/// An action and the time to wait before it.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) delay: Duration,
    pub(super) action: Action,
}

#[derive(Debug)]
pub(super) enum Action {
    Respond(Response<ReplyBody>),
    /// Ends the connection without a response.
    Disconnect(Disconnect),
    Hang,
}

/// How a connection ends.
#[derive(Debug)]
pub(super) enum Disconnect {
    Close,
    Reset,
    /// Closes the connection after these bytes.
    SendRaw(Bytes),
}

/// A body and its transmission mode.
#[derive(Debug)]
pub(super) struct ReplyBody {
    bytes: Bytes,
    mode: BodyMode,
}

/// The error that ends a body before its `Content-Length`.
#[derive(Debug)]
pub(super) struct BodyAborted;

/// The number of bytes by which the `Content-Length` of an aborted body exceeds the body.
const MISSING_BYTES: usize = 1000;

/// The chunk that an endless body repeats.
static SPACES: [u8; 16 * 1024] = [b' '; 16 * 1024];

impl Reply {
    /// Merges a scripted answer with the normal response, which is `None` if the request was not processed.
    pub(super) fn new(answer: Answer, normal: Option<Response<Bytes>>) -> Self {
        let Answer { kind, headers, body, body_mode, delay, script_error, .. } = answer;
        if let Some(error) = script_error {
            let response = status_response(StatusCode::INTERNAL_SERVER_ERROR, error.into());
            return Self::immediate(response);
        }
        let response = match kind {
            AnswerKind::Normal => normal.unwrap_or_default(),
            AnswerKind::Status(status) => status_response(status, Bytes::new()),
            AnswerKind::Hang => return Self { delay, action: Action::Hang },
            AnswerKind::Close => return Self::disconnect(delay, Disconnect::Close),
            AnswerKind::Raw(bytes) => return Self::disconnect(delay, Disconnect::SendRaw(bytes)),
            AnswerKind::Reset | AnswerKind::ResetAtHead => {
                return Self::disconnect(delay, Disconnect::Reset);
            }
        };
        let response = match body {
            Some(body) => response.map(|_| body),
            None => response,
        };
        Self { delay, action: Action::Respond(with_headers(response, headers, body_mode)) }
    }

    /// Sends a response without a delay.
    pub(super) fn immediate(response: Response<Bytes>) -> Self {
        let response = with_headers(response, Vec::new(), BodyMode::Complete);
        Self { delay: Duration::ZERO, action: Action::Respond(response) }
    }

    fn disconnect(delay: Duration, disconnect: Disconnect) -> Self {
        Self { delay, action: Action::Disconnect(disconnect) }
    }

    /// Returns the status that is sent, or `None` if the connection ends or hangs without one.
    pub(super) fn status(&self) -> Option<StatusCode> {
        match &self.action {
            Action::Respond(response) => Some(response.status()),
            Action::Disconnect(_) | Action::Hang => None,
        }
    }
}

impl Action {
    /// Answers a request whose body is too large to be read.
    pub(super) fn payload_too_large() -> Self {
        Reply::immediate(status_response(StatusCode::PAYLOAD_TOO_LARGE, Bytes::new())).action
    }
}

impl ReplyBody {
    /// Returns how the connection ends if the body is aborted.
    pub(super) fn disconnect(&self) -> Disconnect {
        match self.mode {
            BodyMode::Reset => Disconnect::Reset,
            _ => Disconnect::Close,
        }
    }

    /// Returns the body, chunk by chunk.
    pub(super) fn into_stream(self) -> BoxStream<'static, Result<Bytes, BodyAborted>> {
        let bytes = self.bytes;
        match self.mode {
            BodyMode::Complete => complete(bytes).boxed(),
            BodyMode::Truncated | BodyMode::Reset => {
                complete(bytes).chain(stream::once(abort())).boxed()
            }
            BodyMode::Dripping(interval) => drip(bytes, interval).boxed(),
            BodyMode::Endless => complete(bytes).chain(spaces()).boxed(),
        }
    }
}

fn status_response(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

/// Sets `Content-Length` and the scripted headers, which take precedence.
fn with_headers(
    mut response: Response<Bytes>,
    scripted: Vec<(HeaderName, HeaderValue)>,
    mut mode: BodyMode,
) -> Response<ReplyBody> {
    let length = response.body().len();
    let headers = response.headers_mut();
    let content_length = match mode {
        BodyMode::Complete | BodyMode::Dripping(_) => Some(length),
        BodyMode::Truncated | BodyMode::Reset => Some(length + MISSING_BYTES),
        BodyMode::Endless => None,
    };
    if let Some(length) = content_length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    for (name, _) in &scripted {
        headers.remove(name);
        if name == CONTENT_LENGTH {
            mode = mode.or_truncated();
        }
    }
    for (name, value) in scripted {
        headers.append(name, value);
    }
    response.map(|bytes| ReplyBody { bytes, mode })
}

fn complete(bytes: Bytes) -> impl Stream<Item = Result<Bytes, BodyAborted>> + Send {
    stream::iter((!bytes.is_empty()).then_some(Ok(bytes)))
}

/// Fails after a yield, in which the server can flush the earlier chunks.
async fn abort() -> Result<Bytes, BodyAborted> {
    tokio::task::yield_now().await;
    Err(BodyAborted)
}

fn drip(bytes: Bytes, interval: Duration) -> impl Stream<Item = Result<Bytes, BodyAborted>> + Send {
    stream::unfold(bytes, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        tokio::time::sleep(interval).await;
        Some((Ok(rest.split_to(1)), rest))
    })
}

/// Waits between chunks, because paused time advances only while all tasks wait.
fn spaces() -> impl Stream<Item = Result<Bytes, BodyAborted>> + Send {
    stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Some((Ok(Bytes::from_static(&SPACES)), ()))
    })
}

impl fmt::Display for BodyAborted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the emulator aborted the body, as scripted")
    }
}

impl std::error::Error for BodyAborted {}
