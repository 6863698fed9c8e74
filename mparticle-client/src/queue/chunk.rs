//! Packs encoded batches into the bodies of bulk requests, greedily and in order.

use crate::encoding::{EncodedBatch, MAX_BATCHES, MAX_REQUEST_BYTES};
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

#[cfg(test)]
mod tests {
    use super::{Chunk, Packer};
    use crate::encoding::{EncodedBatch, MAX_BATCH_BYTES, MAX_BATCHES, MAX_REQUEST_BYTES};
    use bytes::Bytes;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn chunks_hold_the_batches_in_order_within_the_limits(
            sizes in prop::collection::vec(prop_oneof![2_usize..300, 100_000_usize..=MAX_BATCH_BYTES], 0..400),
        ) {
            let batches: Vec<String> = sizes.iter().map(|size| "7".repeat(*size)).collect();
            let chunks = pack(&batches);
            let ids = |chunk: &Chunk| chunk.part(0..chunk.len()).unwrap().1.to_vec();
            let ids: Vec<String> = chunks.iter().flat_map(ids).collect();
            let expected: Vec<String> = (0..batches.len()).map(|index| index.to_string()).collect();
            prop_assert_eq!(ids, expected);
            let mut packed = Vec::new();
            for chunk in &chunks {
                prop_assert!(chunk.len() <= MAX_BATCHES);
                let (body, _) = chunk.part(0..chunk.len()).unwrap();
                prop_assert!(body.len() <= MAX_REQUEST_BYTES);
                packed.extend(items(&body));
                for middle in 1..chunk.len() {
                    let halves = [0..middle, middle..chunk.len()].map(|half| chunk.part(half).unwrap());
                    prop_assert_eq!([items(&halves[0].0), items(&halves[1].0)].concat(), items(&body));
                    prop_assert_eq!([&*halves[0].1, &*halves[1].1].concat(), chunk.part(0..chunk.len()).unwrap().1.to_vec());
                }
            }
            prop_assert_eq!(&packed, &batches);
            // Greedy: the first batch of a chunk did not fit into the chunk before it.
            for pair in chunks.windows(2) {
                let (body, first) = (pair[0].part(0..pair[0].len()).unwrap().0, &items(&pair[1].part(0..1).unwrap().0)[0]);
                prop_assert!(pair[0].len() == MAX_BATCHES || body.len() + 1 + first.len() > MAX_REQUEST_BYTES);
            }
        }
    }

    fn pack(batches: &[String]) -> Vec<Chunk> {
        let mut packer = Packer::default();
        let mut chunks = Vec::new();
        for (index, batch) in batches.iter().enumerate() {
            let bytes = Bytes::from(batch.clone());
            let encoded = EncodedBatch { source_request_id: index.to_string(), bytes };
            if !packer.has_room_for(&encoded) {
                chunks.extend(packer.seal());
            }
            packer.push(encoded);
        }
        chunks.extend(packer.seal());
        assert!(packer.seal().is_none());
        chunks
    }

    /// Returns the items of a JSON array of numbers.
    fn items(body: &Bytes) -> Vec<String> {
        let text = std::str::from_utf8(body).unwrap();
        let inside = text.strip_prefix('[').unwrap().strip_suffix(']').unwrap();
        inside.split(',').map(str::to_owned).collect()
    }
}
