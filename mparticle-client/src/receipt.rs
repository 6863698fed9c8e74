//! What mParticle said when it accepted a request.

use http::{HeaderMap, StatusCode};
use std::sync::Arc;
use std::time::Duration;

/// The answer to a request that mParticle accepted.
///
/// Accepted means queued, not processed: mParticle answers 202 to a bulk request even when it drops some of its batches
/// later, and to a batch whose `source_request_id` it knows already.
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
    /// The receipt of a request that a disabled client has discarded.
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

    /// Whether the request was discarded because the client is [disabled](crate::ClientBuilder::disabled).
    #[must_use]
    pub fn is_discarded(&self) -> bool {
        self.status.is_none()
    }

    /// The status of the response, 202 as mParticle documents. `None` if the request was discarded.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// How many attempts it took.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How long it took from the call to the response, waiting included.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The `source_request_id` of each batch, in order; those that had none got one.
    #[must_use]
    pub fn source_request_ids(&self) -> &[String] {
        &self.source_request_ids
    }

    /// How much of the rate limit is used, in percent: the greatest of all speed and acceleration limits but those per
    /// user, as `X-mp-rate-limit-percentage-used` tells. It may be more than 100.
    #[must_use]
    pub fn rate_limit_percentage_used(&self) -> Option<f64> {
        self.rate_limit_used
    }

    /// The headers of the response.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}
