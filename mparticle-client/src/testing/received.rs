//! What the emulator received.

use crate::Endpoint;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;
use std::collections::HashMap;
use std::fmt;
use tokio::time::Instant;

/// A request that the emulator received. `Debug` shows no header and no body.
#[derive(Clone)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// When the emulator processed it: half the [latency](super::EmulatorBuilder::latency) after its arrival.
    pub at: Instant,
    /// Its method.
    pub method: Method,
    /// Its path, `/v2/events` for instance.
    pub path: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, byte for byte; empty if the emulator was told not to read it.
    pub body: Bytes,
    /// The status that it was answered; `None` if there was no answer, or [raw bytes](super::Answer::raw).
    pub status: Option<StatusCode>,
}

/// A batch that the emulator received. `Debug` shows its id and size.
#[derive(Clone)]
#[non_exhaustive]
pub struct ReceivedBatch {
    /// Its `source_request_id`.
    pub id: Option<String>,
    /// Where it came in.
    pub endpoint: Endpoint,
    /// What it says.
    pub json: Value,
    /// What was sent, byte for byte.
    pub raw: Bytes,
}

/// A batch that was answered 202 and then dropped. `Debug` shows its id, its size and the reason.
#[derive(Clone)]
#[non_exhaustive]
pub struct UnprocessedBatch {
    /// Its `source_request_id`, if it could be read.
    pub id: Option<String>,
    /// Where it came in.
    pub endpoint: Endpoint,
    /// What was sent, byte for byte.
    pub raw: Bytes,
    /// Why it was dropped.
    pub reason: String,
}

/// All that was received, in order.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) requests: Vec<ReceivedRequest>,
    pub(super) accepted: Vec<ReceivedBatch>,
    pub(super) duplicates: Vec<ReceivedBatch>,
    pub(super) unprocessed: Vec<UnprocessedBatch>,
    /// The place in `accepted` of each id.
    places: HashMap<String, usize>,
}

impl Received {
    /// Takes a batch, unless its id was seen.
    pub(super) fn take(&mut self, batch: ReceivedBatch) {
        if let Some(id) = &batch.id {
            if self.places.contains_key(id) {
                self.duplicates.push(batch);
                return;
            }
            self.places.insert(id.clone(), self.accepted.len());
        }
        self.accepted.push(batch);
    }

    /// The batch that was accepted under an id.
    pub(super) fn accepted_as(&self, id: &str) -> Option<&ReceivedBatch> {
        self.places.get(id).and_then(|&place| self.accepted.get(place))
    }
}

impl fmt::Debug for ReceivedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedRequest")
            .field("at", &self.at)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("bytes", &self.body.len())
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ReceivedBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceivedBatch")
            .field("id", &self.id)
            .field("endpoint", &self.endpoint)
            .field("bytes", &self.raw.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for UnprocessedBatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnprocessedBatch")
            .field("id", &self.id)
            .field("endpoint", &self.endpoint)
            .field("bytes", &self.raw.len())
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}
