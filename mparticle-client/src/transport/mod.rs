//! The interface between the client and an HTTP stack.
//!
//! The built-in transport sends over HTTPS with `reqwest`. Pass another one to
//! [`ClientBuilder::transport`](crate::ClientBuilder::transport) to use an HTTP stack that a program already has, to
//! sign requests, or to answer them in memory in tests.

mod body;
mod error;
pub(crate) mod https;
pub(crate) mod proxy;
pub(crate) mod tls;

pub use body::ResponseBody;
pub use error::{TransportError, TransportErrorKind};

use bytes::Bytes;
use http::{Request, Response};
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// The future that [`Transport::send`] returns.
pub type SendFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, TransportError>> + Send + 'a>>;

/// Sends HTTP requests, each of them once.
///
/// A transport does not retry and does not follow redirects. It does not log the `authorization` header, which is
/// marked as sensitive.
pub trait Transport: Debug + Send + Sync + 'static {
    /// Sends a request whose URI is absolute.
    ///
    /// The future resolves when the head of the response has arrived. The body may arrive later. The client drops the
    /// future if an attempt takes too long. Dropping it has to cancel the request.
    ///
    /// # Errors
    /// Returns a [`TransportError`] if no response arrives. Its kind says whether the request may have reached the
    /// server.
    fn send(&self, request: Request<Bytes>) -> SendFuture<'_>;

    /// Returns a copy of this transport with its own connections, for use in another Tokio runtime.
    ///
    /// A queue sends from its own runtime. A transport whose connections are tasks of the caller's runtime should
    /// return a copy, because these connections end with that runtime. The default implementation returns `None`: the
    /// queue then uses this transport.
    fn for_another_runtime(&self) -> Option<Arc<dyn Transport>> {
        None
    }
}

/// The transport of a disabled client, which sends nothing.
#[derive(Debug)]
pub(crate) struct NoTransport;

impl Transport for NoTransport {
    fn send(&self, _request: Request<Bytes>) -> SendFuture<'_> {
        let error = TransportError::new(TransportErrorKind::Unsendable, "the client is disabled");
        Box::pin(std::future::ready(Err(error)))
    }
}
