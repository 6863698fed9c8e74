//! The receipt of a request that mParticle accepted.

use http::{HeaderMap, StatusCode};
use std::sync::Arc;
use std::time::Duration;

/// The receipt of a request that mParticle accepted.
///
/// An accepted request is queued, but not yet processed. mParticle also answers with status 202 if it drops some
/// batches of the request later, or if it has already received a batch with the same `source_request_id`.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// `None` if the request was discarded.
    pub(crate) status: Option<StatusCode>,
    pub(crate) attempts: u32,
    pub(crate) elapsed: Duration,
    pub(crate) source_request_ids: Arc<[String]>,
    pub(crate) rate_limit_used: Option<f64>,
    pub(crate) headers: HeaderMap,
}

impl Receipt {
    /// Returns the receipt of a request that a disabled client discarded.
    pub(crate) fn discarded(source_request_ids: Arc<[String]>) -> Self {
        Self {
            status: None,
            attempts: 0,
            elapsed: Duration::ZERO,
            source_request_ids,
            rate_limit_used: None,
            headers: HeaderMap::new(),
        }
    }

    /// Returns whether the request was discarded because the client is [disabled](crate::ClientBuilder::disabled).
    #[must_use]
    pub fn is_discarded(&self) -> bool {
        self.status.is_none()
    }

    /// Returns the status of the response, or `None` if the request was discarded. mParticle documents status 202.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// Returns the number of attempts, including the successful one, or zero if the request was discarded.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns the time from the call to the response, including all waits.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Returns the `source_request_id` of each batch, in order. A batch without one was sent with a generated id.
    #[must_use]
    pub fn source_request_ids(&self) -> &[String] {
        &self.source_request_ids
    }

    /// Returns the percentage of the rate limit that is used, or `None` if the response does not contain it.
    ///
    /// mParticle sends the highest percentage of all speed and acceleration limits, except the limits per user, in the
    /// header `X-mp-rate-limit-percentage-used`. The value can exceed 100.
    #[must_use]
    pub fn rate_limit_percentage_used(&self) -> Option<f64> {
        self.rate_limit_used
    }

    /// Returns the headers of the response.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}
