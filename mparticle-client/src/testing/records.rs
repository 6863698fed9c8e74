//! The records that an emulator keeps of what it received.

use super::received::{ReceivedBatch, ReceivedRequest, UnprocessedBatch};
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, StatusCode};
use std::collections::HashMap;
use tokio::time::Instant;

/// Everything an emulator received, in the order of processing.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) requests: Vec<ReceivedRequest>,
    pub(super) accepted: Vec<ReceivedBatch>,
    pub(super) duplicates: Vec<ReceivedBatch>,
    pub(super) unprocessed: Vec<UnprocessedBatch>,
    /// The index in `accepted` of each id.
    index_by_id: HashMap<String, usize>,
}

impl Records {
    /// Records a request. Its `Authorization` header is marked as sensitive.
    pub(super) fn add_request(
        &mut self,
        request: Request<Bytes>,
        at: Instant,
        status: Option<StatusCode>,
    ) {
        let (mut head, body) = request.into_parts();
        if let Some(value) = head.headers.get_mut(AUTHORIZATION) {
            value.set_sensitive(true);
        }
        let path = head.uri.path().to_owned();
        let (method, headers) = (head.method, head.headers);
        self.requests.push(ReceivedRequest { at, method, path, headers, body, status });
    }

    /// Records a valid batch as accepted, or as a duplicate if its id has been accepted before.
    pub(super) fn add_batch(&mut self, batch: ReceivedBatch) {
        if let Some(id) = &batch.id {
            if self.index_by_id.contains_key(id) {
                self.duplicates.push(batch);
                return;
            }
            self.index_by_id.insert(id.clone(), self.accepted.len());
        }
        self.accepted.push(batch);
    }

    pub(super) fn accepted_with_id(&self, id: &str) -> Option<&ReceivedBatch> {
        self.index_by_id.get(id).and_then(|&index| self.accepted.get(index))
    }
}
