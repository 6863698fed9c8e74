//! Any number of batches, without `async`.

use super::driver::Driver;
use crate::upload_all::Options;
use crate::{BatchResult, Endpoint, Error, UploadObserver, UploadReport};
use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

/// An upload of any number of batches. [`run`](Self::run) starts it.
///
/// Returned by [`Client::upload_all`](super::Client::upload_all). It behaves as [`crate::UploadAll`], and has the same
/// options.
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

    /// Sets how many requests may be in flight at a time; see [`crate::UploadAll::concurrency`].
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.options.concurrency = requests;
        self
    }

    /// Sends to the endpoint for historical data; see [`crate::UploadAll::historical`].
    pub fn historical(mut self) -> Self {
        self.options.endpoint = Endpoint::HistoricalBulkEvents;
        self
    }

    /// Sets for how long mParticle may accept nothing before the upload stops; see [`crate::UploadAll::max_wait`].
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.options.max_wait = wait;
        self
    }

    /// Stops pulling batches once this many have failed; see [`crate::UploadAll::stop_after_failures`].
    pub fn stop_after_failures(mut self, batches: usize) -> Self {
        self.options.stop_after_failures = Some(batches);
        self
    }

    /// Calls a function with the outcome of each batch as soon as it is known; see [`crate::UploadAll::on_outcome`].
    pub fn on_outcome(mut self, function: impl FnMut(&BatchResult) + Send + 'a) -> Self {
        self.options.on_outcome = Some(Box::new(function));
        self
    }

    /// Reports results, checkpoints and outages while the upload runs; see [`crate::UploadAll::observer`].
    pub fn observer(mut self, observer: impl UploadObserver + Send + 'a) -> Self {
        self.options.observer = Some(Box::new(observer));
        self
    }

    /// Uploads the batches and waits for the last one.
    ///
    /// # Errors
    /// Of kind [`Closed`](crate::ErrorKind::Closed) in a forked process. What became of each batch is in the report.
    pub fn run(self) -> Result<UploadReport, Error> {
        self.driver.run(self.upload.with_options(self.options).into_future())
    }
}

impl fmt::Debug for UploadAll<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadAll").field("options", &self.options).finish_non_exhaustive()
    }
}
