//! Any number of batches, without `async`.

use super::driver::Driver;
use crate::{Error, Outcome, UploadReport};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// An upload of any number of batches; made by [`Client::upload_all`](super::Client::upload_all).
///
/// The options are those of [`crate::UploadAll`].
#[must_use = "nothing is uploaded before `run`"]
pub struct UploadAll<'a> {
    upload: crate::UploadAll<'a>,
    driver: Arc<Driver>,
}

impl<'a> UploadAll<'a> {
    pub(super) fn new(upload: crate::UploadAll<'a>, driver: Arc<Driver>) -> Self {
        Self { upload, driver }
    }

    /// How many requests are under way at the same time.
    pub fn concurrency(self, requests: usize) -> Self {
        Self { upload: self.upload.concurrency(requests), ..self }
    }

    /// Uploads to the endpoint for old events.
    pub fn historical(self) -> Self {
        Self { upload: self.upload.historical(), ..self }
    }

    /// How long a request may wait in all when mParticle asks for it.
    pub fn max_rate_limit_wait(self, wait: Duration) -> Self {
        Self { upload: self.upload.max_rate_limit_wait(wait), ..self }
    }

    /// Takes no further batches after so many have failed.
    pub fn stop_after_failures(self, failures: usize) -> Self {
        Self { upload: self.upload.stop_after_failures(failures), ..self }
    }

    /// Calls a function with the outcome of each batch as soon as it is known.
    pub fn on_outcome(self, observe: impl FnMut(Outcome<'_>) + Send + 'a) -> Self {
        Self { upload: self.upload.on_outcome(observe), ..self }
    }

    /// Uploads the batches and waits for the last one.
    ///
    /// # Errors
    /// Of kind [`Closed`](crate::ErrorKind::Closed) alone, in a forked process; what became of each batch is in the
    /// report.
    pub fn run(self) -> Result<UploadReport, Error> {
        self.driver.run(self.upload.into_future())
    }
}

impl fmt::Debug for UploadAll<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadAll").finish_non_exhaustive()
    }
}
