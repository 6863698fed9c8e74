//! The leave to send one request, and what came of it.

use super::RateLimiter;
use super::state::Permit;
use crate::send::headers::Limit;
use tokio::time::Instant;

/// The leave to send one request.
///
/// The gate is told how it went by one of the methods. Dropping it means that the upload was cancelled: the gate is then
/// as if the request had never come, and if others wait for its answer, the next of them goes instead.
#[derive(Debug)]
#[must_use]
pub(crate) struct Pass {
    gate: RateLimiter,
    /// There until it is settled.
    permit: Option<Permit>,
}

impl Pass {
    pub(super) fn new(gate: RateLimiter, permit: Permit) -> Self {
        Self { gate, permit: Some(permit) }
    }

    /// The request was accepted; `used` is the percentage of the rate limit that the answer names.
    pub(crate) fn accepted(mut self, used: Option<f64>) {
        if let Some(permit) = self.permit.take() {
            let now = Instant::now();
            self.gate.settle(|state| state.accepted(permit, used, now));
        }
    }

    /// The answer was a 429. A speed limit closes the gate until the given time. An acceleration limit slows everyone
    /// down but stops no one; the caller alone waits until then.
    pub(crate) fn limited(mut self, limit: Limit, until: Instant) {
        if let Some(permit) = self.permit.take() {
            let now = Instant::now();
            self.gate.settle(|state| match limit {
                Limit::Speed => state.closed(permit, until, now),
                Limit::Acceleration => state.slowed(permit, now),
            });
        }
    }

    /// Anything else came of it: another status, or no answer.
    pub(crate) fn failed(mut self) {
        if let Some(permit) = self.permit.take() {
            self.gate.settle(|state| state.failed(permit));
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(permit) = self.permit.take() {
            self.gate.settle(|state| state.cancelled(permit));
        }
    }
}
