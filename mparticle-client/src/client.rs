//! The client and its methods.

use crate::encoding::Encoder;
use crate::models::Batch;
use crate::send::RequestSender;
use crate::upload_all::UploadAll;
use crate::{ClientBuilder, Credentials, EncodedRequest, Endpoint, Error, RateLimiter, Receipt};
use futures_core::Stream;
use futures_util::stream;
use std::sync::Arc;
use std::time::SystemTime;

/// Uploads batches to mParticle.
///
/// It is cheap to clone; clones share connections, rate limiter and retry budget. Every upload is repeated as the
/// [`RetryPolicy`](crate::RetryPolicy) says until it is accepted, and repeats the same bytes with the same ids, so that
/// nothing counts twice. Futures may be dropped at any time; what was under way may have arrived then.
#[derive(Clone, Debug)]
pub struct Client {
    encoder: Arc<Encoder>,
    sender: Arc<RequestSender>,
}

impl Client {
    pub(crate) fn new(encoder: Encoder, sender: RequestSender) -> Self {
        Self { encoder: Arc::new(encoder), sender: Arc::new(sender) }
    }

    /// Begins to describe a client.
    #[must_use]
    pub fn builder(credentials: Credentials) -> ClientBuilder {
        ClientBuilder::new(credentials)
    }

    /// A client as the environment describes it: `MPARTICLE_API_KEY`, `MPARTICLE_API_SECRET`, and `MPARTICLE_POD` (`us1`
    /// unless set) or `MPARTICLE_BASE_URL`, which counts more. An empty variable counts as unset.
    ///
    /// # Errors
    /// Of kind [`Config`](crate::ErrorKind::Config) when a variable is missing or cannot be used.
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build()
    }

    /// A client with other credentials and its own rate limiter and retry budget, over the same connections.
    ///
    /// # Errors
    /// Of kind [`Config`](crate::ErrorKind::Config) when the credentials cannot be used.
    pub fn with_credentials(&self, credentials: &Credentials) -> Result<Self, Error> {
        let sender = Arc::new(self.sender.with_credentials(credentials)?);
        Ok(Self { encoder: Arc::clone(&self.encoder), sender })
    }

    /// The rate limiter, to be shared with other clients of the same key.
    #[must_use]
    pub fn rate_limiter(&self) -> RateLimiter {
        self.sender.rate_limiter()
    }

    /// Uploads one batch: `POST /v2/events`.
    ///
    /// # Errors
    /// An [`Error`] whose kind tells what to do. Unless the batch could not be encoded, it holds the request.
    pub async fn upload_events(&self, batch: &Batch) -> Result<Receipt, Error> {
        let request = self.encoder.single(batch, SystemTime::now())?;
        self.sender.send(request).await
    }

    /// Uploads up to 100 batches of any users in one request: `POST /v2/bulkevents`.
    ///
    /// mParticle accepts or refuses the request as a whole, and may drop single batches after it accepted it.
    /// [`upload_all`](Self::upload_all) takes any number and finds out which one is refused.
    ///
    /// # Errors
    /// An [`Error`] whose kind tells what to do. Unless the batches could not be encoded, it holds the request.
    pub async fn bulk_upload_events(&self, batches: &[Batch]) -> Result<Receipt, Error> {
        self.bulk(batches, Endpoint::BulkEvents).await
    }

    /// Uploads up to 100 batches of old events in one request: `POST /v2/bulkevents/historical`.
    ///
    /// For events of more than 30 days ago; it takes those that are at least 72 hours old. mParticle updates profiles
    /// with them but does not forward them. Each batch has to have events, and each event its timestamp.
    ///
    /// # Errors
    /// Of kind [`Invalid`](crate::ErrorKind::Invalid) when an event is missing, has no time or is too young: mParticle
    /// would accept the batch and not process it. Otherwise as [`bulk_upload_events`](Self::bulk_upload_events).
    pub async fn bulk_upload_historical_events(&self, batches: &[Batch]) -> Result<Receipt, Error> {
        self.bulk(batches, Endpoint::HistoricalBulkEvents).await
    }

    /// Uploads any number of batches in as few requests as they take.
    ///
    /// They are taken from the iterator as they are needed. An iterator that blocks for long belongs on a thread of its
    /// own, behind a channel and [`upload_all_stream`](Self::upload_all_stream). Options are set on what this returns;
    /// `await` starts it.
    pub fn upload_all<'a, I>(&self, batches: I) -> UploadAll<'a>
    where
        I: IntoIterator<Item = Batch>,
        I::IntoIter: Send + 'a,
    {
        self.upload_all_stream(stream::iter(batches))
    }

    /// Uploads all batches of a stream in as few requests as they take; see [`upload_all`](Self::upload_all).
    pub fn upload_all_stream<'a, S>(&self, batches: S) -> UploadAll<'a>
    where
        S: Stream<Item = Batch> + Send + 'a,
    {
        UploadAll::new(self.clone(), batches)
    }

    /// Begins to describe a queue in the background that sends with this client's settings, credentials and rate limiter
    /// (feature `queue`).
    #[cfg(feature = "queue")]
    pub fn queue(&self) -> crate::queue::QueueBuilder {
        crate::queue::QueueBuilder::new(self.clone())
    }

    pub(crate) fn parts(&self) -> (Arc<Encoder>, Arc<RequestSender>) {
        (Arc::clone(&self.encoder), Arc::clone(&self.sender))
    }

    /// Sends a request that failed once more, with the same ids and the same bytes.
    ///
    /// # Errors
    /// As the method that made the request.
    pub async fn resend(&self, unsent: EncodedRequest) -> Result<Receipt, Error> {
        self.sender.send(unsent).await
    }

    async fn bulk(&self, batches: &[Batch], endpoint: Endpoint) -> Result<Receipt, Error> {
        let request = self.encoder.bulk(batches, endpoint, SystemTime::now())?;
        self.sender.send(request).await
    }
}
