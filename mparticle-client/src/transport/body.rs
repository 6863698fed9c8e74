//! The body of a response, which is read in pieces.

use bytes::Bytes;
use futures_core::Stream;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use std::error::Error;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

type Cause = Box<dyn Error + Send + Sync>;

/// The body of a response as it arrives.
///
/// The client reads no more of it than it shows in errors, and not for longer than a bounded time; then it drops it.
pub struct ResponseBody(Pin<Box<dyn Body<Data = Bytes, Error = Cause> + Send>>);

impl ResponseBody {
    /// No body.
    #[must_use]
    pub fn empty() -> Self {
        Self::from_body(Empty::new())
    }

    /// A body whose pieces come from a stream.
    pub fn from_stream<S, E>(stream: S) -> Self
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Cause> + 'static,
    {
        use futures_util::StreamExt;
        Self::from_body(StreamBody::new(stream.map(|piece| piece.map(Frame::data))))
    }

    pub(crate) fn from_body<B>(body: B) -> Self
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Cause>,
    {
        Self(Box::pin(body.map_err(Into::into)))
    }
}

/// The pieces of the body, for transports that wrap another one. Trailers are left out.
impl Stream for ResponseBody {
    type Item = Result<Bytes, Cause>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let piece = match ready!(self.0.as_mut().poll_frame(context)) {
                Some(Ok(frame)) => frame.into_data().ok().map(Ok),
                Some(Err(error)) => Some(Err(error)),
                None => return Poll::Ready(None),
            };
            if piece.is_some() {
                return Poll::Ready(piece);
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
