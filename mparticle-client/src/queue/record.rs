//! A parcel as the spool keeps it: a line of JSON that describes it, then its documents.

use super::parcel::{Member, Parcel};
use super::shared::Shared;
use super::ticket::{Tally, Ticket};
use crate::encoding::EncodedBatch;
use crate::encoding::users::keys;
use crate::models::Batch;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The line that describes the documents after it.
#[derive(Serialize, Deserialize)]
struct Header {
    /// When the first of the batches was accepted, in milliseconds since 1970.
    accepted: u64,
    documents: Vec<DocumentHeader>,
    members: Vec<MemberHeader>,
    common: Range<usize>,
}

#[derive(Serialize, Deserialize)]
struct DocumentHeader {
    id: String,
    bytes: usize,
}

#[derive(Serialize, Deserialize)]
struct MemberHeader {
    id: String,
    bytes: usize,
    events: Range<usize>,
    /// The number under which the batch alone is kept if the parcel is taken apart.
    record: Option<u64>,
}

/// The record of a parcel.
pub(super) fn encode(parcel: &Parcel) -> Vec<u8> {
    let members = parcel.members.iter().map(|member| MemberHeader {
        id: member.ticket.source_request_id().to_owned(),
        bytes: member.ticket.bytes(),
        events: member.events.clone(),
        record: member.record,
    });
    let (members, common) = (members.collect(), parcel.common.clone());
    write(parcel.accepted, members, &parcel.documents, common)
}

/// The record of a batch alone.
pub(super) fn encode_alone(
    ticket: &Ticket,
    accepted: SystemTime,
    documents: &[EncodedBatch],
) -> Vec<u8> {
    let id = ticket.source_request_id().to_owned();
    let member = MemberHeader { id, bytes: ticket.bytes(), events: 0..0, record: None };
    write(accepted, vec![member], documents, 0..0)
}

fn write(
    accepted: SystemTime,
    members: Vec<MemberHeader>,
    documents: &[EncodedBatch],
    common: Range<usize>,
) -> Vec<u8> {
    let accepted = accepted.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let accepted = u64::try_from(accepted).unwrap_or(u64::MAX);
    let headers = documents.iter().map(|document| DocumentHeader {
        id: document.source_request_id.clone(),
        bytes: document.bytes.len(),
    });
    let header = Header { accepted, documents: headers.collect(), members, common };
    // Strings and numbers can always be written.
    let mut record = serde_json::to_vec(&header).unwrap_or_default();
    record.push(b'\n');
    for document in documents {
        record.extend_from_slice(&document.bytes);
    }
    record
}

/// The parcel of a record, with a share of the room for each of its batches; `None` if it is none of ours.
pub(super) fn decode(number: u64, record: Vec<u8>, shared: &Arc<Shared>) -> Option<Parcel> {
    let end = record.iter().position(|byte| *byte == b'\n')?;
    let header: Header = serde_json::from_slice(record.get(..end)?).ok()?;
    let record = Bytes::from(record);
    let mut start = end + 1;
    let mut documents = Vec::new();
    for DocumentHeader { id, bytes } in header.documents {
        let end = start.checked_add(bytes).filter(|end| *end <= record.len())?;
        documents.push(EncodedBatch { source_request_id: id, bytes: record.slice(start..end) });
        start = end;
    }
    if documents.is_empty() || header.members.is_empty() || start != record.len() {
        return None;
    }
    // The batches of one parcel have one user. What cannot be read has none, and need not wait for others.
    let batch = documents.first().and_then(|document| Batch::from_slice(&document.bytes).ok());
    let users = batch.map(|batch| keys(&batch)).unwrap_or_default();
    let accepted = UNIX_EPOCH.checked_add(Duration::from_millis(header.accepted))?;
    let members = header.members.into_iter().map(|member| {
        let permit = shared.room.force(member.bytes);
        let tally: Arc<dyn Tally> = shared.clone();
        let mut ticket = Ticket::new(tally, member.id, permit, None);
        ticket.set_durable();
        shared.recover(&mut ticket);
        Member { ticket, events: member.events, record: member.record }
    });
    let members = members.collect();
    Some(Parcel::new(members, documents, header.common, accepted, users, Some(number)))
}
