//! The handle of an emulator.

use super::builder::EmulatorBuilder;
use super::memory::InMemory;
use super::received::{Received, ReceivedBatch, ReceivedRequest, UnprocessedBatch};
use super::service::Service;
use super::tcp::Server;
use super::{Answer, Counts, Mismatch, RateLimit};
use crate::{Client, ClientBuilder, Credentials};
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::time::Instant;

/// An emulator of the Events API; the [module](super) says what it does.
///
/// It is cheap to clone. When the last clone is dropped, its socket and connections are closed. It keeps what it
/// received until then.
#[derive(Clone)]
pub struct Emulator {
    service: Arc<Service>,
    credentials: Credentials,
    base_url: Arc<str>,
    server: Option<Arc<Server>>,
}

impl Emulator {
    /// Starts an emulator on a free port of the loopback interface, as a task of the tokio runtime that this is called
    /// in.
    ///
    /// # Errors
    /// When no socket can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    /// An emulator without a socket, to be used by its [`transport`](Self::transport).
    #[must_use]
    pub fn in_memory() -> Self {
        Self::builder().in_memory()
    }

    /// Sets one up in detail.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::new()
    }

    pub(super) fn new(
        service: Arc<Service>,
        credentials: Credentials,
        server: Option<Server>,
    ) -> Self {
        let base_url = match &server {
            Some(server) => format!("http://{}/v2", server.address),
            None => "http://localhost/v2".to_owned(),
        };
        Self { service, credentials, base_url: base_url.into(), server: server.map(Arc::new) }
    }

    /// Where it listens: `http://127.0.0.1:<port>/v2`. In memory, an address that its transport does not use.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The pair that it takes.
    #[must_use]
    pub fn credentials(&self) -> Credentials {
        self.credentials.clone()
    }

    /// A transport that hands requests to it in memory. Rules, scripts and records are the same as over a socket;
    /// failures of the connection are [`TransportError`](crate::transport::TransportError)s.
    #[must_use]
    pub fn transport(&self) -> InMemory {
        InMemory::new(Arc::clone(&self.service))
    }

    /// A builder of clients that upload to this emulator: over its socket, or in memory if it has none.
    #[must_use]
    pub fn client_builder(&self) -> ClientBuilder {
        let builder = Client::builder(self.credentials()).base_url(self.base_url());
        if self.server.is_some() { builder } else { builder.transport(self.transport()) }
    }

    /// Answers the next requests, one each, in order. It is appended to what is left of earlier scripts.
    pub fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.service.script(answers);
    }

    /// Answers every request that no script is left for; [`Answer::normal`] puts an end to it.
    pub fn always(&self, answer: Answer) {
        self.service.set_default_answer(answer);
    }

    /// Replaces the rate limit; `None` removes it.
    ///
    /// If there was a limit before, the tokens that are left in its bucket carry over, up to the new burst. Otherwise
    /// the bucket starts full.
    ///
    /// # Examples
    /// ```
    /// use mparticle_client::testing::{Emulator, RateLimit};
    ///
    /// let emulator = Emulator::builder().rate_limit(RateLimit::per_second(270)).in_memory();
    /// emulator.set_rate_limit(RateLimit::per_second(100));
    /// emulator.set_rate_limit(None);
    /// ```
    pub fn set_rate_limit(&self, limit: impl Into<Option<RateLimit>>) {
        self.service.set_rate_limit(limit.into(), Instant::now());
    }

    /// Returns how many requests and batches were processed so far.
    ///
    /// The counters are kept by a [bare](EmulatorBuilder::bare) emulator, too. They are cheap to read, because nothing
    /// is cloned.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.service.counts()
    }

    /// Every request, in the order of their arrival.
    #[must_use]
    pub fn requests(&self) -> Vec<ReceivedRequest> {
        self.service.inspect(|received| received.requests.clone())
    }

    /// The batches that were accepted, in order, each `source_request_id` once.
    #[must_use]
    pub fn batches(&self) -> Vec<ReceivedBatch> {
        self.service.inspect(|received| received.accepted.clone())
    }

    /// The batches that were dropped since their `source_request_id` had been accepted before.
    #[must_use]
    pub fn duplicates(&self) -> Vec<ReceivedBatch> {
        self.service.inspect(|received| received.duplicates.clone())
    }

    /// The batches that were answered 202 and dropped: historical ones that are too young or lack what they need, and
    /// bad ones with [`BadBatches::DropSilently`](super::BadBatches::DropSilently).
    #[must_use]
    pub fn unprocessed(&self) -> Vec<UnprocessedBatch> {
        self.service.inspect(|received| received.unprocessed.clone())
    }

    /// Waits until there were so many requests, and returns them all. It waits for ever if they do not come, so tests
    /// put it under a [`timeout`](tokio::time::timeout).
    pub async fn wait_for_requests(&self, count: usize) -> Vec<ReceivedRequest> {
        let enough = |received: &Received| {
            (received.requests.len() >= count).then(|| received.requests.clone())
        };
        self.service.wait_for(enough).await
    }

    /// Waits until so many batches were accepted, and returns them all; for ever if they do not come.
    pub async fn wait_for_batches(&self, count: usize) -> Vec<ReceivedBatch> {
        let enough = |received: &Received| {
            (received.accepted.len() >= count).then(|| received.accepted.clone())
        };
        self.service.wait_for(enough).await
    }

    /// Whether exactly the batches of these ids were accepted. One that arrived again with the same bytes, as a retry
    /// does, is no mistake: mParticle drops it.
    ///
    /// # Errors
    /// The ids that are missing, that were not expected, or under which different bytes arrived.
    pub fn check_exactly_once(
        &self,
        ids: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<(), Mismatch> {
        let expected = ids.into_iter().map(Into::into).collect();
        match self.service.inspect(|received| Mismatch::find(&expected, received)) {
            None => Ok(()),
            Some(mismatch) => Err(mismatch),
        }
    }

    /// Asserts that exactly the batches of these ids were accepted; see
    /// [`check_exactly_once`](Self::check_exactly_once).
    ///
    /// # Panics
    /// When they were not, with a list of the ids that are missing, not expected, or sent again with other bytes.
    #[track_caller]
    #[allow(clippy::panic, reason = "it is an assertion for tests")]
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
