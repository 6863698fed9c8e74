//! A request that is ready to be sent, as often as it takes.

use crate::Endpoint;
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;

/// An encoded request that was not, or not surely, accepted.
///
/// Every batch in it has its `source_request_id`, so [`Client::resend`](crate::Client::resend) does not count twice
/// what mParticle may have taken at an earlier attempt. It is cheap to clone. `Debug` shows ids and sizes alone.
#[derive(Clone, PartialEq, Eq)]
pub struct EncodedRequest {
    endpoint: Endpoint,
    body: Bytes,
    source_request_ids: Arc<[String]>,
}

impl EncodedRequest {
    pub(crate) fn new(endpoint: Endpoint, body: Bytes, source_request_ids: Arc<[String]>) -> Self {
        Self { endpoint, body, source_request_ids }
    }

    /// Where it is to be sent.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// The JSON that is sent, byte for byte: a batch, or a list of them for the bulk endpoints.
    ///
    /// It holds personal data. [`Batch::from_slice`](crate::models::Batch::from_slice) and
    /// [`models::from_slice`](crate::models::from_slice) read it, ids included, so it may also be stored and uploaded
    /// by a later run of a program.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The `source_request_id` of each batch, in order.
    #[must_use]
    pub fn source_request_ids(&self) -> &[String] {
        &self.source_request_ids
    }

    pub(crate) fn shared_ids(&self) -> Arc<[String]> {
        Arc::clone(&self.source_request_ids)
    }
}

impl fmt::Debug for EncodedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodedRequest")
            .field("endpoint", &self.endpoint)
            .field("bytes", &self.body.len())
            .field("source_request_ids", &self.source_request_ids)
            .finish()
    }
}
