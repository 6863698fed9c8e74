//! The requests and batches that an emulator received.

use crate::Endpoint;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;
use std::fmt;
use tokio::time::Instant;

/// A request that an emulator received.
///
/// `Debug` omits headers and body, which contain credentials and personal data.
#[derive(Clone)]
#[non_exhaustive]
pub struct ReceivedRequest {
    /// When the emulator processed the request: half the [latency](super::EmulatorBuilder::latency) after its arrival.
    pub at: Instant,
    /// The method.
    pub method: Method,
    /// The path, for example `/v2/events`.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, byte for byte. It is empty if a [scripted answer](super::Answer::reset_at_head) left it unread.
    pub body: Bytes,
    /// The status of the answer, or `None` if no HTTP response was sent.
    pub status: Option<StatusCode>,
}

/// A batch that an emulator received.
///
/// `Debug` shows id, endpoint and size, but no contents.
#[derive(Clone)]
#[non_exhaustive]
pub struct ReceivedBatch {
    /// The `source_request_id`.
    pub id: Option<String>,
    /// The endpoint that received it.
    pub endpoint: Endpoint,
    /// The parsed batch.
    pub json: Value,
    /// The batch as it was sent, byte for byte.
    pub raw: Bytes,
}

/// A batch that an emulator answered with 202, but did not accept.
///
/// `Debug` shows id, endpoint, size and reason, but no contents.
#[derive(Clone)]
#[non_exhaustive]
pub struct UnprocessedBatch {
    /// The `source_request_id`, if the batch is JSON and has one.
    pub id: Option<String>,
    /// The endpoint that received it.
    pub endpoint: Endpoint,
    /// The batch as it was sent, byte for byte.
    pub raw: Bytes,
    /// The reason why the batch was not accepted.
    pub reason: String,
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
