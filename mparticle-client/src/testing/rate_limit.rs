//! The setting of the emulator's rate limit.

/// The number of batches per second that an emulator accepts.
///
/// The emulator enforces the limit with a token bucket: the bucket starts full, every batch of a request takes one
/// token, and tokens are added continuously. A request is accepted or refused as a whole. A request with more batches
/// than the bucket can hold is accepted if the bucket is full, and empties it. A refused request takes no tokens; it is
/// answered 429 with a `Retry-After` of at least one second.
///
/// # Examples
/// ```
/// use mparticle_client::testing::{Emulator, RateLimit};
///
/// let limit = RateLimit::per_second(270).burst(500).without_percentage_header();
/// let emulator = Emulator::builder().rate_limit(limit).in_memory();
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    pub(super) per_second: f64,
    pub(super) burst: f64,
    pub(super) percentage_header: bool,
}

impl RateLimit {
    /// Returns a limit of `batches` per second, with a bucket of the same size. Zero is treated as one.
    ///
    /// mParticle's default limit is 270 batches per second.
    #[must_use]
    pub fn per_second(batches: u32) -> Self {
        let batches = f64::from(batches.max(1));
        Self { per_second: batches, burst: batches, percentage_header: true }
    }

    /// Sets the size of the bucket: the number of batches that are accepted at once after a pause. Zero is treated as
    /// one.
    #[must_use]
    pub fn burst(mut self, batches: u32) -> Self {
        self.burst = f64::from(batches.max(1));
        self
    }

    /// Omits the header `X-mp-rate-limit-percentage-used` from 202 answers.
    #[must_use]
    pub fn without_percentage_header(mut self) -> Self {
        self.percentage_header = false;
        self
    }
}
