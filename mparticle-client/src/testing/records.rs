//! The records that an emulator keeps of what it received.

use super::received::{ReceivedBatch, ReceivedRequest, UnprocessedBatch};
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, StatusCode};
use std::collections::{HashMap, VecDeque};
use tokio::time::Instant;

/// What an emulator received, in the order of processing.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) requests: Latest<ReceivedRequest>,
    pub(super) accepted: Latest<ReceivedBatch>,
    pub(super) duplicates: Latest<ReceivedBatch>,
    pub(super) unprocessed: Latest<UnprocessedBatch>,
    /// The accepted batch with each id.
    accepted_by_id: HashMap<String, Bytes>,
}

/// The latest elements, up to a number.
#[derive(Debug)]
pub(super) struct Latest<T> {
    elements: VecDeque<T>,
    max: usize,
}

impl Records {
    /// Creates records of at most `max` requests, and of at most `max` batches of each kind.
    pub(super) fn new(max: usize) -> Self {
        Self {
            requests: Latest::new(max),
            accepted: Latest::new(max),
            duplicates: Latest::new(max),
            unprocessed: Latest::new(max),
            accepted_by_id: HashMap::new(),
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.requests.max);
    }

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
            if self.accepted_by_id.contains_key(id) {
                self.duplicates.push(batch);
                return;
            }
            self.accepted_by_id.insert(id.clone(), batch.raw.clone());
        }
        if let Some(id) = self.accepted.push(batch).and_then(|discarded| discarded.id) {
            self.accepted_by_id.remove(&id);
        }
    }

    pub(super) fn add_unprocessed(&mut self, batches: Vec<UnprocessedBatch>) {
        for batch in batches {
            self.unprocessed.push(batch);
        }
    }

    /// Returns the bytes of the accepted batch with an id.
    pub(super) fn accepted_with_id(&self, id: &str) -> Option<&Bytes> {
        self.accepted_by_id.get(id)
    }
}

impl<T> Latest<T> {
    fn new(max: usize) -> Self {
        Self { elements: VecDeque::new(), max }
    }

    /// Adds an element. Returns the oldest one if there are too many.
    fn push(&mut self, element: T) -> Option<T> {
        self.elements.push_back(element);
        if self.elements.len() > self.max { self.elements.pop_front() } else { None }
    }

    pub(super) fn len(&self) -> usize {
        self.elements.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.elements.iter()
    }
}

impl<T: Clone> Latest<T> {
    pub(super) fn to_vec(&self) -> Vec<T> {
        self.elements.iter().cloned().collect()
    }
}
