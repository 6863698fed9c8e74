//! Encodes a batch during the call of `send`.

use super::ids::Ids;
use super::pending_batch::Content;
use crate::Error;
use crate::encoding::event_time::{clear_event_times, set_event_times};
use crate::encoding::{BatchJson, Encoder, MAX_BATCH_BYTES};
use crate::models::Batch;
use std::time::SystemTime;

/// A batch that was encoded and has not been accepted yet.
pub(super) struct Prepared {
    pub(super) source_request_id: String,
    pub(super) content: Content,
    pub(super) accepted: SystemTime,
}

/// Encodes a batch. The batch is changed during the call and has its original content afterwards.
///
/// # Errors
///
/// - [`Invalid`](crate::ErrorKind::Invalid): the batch cannot be serialized, or violates a rule
/// - [`TooLarge`](crate::ErrorKind::TooLarge): one of its events, or the batch without events, is too large
pub(super) fn prepare(
    encoder: &Encoder,
    batch: &mut Batch,
    ids: &Ids,
    now: SystemTime,
    sets_event_times: bool,
) -> Result<Prepared, Error> {
    let own_id = batch.source_request_id.clone().filter(|id| !id.trim().is_empty());
    let is_joinable = own_id.is_none();
    let source_request_id = own_id.unwrap_or_else(|| ids.next());
    let set = if sets_event_times { set_event_times(batch, now.into()) } else { Vec::new() };
    let content = encode(encoder, batch, &source_request_id, is_joinable, now);
    clear_event_times(batch, &set);
    Ok(Prepared { content: content?, source_request_id, accepted: now })
}

fn encode(
    encoder: &Encoder,
    batch: &mut Batch,
    id: &str,
    is_joinable: bool,
    now: SystemTime,
) -> Result<Content, Error> {
    let sections = encoder.sections(id, batch, now)?;
    if sections.bytes.len() > MAX_BATCH_BYTES {
        let parts = encoder.split(id, batch)?;
        return Ok(Content::Split(parts.into_iter().map(|part| part.encoded).collect()));
    }
    if is_joinable {
        return Ok(Content::Joinable(sections));
    }
    let source_request_id = id.to_owned();
    let bytes = sections.bytes.into_boxed_slice().into();
    Ok(Content::Whole(BatchJson { source_request_id, bytes }))
}
