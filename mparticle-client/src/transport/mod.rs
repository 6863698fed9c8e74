//! What carries a request to the server and its answer back.
//!
//! The client brings its own, HTTPS by `reqwest`. Another one can be given to
//! [`ClientBuilder::transport`](crate::ClientBuilder::transport): to send through an HTTP stack that a program has
//! already, to add a signature, or to answer in memory in a test.

mod body;
mod error;
pub(crate) mod https;
pub(crate) mod tls;

pub use body::ResponseBody;
pub use error::{TransportError, TransportErrorKind};

use bytes::Bytes;
use http::{Request, Response};
use std::fmt::Debug;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

/// What [`Transport::send`] returns.
pub type SendFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Response<ResponseBody>, TransportError>> + Send + 'a>>;

/// Sends one HTTP request, once.
///
/// The future resolves when the head of the response has arrived; the body may follow later. It is dropped when an
/// attempt takes too long, and has to cancel the request then. A transport neither retries nor follows redirects, and
/// it does not log the `authorization` header, which is marked as sensitive.
pub trait Transport: Debug + Send + Sync + 'static {
    /// Sends a request whose URI is absolute.
    ///
    /// # Errors
    /// A [`TransportError`] whose kind says whether the request may have reached the server.
    fn send(&self, request: Request<Bytes>) -> SendFuture<'_>;

    /// The same transport with connections of its own, for use in another Tokio runtime.
    ///
    /// A queue sends from a runtime of its own. Connections that are tasks of the caller's runtime would end with it,
    /// so a transport that keeps any says here how to make new ones. `None`, as unless implemented: the queue uses this
    /// one.
    fn for_another_runtime(&self) -> Option<Arc<dyn Transport>> {
        None
    }
}
