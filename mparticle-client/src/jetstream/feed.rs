//! A feed: the streams with the batches for one key of mParticle.

use super::connection::JetStream;
use super::dead_letters::DeadLetters;
use super::errors::failed;
use super::reader::FeedReader;
use super::settings::FeedSettings;
use crate::relay::{BatchLog, LogError};
use crate::{Error, ErrorKind, RateLimiter};
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{Config, Stream};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The batches for one key of mParticle that are pending in JetStream.
///
/// [`Producer`](super::Producer)s append batches, and the [relays](crate::Client::relay) of one feed take turns to deliver
/// them. All relays of a feed must have the same key. Clones share the connection.
#[derive(Clone)]
pub struct Feed {
    pub(super) jetstream: JetStream,
    pub(super) settings: Arc<FeedSettings>,
}

/// Configures a feed. Returned by [`JetStream::feed`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `ensure` is called"]
pub struct FeedBuilder {
    jetstream: JetStream,
    settings: FeedSettings,
}

/// The content of a feed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FeedStats {
    /// The batches that are pending.
    pub pending: u64,
    /// The size of the pending batches in bytes, which [`max_bytes`](FeedBuilder::max_bytes) limits.
    pub pending_bytes: u64,
    /// The batches that were not delivered.
    pub dead_letters: u64,
}

impl FeedBuilder {
    pub(super) fn new(jetstream: JetStream, name: String) -> Self {
        let lease = Duration::from_secs(5);
        let settings = FeedSettings { name, replicas: None, max_bytes: None, lease };
        Self { jetstream, settings }
    }

    /// Sets the number of servers that store each batch. The default is 1. Use 3 in production.
    pub fn replicas(mut self, servers: usize) -> Self {
        self.settings.replicas = Some(servers);
        self
    }

    /// Sets the maximum size of the pending batches in bytes. The default is 1 GiB.
    ///
    /// If it is reached, the stream refuses further batches. Choose it for the longest outage that the feed should
    /// survive, and reserve the disk space on each server.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.settings.max_bytes = Some(i64::try_from(bytes).unwrap_or_default());
        self
    }

    /// Sets the time after which another relay takes over from one that has disappeared. The default is 5 seconds.
    ///
    /// All programs that use the feed must set the same time.
    pub fn lease(mut self, time: Duration) -> Self {
        self.settings.lease = time;
        self
    }

    /// Creates the streams of the feed, unless they exist, and checks the settings of existing streams.
    ///
    /// # Errors
    /// - [`Config`](ErrorKind::Config): a setting is invalid, or a stream exists with other settings. The message lists
    ///   the differences. An existing stream may have another number of replicas or of bytes if this program sets none.
    /// - [`Storage`](ErrorKind::Storage): the servers do not answer, or they refuse to create a stream, for example
    ///   because JetStream is not enabled or there are fewer servers than replicas.
    pub async fn ensure(self) -> Result<Feed, Error> {
        self.settings.check()?;
        for config in self.settings.configs() {
            self.ensure_stream(config).await?;
        }
        Ok(Feed { jetstream: self.jetstream, settings: Arc::new(self.settings) })
    }

    async fn ensure_stream(&self, wanted: Config) -> Result<(), Error> {
        let (context, name) = (&self.jetstream.context, wanted.name.clone());
        let existing = match context.get_stream(&name).await {
            Ok(stream) => Some(stream),
            Err(error) => match error.kind() {
                GetStreamErrorKind::JetStream(api)
                    if api.error_code() == ErrorCode::STREAM_NOT_FOUND =>
                {
                    None
                }
                _ => return Err(failed(&format!("the stream {name} cannot be read"), error)),
            },
        };
        let stream = match existing {
            Some(stream) => stream,
            // If another program creates the stream at the same time, its settings are compared.
            None => match context.create_stream(wanted.clone()).await {
                Ok(stream) => stream,
                Err(created) => context.get_stream(&name).await.map_err(|_| {
                    failed(&format!("the stream {name} cannot be created"), created)
                })?,
            },
        };
        let differences = self.settings.differences(&wanted, &stream.cached_info().config);
        if differences.is_empty() {
            return Ok(());
        }
        let message = format!("the stream {name} has other settings: {}", differences.join("; "));
        Err(Error::new(ErrorKind::Config, message))
    }
}

impl Feed {
    /// Returns the name of the feed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// Returns the batches that mParticle refused, and those that were more than 25 days old.
    #[must_use]
    pub fn dead_letters(&self) -> DeadLetters {
        DeadLetters::new(self.clone())
    }

    /// Returns how much the feed contains.
    ///
    /// # Errors
    /// - [`Storage`](ErrorKind::Storage): the servers do not answer, or a stream was deleted.
    pub async fn stats(&self) -> Result<FeedStats, Error> {
        let batches = self.stream(self.settings.stream()).await?.cached_info().state.clone();
        let dead = self.stream(self.settings.dead_stream()).await?.cached_info().state.clone();
        let (pending, pending_bytes) = (batches.messages, batches.bytes);
        Ok(FeedStats { pending, pending_bytes, dead_letters: dead.messages })
    }

    pub(super) async fn stream(&self, name: String) -> Result<Stream, Error> {
        let stream = self.jetstream.context.get_stream(&name).await;
        stream.map_err(|error| failed(&format!("the stream {name} cannot be read"), error))
    }
}

impl BatchLog for Feed {
    type Reader = FeedReader;

    async fn open(&self, limiter: &RateLimiter) -> Result<FeedReader, LogError> {
        Ok(FeedReader::open(self.clone(), limiter).await?)
    }
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("name", &self.settings.name).finish_non_exhaustive()
    }
}
