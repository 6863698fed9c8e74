//! The client without `async` (feature `blocking`).
//!
//! The methods of [`Client`] block the calling thread until the upload has ended. They require no runtime: the client
//! has a background thread that runs the uploads. Inside an asynchronous runtime, the methods do not panic, but block a
//! thread of the runtime. Use the asynchronous [`Client`](crate::Client) there.
//!
//! # Examples
//! ```no_run
//! use mparticle_client::blocking::Client;
//! use mparticle_client::models::{
//!     Batch, CustomEvent, CustomEventType, Environment, UserIdentities,
//! };
//! use mparticle_client::{Credentials, Pod};
//!
//! # fn main() -> Result<(), mparticle_client::Error> {
//! let client = Client::builder(Credentials::new("your-key", "your-secret"))
//!     .pod(Pod::Eu1)
//!     .build_blocking()?;
//! let batch = Batch::new(Environment::Production)
//!     .with_user_identities(UserIdentities::new().with_customer_id("42"))
//!     .with_event(CustomEvent::new("Signed up", CustomEventType::Navigation));
//! client.upload_events(&batch)?;
//! # Ok(())
//! # }
//! ```

mod driver;
mod upload_all;

pub use upload_all::UploadAll;

use crate::models::Batch;
use crate::{ClientBuilder, Credentials, EncodedRequest, Error, RateLimiter, Receipt};
use driver::Driver;
use std::sync::Arc;

/// Uploads batches to mParticle, and blocks until each upload has ended.
///
/// Create one client and clone it. Cloning is cheap. Clones share connections, the rate limiter, the retry budget, the
/// [limit on requests in flight](ClientBuilder::max_in_flight) and one background thread.
///
/// A client cannot be used after a fork. In the child process, every upload returns an error of kind
/// [`Closed`](crate::ErrorKind::Closed). Create another client there.
///
/// # Examples
/// ```no_run
/// use mparticle_client::blocking::Client;
/// use mparticle_client::models::{Batch, Environment};
///
/// # fn main() -> Result<(), mparticle_client::Error> {
/// let client = Client::from_env()?;
/// let receipt = client.upload_events(&Batch::new(Environment::Production))?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    client: crate::Client,
    driver: Arc<Driver>,
}

impl Client {
    /// Returns a builder for a client with these credentials. [`ClientBuilder::build_blocking`] builds the client.
    ///
    /// # Examples
    /// ```
    /// use mparticle_client::{Credentials, blocking::Client};
    ///
    /// # fn main() -> Result<(), mparticle_client::Error> {
    /// let client = Client::builder(Credentials::new("your-key", "your-secret"))
    ///     .build_blocking()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn builder(credentials: Credentials) -> ClientBuilder {
        ClientBuilder::new(credentials)
    }

    /// Creates a client with the settings in the environment variables.
    ///
    /// [`ClientBuilder::from_env`] describes the variables.
    ///
    /// # Errors
    /// - [`Config`](crate::ErrorKind::Config): a required variable is not set, the value of a variable is invalid, or
    ///   the background thread cannot be started.
    ///
    /// # Examples
    /// ```no_run
    /// # fn main() -> Result<(), mparticle_client::Error> {
    /// let client = mparticle_client::blocking::Client::from_env()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build_blocking()
    }

    pub(crate) fn new(client: crate::Client) -> Result<Self, Error> {
        Ok(Self { client, driver: Arc::new(Driver::start()?) })
    }

    /// Returns a client with other credentials and otherwise the same settings.
    ///
    /// The new client shares the background thread, the connections and the [limit on requests in
    /// flight](ClientBuilder::max_in_flight) with this client. It has its own rate limiter and retry budget.
    ///
    /// # Errors
    /// - [`Config`](crate::ErrorKind::Config): the credentials are invalid.
    ///
    /// # Examples
    /// ```
    /// use mparticle_client::{Credentials, blocking::Client};
    ///
    /// # fn main() -> Result<(), mparticle_client::Error> {
    /// let ios = Client::builder(Credentials::new("ios-key", "ios-secret"))
    ///     .build_blocking()?;
    /// let web = ios.with_credentials(&Credentials::new("web-key", "web-secret"))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_credentials(&self, credentials: &Credentials) -> Result<Self, Error> {
        let client = self.client.with_credentials(credentials)?;
        Ok(Self { client, driver: Arc::clone(&self.driver) })
    }

    /// Returns the rate limiter of this client and its clones.
    ///
    /// Pass it to [`ClientBuilder::rate_limiter`] to share it with another client of the same API key.
    ///
    /// # Examples
    /// ```
    /// use mparticle_client::{Credentials, blocking::Client};
    ///
    /// # fn main() -> Result<(), mparticle_client::Error> {
    /// let credentials = Credentials::new("your-key", "your-secret");
    /// let events = Client::builder(credentials.clone()).build_blocking()?;
    /// let backfill = Client::builder(credentials)
    ///     .rate_limiter(events.rate_limiter())
    ///     .build_blocking()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn rate_limiter(&self) -> RateLimiter {
        self.client.rate_limiter()
    }

    /// Uploads one batch: `POST /v2/events`.
    ///
    /// A batch without a `source_request_id` is sent with a random one, which the receipt or the error contains.
    ///
    /// # Errors
    /// If the batch was encoded, the error contains the [request](Error::into_request). The kind is one of:
    ///
    /// - [`Invalid`](crate::ErrorKind::Invalid), [`TooLarge`](crate::ErrorKind::TooLarge),
    ///   [`Unauthorized`](crate::ErrorKind::Unauthorized), [`Rejected`](crate::ErrorKind::Rejected),
    ///   [`RateLimited`](crate::ErrorKind::RateLimited), [`RetriesExhausted`](crate::ErrorKind::RetriesExhausted),
    ///   [`Timeout`](crate::ErrorKind::Timeout), [`Server`](crate::ErrorKind::Server) and
    ///   [`Transport`](crate::ErrorKind::Transport): as for [`crate::Client::upload_events`].
    /// - [`Closed`](crate::ErrorKind::Closed): the process was forked after the client was created. This error contains
    ///   no request.
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::{Error, blocking::Client, models::Batch};
    /// # fn example(client: &Client, batch: &Batch) -> Result<(), Error> {
    /// let receipt = client.upload_events(batch)?;
    /// println!("accepted as {:?}", receipt.source_request_ids());
    /// # Ok(())
    /// # }
    /// ```
    pub fn upload_events(&self, batch: &Batch) -> Result<Receipt, Error> {
        self.driver.run(self.client.upload_events(batch))?
    }

    /// Uploads up to 100 batches of any users in one request: `POST /v2/bulkevents`.
    ///
    /// mParticle accepts or refuses the request as a whole, and may drop single batches after it has accepted the
    /// request. To upload more batches, or to find the batch that mParticle refuses, use
    /// [`upload_all`](Self::upload_all).
    ///
    /// # Errors
    /// - [`Invalid`](crate::ErrorKind::Invalid) and [`TooLarge`](crate::ErrorKind::TooLarge): as for
    ///   [`crate::Client::bulk_upload_events`].
    /// - [`Unauthorized`](crate::ErrorKind::Unauthorized), [`Rejected`](crate::ErrorKind::Rejected),
    ///   [`RateLimited`](crate::ErrorKind::RateLimited), [`RetriesExhausted`](crate::ErrorKind::RetriesExhausted),
    ///   [`Timeout`](crate::ErrorKind::Timeout), [`Server`](crate::ErrorKind::Server) and
    ///   [`Transport`](crate::ErrorKind::Transport): as for [`crate::Client::upload_events`].
    /// - [`Closed`](crate::ErrorKind::Closed): the process was forked after the client was created.
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::{Error, blocking::Client, models::Batch};
    /// # fn example(client: &Client, batches: &[Batch]) -> Result<(), Error> {
    /// for up_to_100 in batches.chunks(100) {
    ///     client.bulk_upload_events(up_to_100)?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn bulk_upload_events(&self, batches: &[Batch]) -> Result<Receipt, Error> {
        self.driver.run(self.client.bulk_upload_events(batches))?
    }

    /// Uploads up to 100 batches of old events in one request: `POST /v2/bulkevents/historical`.
    ///
    /// [`crate::Client::bulk_upload_historical_events`] describes which events the endpoint processes.
    ///
    /// # Errors
    /// - [`Invalid`](crate::ErrorKind::Invalid) and [`TooLarge`](crate::ErrorKind::TooLarge): as for
    ///   [`crate::Client::bulk_upload_historical_events`].
    /// - [`Unauthorized`](crate::ErrorKind::Unauthorized), [`Rejected`](crate::ErrorKind::Rejected),
    ///   [`RateLimited`](crate::ErrorKind::RateLimited), [`RetriesExhausted`](crate::ErrorKind::RetriesExhausted),
    ///   [`Timeout`](crate::ErrorKind::Timeout), [`Server`](crate::ErrorKind::Server) and
    ///   [`Transport`](crate::ErrorKind::Transport): as for [`crate::Client::upload_events`].
    /// - [`Closed`](crate::ErrorKind::Closed): the process was forked after the client was created.
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::{Error, blocking::Client, models::Batch};
    /// # fn example(client: &Client, last_year: &[Batch]) -> Result<(), Error> {
    /// let receipt = client.bulk_upload_historical_events(last_year)?;
    /// println!("accepted after {} attempt(s)", receipt.attempts());
    /// # Ok(())
    /// # }
    /// ```
    pub fn bulk_upload_historical_events(&self, batches: &[Batch]) -> Result<Receipt, Error> {
        self.driver.run(self.client.bulk_upload_historical_events(batches))?
    }

    /// Uploads any number of batches in as few requests as possible. [`UploadAll::run`] starts the upload.
    ///
    /// [`crate::UploadAll`] describes packing, order, outages and options, and
    /// [`FailedBatch::error`](crate::FailedBatch::error) lists the kinds of errors.
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::{Error, blocking::Client, models::Batch};
    /// # fn example(client: &Client, batches: Vec<Batch>) -> Result<(), Error> {
    /// let report = client.upload_all(batches).concurrency(8).run()?;
    /// for failed in report.failed() {
    ///     eprintln!("{}: {}", failed.source_request_id(), failed.error());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn upload_all<'a, I>(&self, batches: I) -> UploadAll<'a>
    where
        I: IntoIterator<Item = Batch>,
        I::IntoIter: Send + 'a,
    {
        UploadAll::new(self.client.upload_all(batches), Arc::clone(&self.driver))
    }

    /// Sends an encoded request again, with the same ids and the same bytes.
    ///
    /// If mParticle accepted an earlier attempt, it recognizes the ids and does not count the data twice.
    ///
    /// # Errors
    /// - [`Unauthorized`](crate::ErrorKind::Unauthorized), [`Rejected`](crate::ErrorKind::Rejected),
    ///   [`RateLimited`](crate::ErrorKind::RateLimited), [`RetriesExhausted`](crate::ErrorKind::RetriesExhausted),
    ///   [`Timeout`](crate::ErrorKind::Timeout), [`Server`](crate::ErrorKind::Server) and
    ///   [`Transport`](crate::ErrorKind::Transport): as for [`crate::Client::upload_events`].
    /// - [`Closed`](crate::ErrorKind::Closed): the process was forked after the client was created.
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::{Error, blocking::Client, models::Batch};
    /// # use std::time::Duration;
    /// # fn example(client: &Client, batch: &Batch) -> Result<(), Error> {
    /// if let Err(error) = client.upload_events(batch) {
    ///     if !error.is_retryable() {
    ///         return Err(error);
    ///     }
    ///     let wait = error.retry_after().unwrap_or(Duration::from_secs(60));
    ///     if let Some(request) = error.into_request() {
    ///         std::thread::sleep(wait);
    ///         client.resend(request)?;
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn resend(&self, request: EncodedRequest) -> Result<Receipt, Error> {
        self.driver.run(self.client.resend(request))?
    }
}
