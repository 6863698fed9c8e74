//! From batches to the bytes of requests.
//!
//! A batch is encoded once. Those bytes are what is measured, sent and sent again, so a retry cannot differ from the
//! first attempt, least of all in its `source_request_id`, by which mParticle knows that it has seen the batch.

mod check;
pub(crate) mod chunk;
mod document;
mod event_time;
mod historical;
mod requests;
#[cfg(feature = "queue")]
pub(crate) mod sections;
pub(crate) mod split;
pub(crate) mod users;

#[cfg(test)]
mod tests;

use crate::models::{Batch, DataPlanContext, Environment};
use crate::{Endpoint, Error, Validation};
use bytes::Bytes;
use std::fmt;
use std::time::SystemTime;

/// The greatest size of a batch, in bytes of JSON.
///
/// The page on the HTTP API allows 128 kb and does not say how many bytes that is; a thousand to the kilobyte is the
/// reading that is safe either way.
pub(crate) const MAX_BATCH_BYTES: usize = 128_000;

/// The greatest size of a request's body, in bytes.
///
/// The page on default service limits allows 256 kb, read as [`MAX_BATCH_BYTES`] is.
pub(crate) const MAX_REQUEST_BYTES: usize = 256_000;

/// The greatest number of batches in a bulk request, from the page on the HTTP API.
pub(crate) const MAX_BATCHES: usize = 100;

/// A batch as it is sent.
#[derive(Clone)]
pub(crate) struct EncodedBatch {
    pub(crate) source_request_id: String,
    pub(crate) bytes: Bytes,
}

impl fmt::Debug for EncodedBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodedBatch")
            .field("source_request_id", &self.source_request_id)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// Encodes batches, with the settings of a client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Encoder {
    /// The environment of batches that name none.
    pub(crate) environment: Option<Environment>,
    /// The data plan of batches that name none.
    pub(crate) data_plan: Option<DataPlanContext>,
    pub(crate) validation: Validation,
}

impl Encoder {
    /// Encodes a batch of any size under a `source_request_id`, whatever the batch says, for an endpoint whose own rules it
    /// has to keep.
    pub(crate) fn encode_for(
        &self,
        endpoint: Endpoint,
        source_request_id: String,
        batch: &Batch,
        now: SystemTime,
    ) -> Result<EncodedBatch, Error> {
        if endpoint == Endpoint::HistoricalBulkEvents {
            historical::check(batch, now)?;
        }
        self.check(&source_request_id, batch, now)?;
        let bytes = self.document(&source_request_id, batch)?;
        Ok(EncodedBatch { source_request_id, bytes: bytes.into() })
    }
}

/// The batch's own `source_request_id`, or a new one where it is absent or blank.
///
/// A new one takes its randomness from the operating system, so two processes forked from one never share any.
pub(crate) fn source_request_id(batch: &Batch) -> String {
    match &batch.source_request_id {
        Some(id) if !id.trim().is_empty() => id.clone(),
        _ => uuid::Uuid::new_v4().to_string(),
    }
}
