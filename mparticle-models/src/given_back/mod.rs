//! Batches that mParticle gave back: exports, and batches that a data plan blocked.
//!
//! mParticle adds fields to a batch that it forwards or quarantines. If such a batch is sent again as it is, mParticle
//! drops it, because it knows the ids, or counts events twice that it had accepted.

mod block_metadata;
mod replay;

pub use replay::{BlockedEventAttributes, KeepBlocked, ReplayError, ReplayedBatch};

use crate::{Batch, Event};

/// Fields that mParticle adds to a batch that it forwards, and that no request may contain.
const OUTBOUND_FIELDS: [&str; 4] =
    ["message_id", "message_type", "unique_id", "system_notifications"];

impl Batch {
    /// Whether mParticle has assigned an id to the batch or to one of its events, as in an export.
    ///
    /// If such a batch is sent under its old `source_request_id`, mParticle may drop it as a duplicate. If it is sent under
    /// a new one, its events are counted again.
    #[must_use]
    pub fn is_export(&self) -> bool {
        let is_identified = |event: &Event| match event {
            Event::Unknown { data, .. } => data.get("event_id").is_some(),
            known => known.common().is_some_and(|common| common.event_id.is_some()),
        };
        self.batch_id.is_some() || self.events.iter().any(is_identified)
    }

    /// Removes what mParticle has added to the batch: ids, the time of receipt, the source, and the fields of exports.
    ///
    /// `source_request_id` is removed as well. The events, their times and the user stay.
    #[must_use]
    pub fn without_received_fields(mut self) -> Self {
        self.batch_id = None;
        self.source_request_id = None;
        self.timestamp_unixtime_ms = None;
        self.source_info = None;
        self.schema_version = None;
        self.origin_mpid = None;
        self.modified = None;
        for field in OUTBOUND_FIELDS {
            self.extra.remove(field);
        }
        self.events.iter_mut().for_each(remove_event_id);
        self
    }
}

fn remove_event_id(event: &mut Event) {
    match event {
        Event::Unknown { data, .. } => {
            data.as_object_mut().and_then(|data| data.remove("event_id"));
        }
        known => known.common_mut().into_iter().for_each(|common| common.event_id = None),
    }
}
