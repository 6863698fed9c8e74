//! The client and its methods.

use crate::encoding::Encoder;
use crate::models::Batch;
use crate::relay::{BatchLog, RelayBuilder};
use crate::send::RequestSender;
use crate::upload_all::UploadAll;
use crate::{
    ClientBuilder, Credentials, EncodedBatch, EncodedRequest, Endpoint, Error, RateLimiter, Receipt,
};
use futures_core::Stream;
use futures_util::stream;
use std::sync::Arc;
use std::time::SystemTime;

/// Uploads batches to mParticle.
///
/// Create one client and clone it. Cloning is cheap. Clones share connections, the rate limiter, the retry budget and
/// the [limit on requests in flight](ClientBuilder::max_in_flight).
///
/// The client retries failed uploads as described in the guide to [delivery](crate::guide::delivery). Every attempt
/// sends the same bytes with the same ids. mParticle therefore counts the data once.
///
/// # Runtime
/// Uploads require a Tokio runtime with timers and I/O. Each upload runs as a task of the runtime in which it is
/// awaited, and [`upload_all`](Self::upload_all) runs each of its requests as a task. Requests therefore make progress
/// while their futures are not polled. Their spans are children of the caller's current span, and their events go to
/// the caller's `tracing` subscriber.
///
/// Dropping the future of an upload cancels the upload. mParticle may already have accepted the request by then.
///
/// If a [transport](ClientBuilder::transport) panics, the upload returns an error of kind
/// [`Transport`](crate::ErrorKind::Transport), unless the program is compiled with `panic = "abort"`.
///
/// # Examples
/// ```no_run
/// use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment};
/// use mparticle_client::{Client, Credentials, Pod};
///
/// # async fn example() -> Result<(), mparticle_client::Error> {
/// let client = Client::builder(Credentials::new("your-key", "your-secret"))
///     .pod(Pod::Eu1)
///     .build()?;
/// let batch = Batch::new(Environment::Production)
///     .with_event(CustomEvent::new("Signed up", CustomEventType::Navigation));
/// client.upload_events(&batch).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    encoder: Arc<Encoder>,
    sender: Arc<RequestSender>,
}

impl Client {
    pub(crate) fn new(encoder: Encoder, sender: RequestSender) -> Self {
        Self { encoder: Arc::new(encoder), sender: Arc::new(sender) }
    }

    /// Returns a builder for a client with these credentials.
    ///
    /// # Examples
    /// ```
    /// use mparticle_client::{Client, Credentials, Pod};
    ///
    /// # fn main() -> Result<(), mparticle_client::Error> {
    /// let client = Client::builder(Credentials::new("your-key", "your-secret"))
    ///     .pod(Pod::Eu1)
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn builder(credentials: Credentials) -> ClientBuilder {
        ClientBuilder::new(credentials)
    }

    /// Creates a client with the settings in the environment variables.
    ///
    /// `MPARTICLE_API_KEY` and `MPARTICLE_API_SECRET` are required. `MPARTICLE_POD` or `MPARTICLE_BASE_URL` selects the
    /// destination. `MPARTICLE_DISABLED=1` [disables](ClientBuilder::disabled) the client, which then needs no
    /// credentials. [`ClientBuilder::from_env`] describes the variables, and returns a builder for further settings.
    ///
    /// # Errors
    /// - [`Config`](crate::ErrorKind::Config): a required variable is not set, or the value of a variable is invalid.
    ///   This includes the variables that name a [proxy](ClientBuilder::proxy).
    ///
    /// # Examples
    /// ```no_run
    /// # fn main() -> Result<(), mparticle_client::Error> {
    /// let client = mparticle_client::Client::from_env()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build()
    }

    /// Returns a client with other credentials and otherwise the same settings.
    ///
    /// The new client shares the connections and the [limit on requests in flight](ClientBuilder::max_in_flight) with
    /// this client. It has its own rate limiter and retry budget: a rate limit of one key does not delay uploads with
    /// another key.
    ///
    /// # Errors
    /// - [`Config`](crate::ErrorKind::Config): the credentials are invalid.
    ///
    /// # Examples
    /// ```
    /// use mparticle_client::{Client, Credentials};
    ///
    /// # fn main() -> Result<(), mparticle_client::Error> {
    /// let ios = Client::builder(Credentials::new("ios-key", "ios-secret")).build()?;
    /// let web = ios.with_credentials(&Credentials::new("web-key", "web-secret"))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_credentials(&self, credentials: &Credentials) -> Result<Self, Error> {
        let sender = Arc::new(self.sender.with_credentials(credentials)?);
        Ok(Self { encoder: Arc::clone(&self.encoder), sender })
    }

    /// Returns the rate limiter of this client and its clones.
    ///
    /// Pass it to [`ClientBuilder::rate_limiter`] to share it with another client of the same API key. Use
    /// [`RateLimiter::snapshot`] and [`RateLimiter::restore`] to hand its state to another process.
    ///
    /// # Examples
    /// ```
    /// use mparticle_client::{Client, Credentials};
    ///
    /// # fn main() -> Result<(), mparticle_client::Error> {
    /// let credentials = Credentials::new("your-key", "your-secret");
    /// let events = Client::builder(credentials.clone()).build()?;
    /// let backfill = Client::builder(credentials)
    ///     .rate_limiter(events.rate_limiter())
    ///     .max_in_flight(4)
    ///     .build()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn rate_limiter(&self) -> RateLimiter {
        self.sender.rate_limiter()
    }

    /// Uploads one batch: `POST /v2/events`.
    ///
    /// A batch without a `source_request_id` is sent with a random one, which the receipt or the error contains.
    ///
    /// # Errors
    /// If the batch was encoded, the error contains the [request](Error::into_request). The kind is one of:
    ///
    /// - [`Invalid`](crate::ErrorKind::Invalid): the batch cannot be encoded, or it violates a rule and the client uses
    ///   [`Validation::Strict`](crate::Validation::Strict). Nothing was sent.
    /// - [`TooLarge`](crate::ErrorKind::TooLarge): the batch has more than 128,000 bytes. Nothing was sent.
    /// - [`Unauthorized`](crate::ErrorKind::Unauthorized): mParticle answered with status 401 or 403.
    /// - [`Rejected`](crate::ErrorKind::Rejected): mParticle answered with another status that is not retried, such as
    ///   400, 404 or a redirect.
    /// - [`RateLimited`](crate::ErrorKind::RateLimited): mParticle's rate limit does not allow the request before the
    ///   [deadline](crate::Timeouts::overall) of the upload. If the [`RetryPolicy`](crate::RetryPolicy) allows a single
    ///   attempt, also if mParticle answered with status 429.
    /// - [`RetriesExhausted`](crate::ErrorKind::RetriesExhausted): an attempt failed, and the retry policy, the
    ///   deadline or the retry budget allows no further attempt.
    /// - [`Timeout`](crate::ErrorKind::Timeout): the deadline passed during an attempt, or while the maximum number of
    ///   requests was [in flight](ClientBuilder::max_in_flight). If the retry policy allows a single attempt, also if
    ///   that attempt timed out or mParticle answered with status 408.
    /// - [`Server`](crate::ErrorKind::Server): mParticle answered with status 501 or 505. If the retry policy allows a
    ///   single attempt, also if it answered with any other status of 500 or above.
    /// - [`Transport`](crate::ErrorKind::Transport): a certificate was rejected, a proxy requires credentials, or the
    ///   transport failed permanently or panicked. If the retry policy allows a single attempt, also if the connection
    ///   failed.
    /// - [`Config`](crate::ErrorKind::Config): there is no Tokio runtime, or it has no timers or I/O.
    /// - [`Closed`](crate::ErrorKind::Closed): the Tokio runtime was shut down during the upload.
    ///
    /// # Examples
    /// ```
    /// use mparticle_client::models::{Batch, Environment, UserIdentities};
    /// # use mparticle_client::{Client, Error};
    ///
    /// # async fn example(client: Client) -> Result<(), Error> {
    /// let batch = Batch::new(Environment::Production)
    ///     .with_user_identities(UserIdentities::new().with_customer_id("42"))
    ///     .with_user_attribute("plan", "gold");
    /// let receipt = client.upload_events(&batch).await?;
    /// println!("accepted as {:?}", receipt.source_request_ids());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn upload_events(&self, batch: &Batch) -> Result<Receipt, Error> {
        let request = self.encoder.single(batch, SystemTime::now())?;
        self.sender.send(request).await
    }

    /// Uploads up to 100 batches of any users in one request: `POST /v2/bulkevents`.
    ///
    /// mParticle accepts or refuses the request as a whole, and may drop single batches after it has accepted the
    /// request. To upload more batches, or to find the batch that mParticle refuses, use
    /// [`upload_all`](Self::upload_all).
    ///
    /// # Errors
    /// If the batches were encoded, the error contains the [request](Error::into_request). The kind is one of:
    ///
    /// - [`Invalid`](crate::ErrorKind::Invalid): there are no batches, two batches have the same `source_request_id`, a
    ///   batch cannot be encoded, or a batch violates a rule and the client uses
    ///   [`Validation::Strict`](crate::Validation::Strict). Nothing was sent.
    /// - [`TooLarge`](crate::ErrorKind::TooLarge): there are more than 100 batches, a batch has more than 128,000
    ///   bytes, or the request has more than 256,000 bytes. Nothing was sent.
    /// - [`Unauthorized`](crate::ErrorKind::Unauthorized), [`Rejected`](crate::ErrorKind::Rejected),
    ///   [`RateLimited`](crate::ErrorKind::RateLimited), [`RetriesExhausted`](crate::ErrorKind::RetriesExhausted),
    ///   [`Timeout`](crate::ErrorKind::Timeout), [`Server`](crate::ErrorKind::Server),
    ///   [`Transport`](crate::ErrorKind::Transport), [`Config`](crate::ErrorKind::Config) and
    ///   [`Closed`](crate::ErrorKind::Closed): as for [`upload_events`](Self::upload_events).
    ///
    /// # Examples
    /// ```
    /// use mparticle_client::models::{Batch, Environment, UserIdentities};
    /// # use mparticle_client::{Client, Error};
    ///
    /// # async fn example(client: Client) -> Result<(), Error> {
    /// let batches: Vec<Batch> = ["41", "42"]
    ///     .map(|id| {
    ///         Batch::new(Environment::Production)
    ///             .with_user_identities(UserIdentities::new().with_customer_id(id))
    ///             .with_user_attribute("plan", "gold")
    ///     })
    ///     .into();
    /// client.bulk_upload_events(&batches).await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn bulk_upload_events(&self, batches: &[Batch]) -> Result<Receipt, Error> {
        self.bulk(batches, Endpoint::BulkEvents).await
    }

    /// Uploads up to 100 batches of old events in one request: `POST /v2/bulkevents/historical`.
    ///
    /// The endpoint is meant for events that are more than 30 days old, and processes events that are at least 72 hours
    /// old. mParticle updates profiles with them, but does not forward them. Each batch must have events, and each
    /// event must have a timestamp.
    ///
    /// # Errors
    /// If the batches were encoded, the error contains the [request](Error::into_request). The kind is one of:
    ///
    /// - [`Invalid`](crate::ErrorKind::Invalid): a batch has no events, an event has no timestamp or is less than 72
    ///   hours old, or [`bulk_upload_events`](Self::bulk_upload_events) would return this kind. Nothing was sent:
    ///   mParticle would accept the request and drop the data.
    /// - [`TooLarge`](crate::ErrorKind::TooLarge), [`Unauthorized`](crate::ErrorKind::Unauthorized),
    ///   [`Rejected`](crate::ErrorKind::Rejected), [`RateLimited`](crate::ErrorKind::RateLimited),
    ///   [`RetriesExhausted`](crate::ErrorKind::RetriesExhausted), [`Timeout`](crate::ErrorKind::Timeout),
    ///   [`Server`](crate::ErrorKind::Server), [`Transport`](crate::ErrorKind::Transport),
    ///   [`Config`](crate::ErrorKind::Config) and [`Closed`](crate::ErrorKind::Closed): as for
    ///   [`bulk_upload_events`](Self::bulk_upload_events).
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::{Client, Error, models::Batch};
    /// # async fn example(client: Client, last_year: Vec<Batch>) -> Result<(), Error> {
    /// let receipt = client.bulk_upload_historical_events(&last_year).await?;
    /// println!("accepted after {} attempt(s)", receipt.attempts());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn bulk_upload_historical_events(&self, batches: &[Batch]) -> Result<Receipt, Error> {
        self.bulk(batches, Endpoint::HistoricalBulkEvents).await
    }

    /// Uploads any number of batches in as few requests as possible.
    ///
    /// Awaiting the returned [`UploadAll`] starts the upload and returns an [`UploadReport`](crate::UploadReport) with
    /// the batches that were not delivered. [`UploadAll`] describes packing, order, outages and options, and
    /// [`FailedBatch::error`](crate::FailedBatch::error) lists the kinds of errors. The guide to [many
    /// batches](crate::guide::many_batches) shows how to resume an upload.
    ///
    /// Batches are pulled from the iterator as they are needed. An iterator that blocks also blocks the runtime. Run
    /// such an iterator on its own thread, and pass the receiver of a channel to
    /// [`upload_all_stream`](Self::upload_all_stream).
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::{Client, models::Batch};
    /// # async fn example(client: Client, batches: Vec<Batch>) {
    /// let report = client.upload_all(batches).concurrency(8).await;
    /// for failed in report.failed() {
    ///     eprintln!("{}: {}", failed.source_request_id(), failed.error());
    /// }
    /// # }
    /// ```
    pub fn upload_all<'a, I>(&self, batches: I) -> UploadAll<'a>
    where
        I: IntoIterator<Item = Batch>,
        I::IntoIter: Send + 'a,
    {
        self.upload_all_stream(stream::iter(batches))
    }

    /// Uploads all batches of a stream in as few requests as possible.
    ///
    /// See [`upload_all`](Self::upload_all).
    ///
    /// # Examples
    /// ```
    /// use futures_util::stream;
    /// use tokio::sync::mpsc;
    /// # use mparticle_client::{Client, models::Batch};
    ///
    /// # async fn example(client: Client, read_batch: fn() -> Option<Batch>) {
    /// let (sender, receiver) = mpsc::channel(100);
    /// std::thread::spawn(move || {
    ///     while let Some(batch) = read_batch() {
    ///         if sender.blocking_send(batch).is_err() {
    ///             break;
    ///         }
    ///     }
    /// });
    /// let batches = stream::unfold(receiver, async |mut receiver| {
    ///     let batch = receiver.recv().await?;
    ///     Some((batch, receiver))
    /// });
    /// let report = client.upload_all_stream(batches).await;
    /// println!("{} of {} delivered", report.delivered(), report.given());
    /// # }
    /// ```
    pub fn upload_all_stream<'a, S>(&self, batches: S) -> UploadAll<'a>
    where
        S: Stream<Item = Batch> + Send + 'a,
    {
        UploadAll::new(self.clone(), batches)
    }

    /// Sends an encoded request again, with the same ids and the same bytes.
    ///
    /// [`Error::into_request`] and [`BatchResult::into_requests`](crate::BatchResult::into_requests) return requests
    /// that were not accepted. If mParticle accepted an earlier attempt, it recognizes the ids and does not count the
    /// data twice.
    ///
    /// # Errors
    /// The error contains the [request](Error::into_request). The kind is one of:
    ///
    /// - [`Unauthorized`](crate::ErrorKind::Unauthorized), [`Rejected`](crate::ErrorKind::Rejected),
    ///   [`RateLimited`](crate::ErrorKind::RateLimited), [`RetriesExhausted`](crate::ErrorKind::RetriesExhausted),
    ///   [`Timeout`](crate::ErrorKind::Timeout), [`Server`](crate::ErrorKind::Server),
    ///   [`Transport`](crate::ErrorKind::Transport), [`Config`](crate::ErrorKind::Config) and
    ///   [`Closed`](crate::ErrorKind::Closed): as for [`upload_events`](Self::upload_events).
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::{Client, Error, models::Batch};
    /// # use std::time::Duration;
    /// # async fn example(client: Client, batch: Batch) -> Result<(), Error> {
    /// if let Err(error) = client.upload_events(&batch).await {
    ///     if !error.is_retryable() {
    ///         return Err(error);
    ///     }
    ///     let wait = error.retry_after().unwrap_or(Duration::from_secs(60));
    ///     if let Some(request) = error.into_request() {
    ///         tokio::time::sleep(wait).await;
    ///         client.resend(request).await?;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn resend(&self, request: EncodedRequest) -> Result<Receipt, Error> {
        self.sender.send(request).await
    }

    /// Encodes a batch, to store it and to send it later.
    ///
    /// A batch without a `source_request_id` gets a random one. An event without a timestamp gets the current time,
    /// because the batch may be sent much later. A batch of more than 128,000 bytes is split into parts with some of
    /// the events each.
    ///
    /// Store the [`EncodedBatch`]es, and send them with a [relay](crate::relay). A program that only encodes needs no
    /// credentials if the client is [disabled](ClientBuilder::disabled).
    ///
    /// # Errors
    /// - [`Invalid`](crate::ErrorKind::Invalid): the batch cannot be encoded, or it violates a rule and the client uses
    ///   [`Validation::Strict`](crate::Validation::Strict).
    /// - [`TooLarge`](crate::ErrorKind::TooLarge): the batch cannot be split into parts of up to 128,000 bytes.
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::{Client, Error, models::Batch};
    /// # fn append(key: Option<u64>, record: bytes::Bytes) {}
    /// # fn example(client: &Client, batch: &Batch) -> Result<(), Error> {
    /// for encoded in client.encode(batch)? {
    ///     append(encoded.ordering_key(), encoded.to_bytes());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn encode(&self, batch: &Batch) -> Result<Vec<EncodedBatch>, Error> {
        self.encoder.encode_to_store(&mut batch.clone(), SystemTime::now())
    }

    /// Returns a builder for a relay, which delivers encoded batches from a log.
    ///
    /// The relay shares the rate limiter, the connections and the
    /// [limit on requests in flight](ClientBuilder::max_in_flight) with this client.
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::{Client, Error, relay::BatchLog};
    /// # async fn example(client: Client, log: impl BatchLog) -> Result<(), Error> {
    /// let relay = client.relay(log).concurrency(8).start().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn relay<L: BatchLog>(&self, log: L) -> RelayBuilder<L> {
        RelayBuilder::new(self.clone(), log)
    }

    /// Returns a builder for a background queue that sends with the settings of this client (feature `queue`).
    ///
    /// The queue shares the rate limiter of the client, and does not use its retry budget. With the built-in transport,
    /// the queue has its own connections and its own limit on requests in flight.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example() -> Result<(), mparticle_client::Error> {
    /// let client = mparticle_client::Client::from_env()?;
    /// let queue = client.queue().concurrency(8).build().await?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "queue")]
    pub fn queue(&self) -> crate::queue::QueueBuilder {
        crate::queue::QueueBuilder::new(self.clone())
    }

    pub(crate) fn parts(&self) -> (Arc<Encoder>, Arc<RequestSender>) {
        (Arc::clone(&self.encoder), Arc::clone(&self.sender))
    }

    async fn bulk(&self, batches: &[Batch], endpoint: Endpoint) -> Result<Receipt, Error> {
        let request = self.encoder.bulk(batches, endpoint, SystemTime::now())?;
        self.sender.send(request).await
    }
}
