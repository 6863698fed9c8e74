//! Packs encoded batches into the bodies of bulk requests, greedily and in order.

use super::{EncodedBatch, MAX_BATCHES, MAX_REQUEST_BYTES};
use bytes::Bytes;
use std::ops::Range;
use std::sync::Arc;

/// The body of a bulk request, and the position of each batch in it.
pub(crate) struct Chunk {
    body: Bytes,
    places: Vec<Range<usize>>,
    ids: Arc<[String]>,
}

impl Chunk {
    /// Returns the number of batches.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// Returns the `source_request_id` of each batch.
    pub(crate) fn ids(&self) -> &[String] {
        &self.ids
    }

    /// Returns the body and the ids of a request with some of the batches. Each batch has the same bytes as in the whole
    /// body.
    pub(crate) fn part(&self, batches: Range<usize>) -> Option<(Bytes, Arc<[String]>)> {
        if batches == (0..self.len()) {
            return Some((self.body.clone(), Arc::clone(&self.ids)));
        }
        let places = self.places.get(batches.clone())?;
        let between = places.first()?.start..places.last()?.end;
        let body = [b"[", self.body.get(between)?, b"]"].concat();
        Some((body.into(), self.ids.get(batches)?.into()))
    }
}

/// Packs batches into chunks. No batch may be larger than [`MAX_BATCH_BYTES`](super::MAX_BATCH_BYTES).
#[derive(Default)]
pub(crate) struct Packer {
    /// The body without its closing bracket. Each batch follows a bracket or a comma.
    body: Vec<u8>,
    places: Vec<Range<usize>>,
    ids: Vec<String>,
}

impl Packer {
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether a batch fits into the current chunk.
    pub(crate) fn has_room_for(&self, batch: &EncodedBatch) -> bool {
        // A bracket or a comma precedes each batch, and a bracket follows the last one.
        let size = self.body.len() + 1 + batch.bytes.len() + 1;
        self.is_empty() || (self.places.len() < MAX_BATCHES && size <= MAX_REQUEST_BYTES)
    }

    /// Adds a batch that fits into the current chunk.
    pub(crate) fn push(&mut self, batch: EncodedBatch) {
        self.body.push(if self.is_empty() { b'[' } else { b',' });
        let start = self.body.len();
        self.body.extend_from_slice(&batch.bytes);
        self.places.push(start..self.body.len());
        self.ids.push(batch.source_request_id);
    }

    /// Completes the current chunk and returns it, or `None` if it is empty.
    pub(crate) fn seal(&mut self) -> Option<Chunk> {
        if self.is_empty() {
            return None;
        }
        // The next chunk is likely to be of the same size.
        let next = Vec::with_capacity(self.body.len() + 1);
        let mut body = std::mem::replace(&mut self.body, next);
        body.push(b']');
        let places = std::mem::take(&mut self.places);
        let ids = std::mem::take(&mut self.ids).into();
        Some(Chunk { body: body.into(), places, ids })
    }
}
