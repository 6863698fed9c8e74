//! Uploads any number of batches, without `async`.

use super::driver::Driver;
use crate::upload_all::Options;
use crate::{BatchResult, Endpoint, Error, UploadReport};
use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

/// An upload of any number of batches. [`run`](Self::run) starts it.
///
/// Returned by [`Client::upload_all`](super::Client::upload_all). It has the same behavior and options as
/// [`crate::UploadAll`].
#[must_use = "nothing is uploaded before `run`"]
pub struct UploadAll<'a> {
    upload: crate::UploadAll<'a>,
    options: Options<'a>,
    driver: Arc<Driver>,
}

impl<'a> UploadAll<'a> {
    pub(super) fn new(upload: crate::UploadAll<'a>, driver: Arc<Driver>) -> Self {
        Self { upload, options: Options::default(), driver }
    }

    /// Sets the maximum number of requests in flight; see [`crate::UploadAll::concurrency`].
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.options.concurrency = requests;
        self
    }

    /// Sends to the endpoint for historical data; see [`crate::UploadAll::historical`].
    pub fn historical(mut self) -> Self {
        self.options.endpoint = Endpoint::HistoricalBulkEvents;
        self
    }

    /// Sets the time without an accepted request after which the upload stops; see [`crate::UploadAll::max_wait`].
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.options.max_wait = wait;
        self
    }

    /// Sets the number of failed or rejected batches after which no further batches are pulled; see
    /// [`crate::UploadAll::stop_after_failures`].
    pub fn stop_after_failures(mut self, batches: usize) -> Self {
        self.options.stop_after_failures = Some(batches);
        self
    }

    /// Sets a function that is called with the outcome of each batch as soon as it is known; see
    /// [`crate::UploadAll::on_outcome`].
    pub fn on_outcome(mut self, function: impl FnMut(&BatchResult) + Send + 'a) -> Self {
        self.options.on_outcome = Some(Box::new(function));
        self
    }

    /// Uploads the batches, and blocks until each batch has an outcome.
    ///
    /// The report contains the batches that were not delivered, each with its error.
    ///
    /// # Errors
    /// - [`Closed`](crate::ErrorKind::Closed): the process was forked after the client was created.
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::{Error, blocking::Client, models::Batch};
    /// # fn example(client: &Client, batches: Vec<Batch>) -> Result<(), Error> {
    /// let report = client.upload_all(batches).run()?;
    /// println!("{} of {} delivered", report.delivered(), report.given());
    /// # Ok(())
    /// # }
    /// ```
    pub fn run(self) -> Result<UploadReport, Error> {
        self.driver.run(self.upload.with_options(self.options).into_future())
    }
}

impl fmt::Debug for UploadAll<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadAll").field("options", &self.options).finish_non_exhaustive()
    }
}
