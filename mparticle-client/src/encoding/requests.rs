//! The request for the batches of one call.

use super::{
    BatchJson, Encoder, MAX_BATCH_BYTES, MAX_BATCHES, MAX_REQUEST_BYTES, source_request_id,
};
use crate::models::Batch;
use crate::{EncodedRequest, Endpoint, Error, ErrorKind};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::SystemTime;

impl Encoder {
    /// Returns the request for one batch.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Invalid`]: the batch cannot be serialized, or violates a rule with
    ///   [`Validation::Strict`](crate::Validation::Strict)
    /// - [`ErrorKind::TooLarge`]: the batch is larger than [`MAX_BATCH_BYTES`]
    pub(crate) fn single(&self, batch: &Batch, now: SystemTime) -> Result<EncodedRequest, Error> {
        let encoded = self.encode_bounded(batch, Endpoint::Events, now)?;
        let ids = Arc::from([encoded.source_request_id]);
        Ok(EncodedRequest::new(Endpoint::Events, encoded.bytes, ids))
    }

    /// Returns the request for a list of batches.
    ///
    /// # Errors
    ///
    /// - [`ErrorKind::Invalid`]: the list is empty, two batches have the same `source_request_id`, or a batch is invalid
    ///   as in [`single`](Self::single) or by the rules of the endpoint
    /// - [`ErrorKind::TooLarge`]: there are more than [`MAX_BATCHES`] batches, or a batch or the body is too large
    pub(crate) fn bulk(
        &self,
        batches: &[Batch],
        endpoint: Endpoint,
        now: SystemTime,
    ) -> Result<EncodedRequest, Error> {
        check_count(batches.len())?;
        check_ids(batches)?;
        let mut body = vec![b'['];
        let mut ids = Vec::with_capacity(batches.len());
        for (index, batch) in batches.iter().enumerate() {
            let encoded = self
                .encode_bounded(batch, endpoint, now)
                .map_err(|error| at_index(index, error))?;
            if index > 0 {
                body.push(b',');
            }
            body.extend_from_slice(&encoded.bytes);
            ids.push(encoded.source_request_id);
        }
        body.push(b']');
        if body.len() > MAX_REQUEST_BYTES {
            let size = body.len();
            let message = format!("the request has {size} bytes, more than {MAX_REQUEST_BYTES}");
            return Err(Error::new(ErrorKind::TooLarge, message));
        }
        Ok(EncodedRequest::new(endpoint, body.into(), ids.into()))
    }

    /// Encodes a batch whose size must not exceed [`MAX_BATCH_BYTES`].
    fn encode_bounded(
        &self,
        batch: &Batch,
        endpoint: Endpoint,
        now: SystemTime,
    ) -> Result<BatchJson, Error> {
        let encoded = self.encode_for(endpoint, source_request_id(batch), batch, now)?;
        match encoded.bytes.len() {
            ..=MAX_BATCH_BYTES => Ok(encoded),
            size => Err(too_large(size)),
        }
    }
}

fn check_count(count: usize) -> Result<(), Error> {
    match count {
        0 => Err(Error::new(ErrorKind::Invalid, "the request has no batches")),
        1..=MAX_BATCHES => Ok(()),
        _ => {
            let message = format!("the request has {count} batches, more than {MAX_BATCHES}");
            Err(Error::new(ErrorKind::TooLarge, message))
        }
    }
}

/// Checks that no two batches have the same `source_request_id`. mParticle would drop the second batch as a duplicate.
fn check_ids(batches: &[Batch]) -> Result<(), Error> {
    let mut seen = HashMap::new();
    for (index, batch) in batches.iter().enumerate() {
        let Some(id) = batch.source_request_id.as_deref().filter(|id| !id.trim().is_empty()) else {
            continue;
        };
        if let Some(earlier) = seen.insert(id, index) {
            let message = format!(
                "the source_request_id is the same as that of batch {earlier} of the request"
            );
            let pointer = format!("/{index}/source_request_id");
            return Err(Error::new(ErrorKind::Invalid, message).with_pointer(pointer));
        }
    }
    Ok(())
}

fn too_large(size: usize) -> Error {
    let message = format!("the batch has {size} bytes, more than {MAX_BATCH_BYTES}");
    Error::new(ErrorKind::TooLarge, message)
}

/// Prepends the index of a batch in the list to the pointers of its error.
fn at_index(index: usize, error: Error) -> Error {
    let pointer = format!("/{index}{}", error.pointer().unwrap_or_default());
    let mut violations = error.violations().to_vec();
    for violation in &mut violations {
        violation.pointer = format!("/{index}{}", violation.pointer);
    }
    error.with_pointer(pointer).with_violations(violations)
}
