//! An encoded request, which can be sent any number of times.

use crate::Endpoint;
use crate::encoding::BatchJson;
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;

/// An encoded request that mParticle did not accept, or may not have accepted.
///
/// [`Error::into_request`](crate::Error::into_request) returns it, and [`Client::resend`](crate::Client::resend) sends
/// it again. Each of its batches has a `source_request_id`. mParticle therefore counts a batch once, even if it
/// accepted an earlier attempt.
///
/// Cloning is cheap: clones share the body and the ids. `Debug` writes the endpoint, the size of the body and the ids.
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

    /// Returns a request to a bulk endpoint that contains one batch.
    pub(crate) fn of_one(endpoint: Endpoint, batch: &BatchJson) -> Self {
        let body = [b"[", &batch.bytes[..], b"]"].concat();
        Self::new(endpoint, body.into(), Arc::from([batch.source_request_id.clone()]))
    }

    /// Returns the endpoint to which the request is sent.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// Returns the body of the request: the JSON of a batch, or of a list of batches for the bulk endpoints.
    ///
    /// The body can be stored and uploaded by a later run of the program. Read it with
    /// [`Batch::from_slice`](crate::models::Batch::from_slice) or [`models::from_slice`](crate::models::from_slice).
    /// The batches keep their ids. The body contains personal data.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// Returns the `source_request_id` of each batch, in order.
    #[must_use]
    pub fn source_request_ids(&self) -> &[String] {
        &self.source_request_ids
    }

    pub(crate) fn shared_ids(&self) -> Arc<[String]> {
        Arc::clone(&self.source_request_ids)
    }
}

/// Writes ids and sizes, but not the body, which contains personal data.
impl fmt::Debug for EncodedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodedRequest")
            .field("endpoint", &self.endpoint)
            .field("bytes", &self.body.len())
            .field("source_request_ids", &self.source_request_ids)
            .finish()
    }
}
