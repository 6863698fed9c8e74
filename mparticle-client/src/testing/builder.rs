//! The builder of an emulator.

use super::Emulator;
use super::rate_limit::RateLimit;
use super::records::Records;
use super::rules::Rules;
use super::service::{Mode, Service};
use crate::Credentials;
use std::io;
#[cfg(feature = "data-plan")]
use std::sync::Arc;
use std::time::Duration;

/// Configures and starts an [`Emulator`].
///
/// # Examples
/// ```
/// use mparticle_client::testing::{Emulator, RateLimit};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let emulator = Emulator::builder()
///     .rate_limit(RateLimit::per_second(270))
///     .latency(Duration::from_millis(20))
///     .start()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct EmulatorBuilder {
    credentials: Credentials,
    any_credentials: bool,
    max_records: usize,
    rate_limit: Option<RateLimit>,
    latency: Duration,
    bad_batches: BadBatches,
    bare: bool,
    #[cfg(feature = "data-plan")]
    linter: Option<Arc<crate::models::data_plan::Linter>>,
}

/// The answer of an emulator to a bulk request that contains invalid batches.
///
/// mParticle documents 400 for malformed JSON and for missing fields, and also that "bulk returns 202 even if some
/// batches are bad". It does not document which errors belong to which case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadBatches {
    /// Answers 400 and accepts no batch of the request.
    #[default]
    RefuseRequest,
    /// Answers 202 and accepts only the valid batches. [`Emulator::unprocessed`] returns the others.
    DropSilently,
}

impl EmulatorBuilder {
    pub(super) fn new() -> Self {
        Self {
            credentials: Credentials::new("emulated-key", "emulated-secret"),
            any_credentials: false,
            max_records: usize::MAX,
            rate_limit: None,
            latency: Duration::ZERO,
            bad_batches: BadBatches::default(),
            bare: false,
            #[cfg(feature = "data-plan")]
            linter: None,
        }
    }

    /// Sets the only credentials that are valid. The default is an arbitrary key and secret.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// Accepts every key and secret. A request without credentials is still refused.
    pub fn any_credentials(mut self) -> Self {
        self.any_credentials = true;
        self
    }

    /// Sets how many requests, and how many batches of each kind, are recorded at most. There is no limit by default.
    ///
    /// The oldest are discarded, for an emulator that runs for a long time. A duplicate of a discarded batch is not
    /// detected.
    pub fn max_records(mut self, max: usize) -> Self {
        self.max_records = max;
        self
    }

    /// Sets the rate limit. There is none by default.
    ///
    /// [`Emulator::set_rate_limit`] changes it later.
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.rate_limit = Some(limit);
        self
    }

    /// Sets the round-trip time of every request. It is zero by default.
    ///
    /// One half passes between the arrival of a request and its processing, the other half between the processing and
    /// the answer. A [delay](super::Answer::delayed) of a scripted answer is added to the second half. The time is
    /// measured on Tokio's clock, over TCP and in memory. Paused time advances in whole milliseconds.
    ///
    /// A request is not processed if its connection is closed, or its future dropped, during the first half.
    pub fn latency(mut self, round_trip: Duration) -> Self {
        self.latency = round_trip;
        self
    }

    /// Sets how a bulk request with invalid batches is treated. The default is [`BadBatches::RefuseRequest`].
    pub fn bad_batches(mut self, treatment: BadBatches) -> Self {
        self.bad_batches = treatment;
        self
    }

    /// Sets the data plan that accepted batches are compared with. By default there is none.
    ///
    /// The emulator accepts a batch that does not follow the plan, as mParticle does.
    /// [`Emulator::findings`] returns the differences.
    #[cfg(feature = "data-plan")]
    pub fn lint(mut self, linter: impl Into<Arc<crate::models::data_plan::Linter>>) -> Self {
        self.linter = Some(linter.into());
        self
    }

    /// Makes the emulator as cheap as possible, for benchmarks and load tests of clients.
    ///
    /// A bare emulator answers 202 to every request, or 429 if there is a rate limit and the request exceeds it. It
    /// does not check, record or script anything, but it keeps the [latency](Self::latency) and the
    /// [counters](Emulator::counts). It counts the batches of a request only once a rate limit has been set, because
    /// counting them requires reading the whole body.
    pub fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    /// Starts the emulator on a free port of the loopback interface, as a task of the current Tokio runtime.
    ///
    /// # Errors
    /// Returns an error if no socket can be bound.
    pub async fn start(self) -> io::Result<Emulator> {
        self.in_memory().serve().await
    }

    /// Returns an emulator without a socket. Requests reach it through its [`transport`](Emulator::transport).
    #[must_use]
    pub fn in_memory(self) -> Emulator {
        let credentials = self.credentials.clone();
        let mode = if self.bare {
            Mode::Bare
        } else {
            let credentials = (!self.any_credentials).then_some(self.credentials);
            Mode::Full(Rules { credentials, bad_batches: self.bad_batches })
        };
        let records = Records::new(self.max_records);
        let service = Service::new(mode, self.latency, self.rate_limit, records);
        let emulator = Emulator::new(service, credentials);
        #[cfg(feature = "data-plan")]
        let emulator = emulator.with_linter(self.linter);
        emulator
    }
}
