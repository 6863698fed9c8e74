//! Encoded batches packed into the bodies of bulk requests, greedily and in order.

use super::{EncodedBatch, MAX_BATCHES, MAX_REQUEST_BYTES};
use bytes::Bytes;
use std::ops::Range;
use std::sync::Arc;

/// The body of a bulk request, and where each batch stands in it.
pub(crate) struct Chunk {
    body: Bytes,
    places: Vec<Range<usize>>,
    ids: Arc<[String]>,
}

impl Chunk {
    /// How many batches it holds.
    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    /// The `source_request_id` of each batch.
    pub(crate) fn ids(&self) -> &[String] {
        &self.ids
    }

    /// The body and the ids of a request with some of the batches, the same bytes as in the whole.
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

/// Packs batches, none of which is larger than [`MAX_BATCH_BYTES`](super::MAX_BATCH_BYTES), into chunks.
#[derive(Default)]
pub(crate) struct Packer {
    /// The body without its last bracket; every batch comes after a bracket or a comma.
    body: Vec<u8>,
    places: Vec<Range<usize>>,
    ids: Vec<String>,
}

impl Packer {
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Whether a batch fits into the chunk that is being filled.
    pub(crate) fn has_room_for(&self, batch: &EncodedBatch) -> bool {
        // Before every batch stands a bracket or a comma, after the last one a bracket.
        let size = self.body.len() + 1 + batch.bytes.len() + 1;
        self.is_empty() || (self.places.len() < MAX_BATCHES && size <= MAX_REQUEST_BYTES)
    }

    /// Adds a batch for which there is room.
    pub(crate) fn push(&mut self, batch: EncodedBatch) {
        self.body.push(if self.is_empty() { b'[' } else { b',' });
        let start = self.body.len();
        self.body.extend_from_slice(&batch.bytes);
        self.places.push(start..self.body.len());
        self.ids.push(batch.source_request_id);
    }

    /// What was packed since the last time; nothing if there is nothing.
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
