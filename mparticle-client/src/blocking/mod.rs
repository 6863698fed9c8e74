//! The same client without `async` (feature `blocking`).
//!
//! Every method waits on the calling thread until its upload has ended. It may be called anywhere, also inside an
//! asynchronous runtime, where it blocks the thread but does not panic; there the asynchronous
//! [`Client`](crate::Client) is the better choice.
//!
//! ```no_run
//! use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment, UserIdentities};
//! use mparticle_client::{Credentials, Pod, blocking::Client};
//!
//! let client = Client::builder(Credentials::new("your key", "your secret")).pod(Pod::Eu1).build_blocking()?;
//! let batch = Batch::new(Environment::Production)
//!     .with_user_identities(UserIdentities::new().with_customer_id("42"))
//!     .with_event(CustomEvent::new("Signed up", CustomEventType::Navigation));
//! client.upload_events(&batch)?;
//! # Ok::<(), mparticle_client::Error>(())
//! ```

mod driver;
mod upload_all;

pub use upload_all::UploadAll;

use crate::models::Batch;
use crate::{ClientBuilder, Credentials, EncodedRequest, Error, RateLimiter, Receipt};
use driver::Driver;
use std::sync::Arc;

/// Uploads batches to mParticle, and waits for each upload.
///
/// It is cheap to clone; clones share connections, rate limiter, retry budget and one background thread. It does not
/// survive a fork: in the child every method answers with an error of kind [`Closed`](crate::ErrorKind::Closed).
#[derive(Clone, Debug)]
pub struct Client {
    client: crate::Client,
    driver: Arc<Driver>,
}

impl Client {
    /// Begins to describe a client; [`ClientBuilder::build_blocking`] makes it.
    #[must_use]
    pub fn builder(credentials: Credentials) -> ClientBuilder {
        ClientBuilder::new(credentials)
    }

    /// A client as the environment describes it; see [`crate::Client::from_env`].
    ///
    /// # Errors
    /// Of kind [`Config`](crate::ErrorKind::Config) when a variable is missing or cannot be used.
    pub fn from_env() -> Result<Self, Error> {
        ClientBuilder::from_env()?.build_blocking()
    }

    pub(crate) fn new(client: crate::Client) -> Result<Self, Error> {
        Ok(Self { client, driver: Arc::new(Driver::start()?) })
    }

    /// A client with other credentials and its own rate limiter and retry budget, over the same connections.
    ///
    /// # Errors
    /// Of kind [`Config`](crate::ErrorKind::Config) when the credentials cannot be used.
    pub fn with_credentials(&self, credentials: &Credentials) -> Result<Self, Error> {
        let client = self.client.with_credentials(credentials)?;
        Ok(Self { client, driver: Arc::clone(&self.driver) })
    }

    /// The rate limiter, to be shared with other clients of the same key.
    #[must_use]
    pub fn rate_limiter(&self) -> RateLimiter {
        self.client.rate_limiter()
    }

    /// Uploads one batch; see [`crate::Client::upload_events`].
    ///
    /// # Errors
    /// The same.
    pub fn upload_events(&self, batch: &Batch) -> Result<Receipt, Error> {
        self.driver.run(self.client.upload_events(batch))?
    }

    /// Uploads up to 100 batches; see [`crate::Client::bulk_upload_events`].
    ///
    /// # Errors
    /// The same.
    pub fn bulk_upload_events(&self, batches: &[Batch]) -> Result<Receipt, Error> {
        self.driver.run(self.client.bulk_upload_events(batches))?
    }

    /// Uploads up to 100 batches of old events; see [`crate::Client::bulk_upload_historical_events`].
    ///
    /// # Errors
    /// The same.
    pub fn bulk_upload_historical_events(&self, batches: &[Batch]) -> Result<Receipt, Error> {
        self.driver.run(self.client.bulk_upload_historical_events(batches))?
    }

    /// Uploads any number of batches; see [`crate::Client::upload_all`]. [`UploadAll::run`] starts it.
    pub fn upload_all<'a, I>(&self, batches: I) -> UploadAll<'a>
    where
        I: IntoIterator<Item = Batch>,
        I::IntoIter: Send + 'a,
    {
        UploadAll::new(self.client.upload_all(batches), Arc::clone(&self.driver))
    }

    /// Sends a request that failed once more; see [`crate::Client::resend`].
    ///
    /// # Errors
    /// The same.
    pub fn resend(&self, unsent: EncodedRequest) -> Result<Receipt, Error> {
        self.driver.run(self.client.resend(unsent))?
    }
}
