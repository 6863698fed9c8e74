//! Encodes a batch that is stored and sent later.

use super::event_time::set_event_times;
use super::users::keys;
use super::{BatchJson, Encoder, MAX_BATCH_BYTES, source_request_id};
use crate::models::Batch;
use crate::{EncodedBatch, Endpoint, Error};
use std::time::SystemTime;

impl Encoder {
    /// Encodes a batch of any size, as several batches if it is too large.
    ///
    /// The batch keeps the id and the timestamps of events that are added to it. If it is encoded again, the JSON is
    /// therefore the same.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Invalid`](crate::ErrorKind::Invalid): the batch cannot be serialized, or violates a rule with
    ///   [`Validation::Strict`](crate::Validation::Strict)
    /// - [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge): an event, or the batch without its events, is too large
    pub(crate) fn encode_to_store(
        &self,
        batch: &mut Batch,
        now: SystemTime,
    ) -> Result<Vec<EncodedBatch>, Error> {
        let id = source_request_id(batch);
        batch.source_request_id = Some(id.clone());
        set_event_times(batch, now.into());
        let user_keys = keys(batch);
        let encoded = |json| EncodedBatch::new(json, user_keys.clone(), now);
        Ok(self.whole_or_parts(&id, batch, now)?.into_iter().map(encoded).collect())
    }

    fn whole_or_parts(
        &self,
        id: &str,
        batch: &mut Batch,
        now: SystemTime,
    ) -> Result<Vec<BatchJson>, Error> {
        let whole = self.encode_for(Endpoint::BulkEvents, id.to_owned(), batch, now)?;
        if whole.bytes.len() <= MAX_BATCH_BYTES {
            return Ok(vec![whole]);
        }
        let parts = self.split(id, batch)?;
        Ok(parts.into_iter().map(|part| part.encoded).collect())
    }
}
