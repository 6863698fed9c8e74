//! From a batch of the source to its place in a chunk.

use super::ledger::{Item, Ledger};
use crate::Endpoint;
use crate::encoding::chunk::{Chunk, Packer};
use crate::encoding::users::{UserKey, keys};
use crate::encoding::{EncodedBatch, Encoder, MAX_BATCH_BYTES, source_request_id};
use crate::models::Batch;
use crate::order::Order;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

/// How long a chunk may fill while the source has nothing ready: long enough for the next page of a database or queue,
/// short enough not to be noticed.
const LINGER: Duration = Duration::from_millis(100);

/// A chunk that takes no more batches.
pub(super) struct Sealed {
    pub(super) chunk: Chunk,
    pub(super) items: Vec<Item>,
}

/// The chunk that is being filled.
pub(super) struct Intake {
    encoder: Encoder,
    endpoint: Endpoint,
    packer: Packer,
    items: Vec<Item>,
    users: Vec<UserKey>,
    since: Option<Instant>,
}

impl Intake {
    pub(super) fn new(encoder: Encoder, endpoint: Endpoint) -> Self {
        let (packer, items, users) = (Packer::default(), Vec::new(), Vec::new());
        Self { encoder, endpoint, packer, items, users, since: None }
    }

    /// Takes a batch in; chunks that are full wait for their turn.
    pub(super) fn take(
        &mut self,
        mut batch: Box<Batch>,
        now: SystemTime,
        waiting: &mut Order<Sealed>,
        ledger: &mut Ledger<'_>,
    ) {
        ledger.given();
        let id = source_request_id(&batch);
        // Given back, it is written again with the same bytes.
        batch.source_request_id = Some(id.clone());
        let users = keys(&batch);
        let encoded = match self.encoder.encode_for(self.endpoint, id.clone(), &batch, now) {
            Ok(encoded) if encoded.bytes.len() <= MAX_BATCH_BYTES => {
                return self.pack(encoded, Item::Whole(batch), &users, waiting);
            }
            Ok(encoded) => encoded,
            Err(error) => return ledger.fail(Item::Whole(batch), &id, &error),
        };
        // Its bytes are as many as its parts', which are made now.
        drop(encoded);
        match self.encoder.split(&id, &mut batch) {
            Ok(parts) => {
                let number = ledger.divide(id, batch, parts.len());
                for part in parts {
                    self.pack(part.encoded, Item::Part(number, part.events), &users, waiting);
                }
            }
            Err(error) => ledger.fail(Item::Whole(batch), &id, &error),
        }
    }

    /// When what is here has to go, even if the chunk is not full.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since.map(|since| since + LINGER)
    }

    /// Sends off what is here.
    pub(super) fn flush(&mut self, waiting: &mut Order<Sealed>) {
        if let Some(chunk) = self.packer.seal() {
            let items = std::mem::take(&mut self.items);
            let users = std::mem::take(&mut self.users);
            waiting.admit(users, Sealed { chunk, items });
        }
        self.since = None;
    }

    fn pack(
        &mut self,
        encoded: EncodedBatch,
        item: Item,
        users: &[UserKey],
        waiting: &mut Order<Sealed>,
    ) {
        if !self.packer.has_room_for(&encoded) {
            self.flush(waiting);
        }
        self.since.get_or_insert_with(Instant::now);
        self.packer.push(encoded);
        self.items.push(item);
        self.users.extend_from_slice(users);
    }
}
