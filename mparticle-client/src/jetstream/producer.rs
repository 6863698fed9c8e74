//! Appends batches to a feed.

use super::errors::{AppendFailure, append_failure, failed, timed_out};
use super::feed::Feed;
use super::send_error::SendError;
use super::user_order::{Turn, UserOrder};
use crate::encoding::Encoder;
use crate::models::{Batch, DataPlanContext, Environment};
use crate::timing::after;
use crate::{EncodedBatch, Error, ErrorKind, Validation};
use async_nats::HeaderMap;
use async_nats::header::NATS_MESSAGE_ID;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout_at};

/// The wait before another attempt to append a batch.
const RETRY_WAIT: Duration = Duration::from_millis(250);

/// Appends batches to a [`Feed`]. A producer needs no credentials of mParticle.
///
/// Cloning is cheap. Batches of one user are appended in the order of the calls of [`send`](Self::send), if all of them
/// use clones of one producer.
#[derive(Clone, Debug)]
pub struct Producer {
    feed: Feed,
    encoder: Arc<Encoder>,
    timeout: Duration,
    order: UserOrder,
}

/// Configures a producer. Returned by [`Producer::builder`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ProducerBuilder {
    feed: Feed,
    encoder: Encoder,
    timeout: Duration,
}

impl Producer {
    /// Returns a builder for a producer that appends to a feed.
    pub fn builder(feed: Feed) -> ProducerBuilder {
        let timeout = Duration::from_secs(30);
        ProducerBuilder { feed, encoder: Encoder::default(), timeout }
    }

    /// Appends a batch to the feed. Returns its `source_request_id` when the stream has acknowledged the batch.
    ///
    /// The guide explains [what an acknowledged batch survives](crate::guide::fleet#what-acknowledged-means). While the
    /// servers do not answer, the producer tries again until the [timeout](ProducerBuilder::timeout) elapses. If the
    /// future is dropped, the batch may still be appended.
    ///
    /// A batch without a `source_request_id` gets a random one, an event without a timestamp gets the current time, and a
    /// batch of more than 128,000 bytes is split.
    ///
    /// # Errors
    /// The [`SendError`] contains the batch. Its kind is one of:
    ///
    /// - [`Full`](ErrorKind::Full): the stream has reached its [limit](super::FeedBuilder::max_bytes).
    /// - [`Storage`](ErrorKind::Storage): the servers did not acknowledge the batch in time.
    /// - [`Invalid`](ErrorKind::Invalid): the batch cannot be encoded, or it violates a rule and the producer uses
    ///   [`Validation::Strict`].
    /// - [`TooLarge`](ErrorKind::TooLarge): the batch cannot be split into parts of up to 128,000 bytes, or the servers
    ///   do not accept messages of its size.
    /// - [`Config`](ErrorKind::Config): there is no Tokio runtime.
    pub async fn send(&self, batch: Batch) -> Result<String, SendError> {
        let mut batch = Box::new(batch);
        let deadline = after(Instant::now(), self.timeout);
        let encoded = match self.encoder.encode_to_store(&mut batch, SystemTime::now()) {
            Ok(encoded) => encoded,
            Err(error) => return Err(SendError::new(error, batch, false)),
        };
        let Ok(runtime) = Handle::try_current() else {
            let error = Error::new(ErrorKind::Config, "there is no Tokio runtime");
            return Err(SendError::new(error, batch, false));
        };
        let users = encoded.first().map(EncodedBatch::user_keys).unwrap_or_default();
        let turn = self.order.enter(users);
        let append = Append { feed: self.feed.clone(), deadline, may_be_stored: false };
        // A task is not cancelled if the caller drops the future. The next batches of the user therefore wait for it.
        let task = runtime.spawn(append.all(encoded, turn));
        match task.await {
            Ok(Ok(())) => Ok(batch.source_request_id.clone().unwrap_or_default()),
            Ok(Err((error, may_be_stored))) => Err(SendError::new(error, batch, may_be_stored)),
            Err(_) => {
                let error = Error::new(ErrorKind::Storage, "the Tokio runtime was shut down");
                Err(SendError::new(error, batch, true))
            }
        }
    }
}

impl ProducerBuilder {
    /// Sets the environment of batches that have none. By default, such batches are sent without an environment.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.encoder.environment = Some(environment);
        self
    }

    /// Sets the data plan of batches that have none. By default, such batches are sent without a data plan.
    pub fn data_plan(mut self, data_plan: DataPlanContext) -> Self {
        self.encoder.data_plan = Some(data_plan);
        self
    }

    /// Sets how batches are checked against mParticle's rules. The default is [`Validation::Warn`].
    pub fn validation(mut self, validation: Validation) -> Self {
        self.encoder.validation = validation;
        self
    }

    /// Sets the time in which a batch has to be acknowledged. The default is 30 seconds.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Builds the producer.
    #[must_use]
    pub fn build(self) -> Producer {
        let Self { feed, encoder, timeout } = self;
        Producer { feed, encoder: Arc::new(encoder), timeout, order: UserOrder::default() }
    }
}

/// The appending of one batch.
struct Append {
    feed: Feed,
    deadline: Instant,
    may_be_stored: bool,
}

impl Append {
    /// Appends the parts of a batch in its turn. The error contains whether a part may be stored.
    async fn all(mut self, parts: Vec<EncodedBatch>, turn: Turn) -> Result<(), (Error, bool)> {
        turn.wait().await;
        for part in parts {
            self.one(&part).await.map_err(|error| (error, self.may_be_stored))?;
            self.may_be_stored = true;
        }
        Ok(())
    }

    /// Appends one part, in as many attempts as there is time for.
    async fn one(&mut self, part: &EncodedBatch) -> Result<(), Error> {
        let stored = part.to_bytes();
        let context = self.feed.jetstream.context.clone();
        let mut last = None;
        loop {
            if Instant::now() >= self.deadline {
                return Err(last.unwrap_or_else(|| timed_out("the batch was not stored")));
            }
            let mut headers = HeaderMap::new();
            // A header must not contain line breaks.
            let id = part.source_request_id().escape_debug().to_string();
            headers.insert(NATS_MESSAGE_ID, id);
            let (subject, stored) = (self.feed.settings.subject(), stored.clone());
            let publish =
                async { context.publish_with_headers(subject, headers, stored).await?.await };
            let error = match timeout_at(self.deadline, publish).await {
                Ok(Ok(_)) => return Ok(()),
                Ok(Err(error)) => error,
                Err(_) => {
                    self.may_be_stored = true;
                    continue;
                }
            };
            match append_failure(&error) {
                AppendFailure::Full => {
                    let message = "the feed is full: the stream has reached its maximum size";
                    return Err(Error::new(ErrorKind::Full, message).with_source(error));
                }
                AppendFailure::TooLarge => {
                    let message = "the servers do not accept a message of the size of the batch";
                    return Err(Error::new(ErrorKind::TooLarge, message).with_source(error));
                }
                AppendFailure::NotStored => {}
                AppendFailure::Unknown => self.may_be_stored = true,
            }
            last = Some(failed("the batch was not stored", error));
            sleep(RETRY_WAIT.min(self.deadline - Instant::now())).await;
        }
    }
}
