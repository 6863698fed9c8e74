//! Encodes batches as the bodies of requests.
//!
//! A batch is encoded once. The same bytes are measured, sent and sent again. A retry is therefore identical to the
//! first attempt, including the `source_request_id`, by which mParticle recognizes duplicates.

mod check;
mod document;
pub(crate) mod event_time;
pub(crate) mod historical;
#[cfg(feature = "data-plan")]
pub(crate) mod lint;
mod requests;
#[cfg(feature = "queue")]
pub(crate) mod sections;
pub(crate) mod split;
mod stored;
pub(crate) mod users;

#[cfg(test)]
mod tests;

use crate::models::{Batch, DataPlanContext, Environment};
use crate::{Endpoint, Error, Validation};
use bytes::Bytes;
use std::fmt;
use std::time::SystemTime;

/// The maximum size of a batch in bytes of JSON.
///
/// mParticle's documentation of the HTTP API allows 128 kb and does not define a kilobyte. 1,000 bytes is the smaller
/// of the two common definitions and is safe in either case.
pub(crate) const MAX_BATCH_BYTES: usize = 128_000;

/// The maximum size of the body of a request in bytes.
///
/// mParticle's documentation of the default service limits allows 256 kb. See [`MAX_BATCH_BYTES`] for the unit.
pub(crate) const MAX_REQUEST_BYTES: usize = 256_000;

/// The maximum number of batches in a bulk request, according to mParticle's documentation of the HTTP API.
pub(crate) const MAX_BATCHES: usize = 100;

/// The JSON of a batch and its id.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct BatchJson {
    pub(crate) source_request_id: String,
    pub(crate) bytes: Bytes,
}

/// Shows the id and the size. The JSON is personal data.
impl fmt::Debug for BatchJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchJson")
            .field("source_request_id", &self.source_request_id)
            .field("bytes", &self.bytes.len())
            .finish()
    }
}

/// Encodes batches with the settings of a client.
#[derive(Clone, Debug, Default)]
pub(crate) struct Encoder {
    /// The environment of batches without one.
    pub(crate) environment: Option<Environment>,
    /// The data plan of batches without one.
    pub(crate) data_plan: Option<DataPlanContext>,
    pub(crate) validation: Validation,
    /// The data plan that batches are compared with.
    #[cfg(feature = "data-plan")]
    pub(crate) linting: Option<lint::Linting>,
}

impl Encoder {
    /// Encodes a batch of any size. The given `source_request_id` replaces that of the batch.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Invalid`](crate::ErrorKind::Invalid): the batch cannot be serialized, violates a rule of the
    ///   endpoint, or violates a rule with [`Validation::Strict`]
    pub(crate) fn encode_for(
        &self,
        endpoint: Endpoint,
        source_request_id: String,
        batch: &Batch,
        now: SystemTime,
    ) -> Result<BatchJson, Error> {
        if endpoint == Endpoint::HistoricalBulkEvents {
            historical::check(batch, now)?;
        }
        self.check(&source_request_id, batch, now)?;
        let bytes = self.document(&source_request_id, batch)?;
        Ok(BatchJson { source_request_id, bytes: bytes.into() })
    }
}

/// Returns the `source_request_id` of a batch, or a new one if it is absent or blank.
///
/// A new id takes its randomness from the operating system. Two processes that were forked from one therefore never
/// generate the same id.
pub(crate) fn source_request_id(batch: &Batch) -> String {
    match &batch.source_request_id {
        Some(id) if !id.trim().is_empty() => id.clone(),
        _ => uuid::Uuid::new_v4().to_string(),
    }
}
