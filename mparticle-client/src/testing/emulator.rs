//! The handle of an emulator.

use super::builder::EmulatorBuilder;
use super::memory::InMemory;
use super::received::{ReceivedBatch, ReceivedRequest, UnprocessedBatch};
use super::records::Records;
use super::service::Service;
use super::tcp::Server;
use super::{Answer, Counts, Mismatch, RateLimit};
use crate::{Client, ClientBuilder, Credentials};
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::time::Instant;

/// An emulator of the Events API.
///
/// The [module documentation](super) describes its behavior.
///
/// An emulator is cheap to clone, and clones share their state. Its socket and connections are closed, and its records
/// are discarded, when the last clone is dropped.
///
/// # Examples
/// ```
/// use mparticle_client::models::{Batch, Environment};
/// use mparticle_client::testing::{Answer, Emulator};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let emulator = Emulator::start().await?;
/// emulator.script([Answer::status(503)]);
///
/// let client = emulator.client_builder().build()?;
/// let receipt = client.upload_events(&Batch::new(Environment::Production)).await?;
/// assert_eq!(receipt.attempts(), 2);
/// emulator.assert_exactly_once(receipt.source_request_ids());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Emulator {
    service: Arc<Service>,
    credentials: Credentials,
    base_url: Arc<str>,
    server: Option<Arc<Server>>,
    #[cfg(feature = "data-plan")]
    linter: Option<Arc<crate::models::data_plan::Linter>>,
}

impl Emulator {
    /// Starts an emulator on a free port of the loopback interface, as a task of the current Tokio runtime.
    ///
    /// # Errors
    /// Returns an error if no socket can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// Returns an emulator without a socket. Requests reach it through its [`transport`](Self::transport).
    #[must_use]
    pub fn in_memory() -> Self {
        Self::builder().in_memory()
    }

    /// Returns a builder for an emulator.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::new()
    }

    /// Creates an emulator without a socket.
    pub(super) fn new(service: Service, credentials: Credentials) -> Self {
        Self {
            service: Arc::new(service),
            credentials,
            base_url: "http://localhost/v2".into(),
            server: None,
            #[cfg(feature = "data-plan")]
            linter: None,
        }
    }

    /// Adds a socket on a free port of the loopback interface.
    pub(super) async fn serve(mut self) -> io::Result<Self> {
        let server = Server::start(Arc::clone(&self.service)).await?;
        self.base_url = format!("http://{}/v2", server.address).into();
        self.server = Some(Arc::new(server));
        Ok(self)
    }

    #[cfg(feature = "data-plan")]
    pub(super) fn with_linter(
        mut self,
        linter: Option<Arc<crate::models::data_plan::Linter>>,
    ) -> Self {
        self.linter = linter;
        self
    }

    /// Returns the URL of the emulator: `http://127.0.0.1:<port>/v2`.
    ///
    /// An emulator without a socket returns a placeholder, which its transport ignores.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Returns the valid credentials.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        self.credentials.clone()
    }

    /// Returns a transport that passes requests to the emulator in memory.
    ///
    /// Checks, scripts and records are the same as over a socket. Scripted connection faults become a
    /// [`TransportError`](crate::transport::TransportError).
    #[must_use]
    pub fn transport(&self) -> InMemory {
        InMemory::new(Arc::clone(&self.service))
    }

    /// Returns a builder for clients of this emulator, with its credentials and base URL.
    ///
    /// The clients connect to the socket of the emulator, or use its [`transport`](Self::transport) if it has none.
    #[must_use]
    pub fn client_builder(&self) -> ClientBuilder {
        let builder = Client::builder(self.credentials()).base_url(self.base_url());
        if self.server.is_some() { builder } else { builder.transport(self.transport()) }
    }

    /// Scripts the answers to the next requests, one per request, in order.
    ///
    /// The answers are appended to those of earlier calls that have not been used yet.
    ///
    /// # Examples
    /// ```
    /// use mparticle_client::testing::{Answer, Emulator};
    ///
    /// let emulator = Emulator::in_memory();
    /// emulator.script([Answer::status(503), Answer::close()]);
    /// ```
    pub fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.service.script(answers);
    }

    /// Sets the answer to all requests for which no scripted answer is left.
    ///
    /// [`Answer::normal`] restores the default.
    pub fn always(&self, answer: Answer) {
        self.service.set_default_answer(answer);
    }

    /// Answers a share of the requests, chosen at random, with a fault. Replaces the faults of earlier calls.
    ///
    /// Each answer has its share of the requests, from 0 to 1. [Scripted](Self::script) answers take precedence, and all
    /// other requests get the [default answer](Self::always).
    ///
    /// # Examples
    /// ```
    /// use mparticle_client::testing::{Answer, Emulator};
    ///
    /// let emulator = Emulator::in_memory();
    /// // Of 100 requests, about 5 get 503, and 1 is accepted without an answer.
    /// emulator.set_faults([
    ///     (0.05, Answer::status(503)),
    ///     (0.01, Answer::close().after_processing()),
    /// ]);
    /// ```
    pub fn set_faults(&self, faults: impl IntoIterator<Item = (f64, Answer)>) {
        self.service.set_faults(faults.into_iter().collect());
    }

    /// Replaces the rate limit. `None` removes it.
    ///
    /// If there was a limit before, the remaining tokens of its bucket are kept, up to the new burst. Otherwise, the
    /// bucket starts full.
    ///
    /// # Examples
    /// ```
    /// use mparticle_client::testing::{Emulator, RateLimit};
    ///
    /// let limit = RateLimit::per_second(270);
    /// let emulator = Emulator::builder().rate_limit(limit).in_memory();
    /// emulator.set_rate_limit(RateLimit::per_second(100));
    /// emulator.set_rate_limit(None);
    /// ```
    pub fn set_rate_limit(&self, limit: impl Into<Option<RateLimit>>) {
        self.service.set_rate_limit(limit.into(), Instant::now());
    }

    /// Returns the number of requests and batches that have been processed.
    ///
    /// A [bare](EmulatorBuilder::bare) emulator has these counters, too. Reading them is cheap: it clones no records.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.service.counts()
    }

    /// Returns all requests, in the order in which they were processed.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.service.inspect(|records| records.requests.to_vec())
    }

    /// Returns the accepted batches in order. Batches with the same `source_request_id` are accepted once.
    #[must_use]
    pub fn batches(&self) -> Vec<ReceivedBatch> {
        self.service.inspect(|records| records.accepted.to_vec())
    }

    /// Returns the differences between the accepted batches and the data plan of
    /// [`EmulatorBuilder::lint`], each with the index of its batch in [`batches`](Self::batches).
    ///
    /// Returns nothing if the emulator has no data plan.
    ///
    /// # Examples
    /// ```
    /// use mparticle_client::models::data_plan::{DataPlanFile, FindingKind, Linter, Rules};
    /// use mparticle_client::models::{Batch, Environment, ScreenViewEvent};
    /// use mparticle_client::testing::Emulator;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let plan = DataPlanFile::from_str(r#"{ "data_points": [] }"#)?;
    /// let linter = Linter::new(&plan.select(None, None)?, Rules::platform());
    /// let emulator = Emulator::builder().lint(linter).in_memory();
    /// let client = emulator.client_builder().build()?;
    ///
    /// let batch = Batch::new(Environment::Development);
    /// client.upload_events(&batch.with_event(ScreenViewEvent::new("Cart"))).await?;
    /// let findings = emulator.findings();
    /// assert_eq!(findings.len(), 1);
    /// assert_eq!(findings[0].1.kind, FindingKind::UnplannedEvent);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "data-plan")]
    #[must_use]
    pub fn findings(&self) -> Vec<(usize, crate::models::data_plan::Finding)> {
        let Some(linter) = &self.linter else { return Vec::new() };
        let batches = self.batches().into_iter().enumerate();
        // The emulator accepts nothing that is not JSON.
        let findings = |raw: &[u8]| linter.lint_slice(raw).unwrap_or_default();
        batches
            .flat_map(|(index, batch)| {
                findings(&batch.raw).into_iter().map(move |finding| (index, finding))
            })
            .collect()
    }

    /// Returns the batches that were dropped because their `source_request_id` had been accepted before.
    #[must_use]
    pub fn duplicates(&self) -> Vec<ReceivedBatch> {
        self.service.inspect(|records| records.duplicates.to_vec())
    }

    /// Returns the batches that were answered with 202, but not accepted.
    ///
    /// These are historical batches without events, without timestamps or with recent events, and invalid batches with
    /// [`BadBatches::DropSilently`](super::BadBatches::DropSilently).
    #[must_use]
    pub fn unprocessed(&self) -> Vec<UnprocessedBatch> {
        self.service.inspect(|records| records.unprocessed.to_vec())
    }

    /// Discards all records. The [counts](Self::counts) and the tokens of the rate limit remain.
    ///
    /// Batches that were accepted before are accepted again.
    pub fn clear(&self) {
        self.service.clear();
    }

    /// Waits until at least `count` requests have been processed, and returns all of them.
    ///
    /// If fewer requests arrive, this method waits forever. Combine it with a [`timeout`](tokio::time::timeout).
    pub async fn wait_for_requests(&self, count: usize) -> Vec<ReceivedRequest> {
        let requests = |records: &Records| {
            (records.requests.len() >= count).then(|| records.requests.to_vec())
        };
        self.service.wait_for(requests).await
    }

    /// Waits until at least `count` batches have been accepted, and returns all of them.
    ///
    /// If fewer batches are accepted, this method waits forever. Combine it with a [`timeout`](tokio::time::timeout).
    pub async fn wait_for_batches(&self, count: usize) -> Vec<ReceivedBatch> {
        let batches = |records: &Records| {
            (records.accepted.len() >= count).then(|| records.accepted.to_vec())
        };
        self.service.wait_for(batches).await
    }

    /// Checks that the accepted batches are exactly those with the given `source_request_id`s.
    ///
    /// A batch may have been sent more than once if its bytes are the same each time, as in a retry.
    ///
    /// # Errors
    /// Returns the ids that are missing, that were not expected, or that were sent with different bytes, and the number
    /// of batches without an id.
    pub fn check_exactly_once(
        &self,
        ids: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), Mismatch> {
        let expected = ids.into_iter().map(Into::into).collect();
        match self.service.inspect(|records| Mismatch::find(&expected, records)) {
            None => Ok(()),
            Some(mismatch) => Err(mismatch),
        }
    }

    /// Asserts that the accepted batches are exactly those with the given `source_request_id`s.
    ///
    /// # Panics
    /// Panics with the message of the [`Mismatch`] if [`check_exactly_once`](Self::check_exactly_once) returns one.
    #[track_caller]
    #[allow(clippy::panic, reason = "an assertion for tests")]
    pub fn assert_exactly_once(&self, ids: impl IntoIterator<Item = impl Into<String>>) {
        if let Err(mismatch) = self.check_exactly_once(ids) {
            panic!("{mismatch}");
        }
    }
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}
