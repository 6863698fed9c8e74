//! The body of a response.

use bytes::Bytes;
use futures_core::Stream;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

type BoxError = Box<dyn Error + Send + Sync>;

/// The body of a response, which is a stream of chunks.
///
/// The client reads up to 64 KiB, which [`Error::body`](crate::Error::body) returns, for a limited time, and then drops
/// the body.
pub struct ResponseBody(Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>);

impl ResponseBody {
    /// Creates an empty body.
    #[must_use]
    pub fn empty() -> Self {
        Self::from_body(Empty::new())
    }

    /// Creates a body from a stream of chunks.
    pub fn from_stream<S, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        use futures_util::StreamExt;
        Self::from_body(StreamBody::new(stream.map(|chunk| chunk.map(Frame::data))))
    }

    pub(crate) fn from_body<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        Self(Box::pin(body.map_err(Into::into)))
    }
}

/// Yields the chunks of the body without its trailers, for transports that wrap another one.
impl Stream for ResponseBody {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let chunk = match ready!(self.0.as_mut().poll_frame(context)) {
                Some(Ok(frame)) => frame.into_data().ok().map(Ok),
                Some(Err(error)) => Some(Err(error)),
                None => return Poll::Ready(None),
            };
            if chunk.is_some() {
                return Poll::Ready(chunk);
            }
        }
    }
}

impl From<Bytes> for ResponseBody {
    fn from(bytes: Bytes) -> Self {
        Self::from_body(Full::new(bytes))
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ResponseBody")
    }
}
