//! Any number of batches, in as many requests as they take.
//!
//! Batches are pulled from a source, encoded, packed into chunks in order, and sent by several requests at a time.
//! What holds throughout:
//! - Every batch that was pulled ends in exactly one outcome.
//! - Two requests that hold the same user are never in flight together, and no chunk overtakes an earlier one with
//!   which it shares a user.
//! - No more is held in memory than the requests in flight, as many chunks again, and what failed.
//!
//! A batch goes through `intake` (encoding, dividing, packing), the order (waiting for its turn), `flight` (being sent,
//! once or in halves) and `ledger` (its outcome); `engine` moves it along.

mod engine;
mod flight;
mod intake;
mod ledger;
mod report;

#[cfg(test)]
mod tests;

pub use report::{FailedBatch, Outcome, Stopped, UploadReport};

use crate::encoding::Encoder;
use crate::models::Batch;
use crate::{EncodedRequest, Endpoint, Error, Receipt};
use futures_core::Stream;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

/// What sends one request, with all the attempts that it takes.
pub(crate) trait Deliver: Send + Sync {
    fn deliver(
        &self,
        unsent: EncodedRequest,
    ) -> impl Future<Output = Result<Receipt, Error>> + Send;
}

type Report<'a> = Pin<Box<dyn Future<Output = UploadReport> + Send + 'a>>;
type OnOutcome<'a> = Box<dyn FnMut(Outcome<'_>) + Send + 'a>;

/// Uploads any number of batches; await it to begin.
///
/// Batches are pulled as fast as they can be sent and packed in order into requests of up to 100 batches and 256,000
/// bytes. A batch of more than 128,000 bytes is divided by events into parts, each of which repeats all the rest and
/// has an id of its own, such as `<id>/1of3`. If mParticle refuses a request as malformed, it is halved until the bad
/// batch stands alone, and the others are delivered.
///
/// Batches of one user arrive in the order in which they were given: two requests with the same `mpid`, identity or
/// device identifier are never in flight together.
///
/// Ids are not compared: of two batches that were given the same `source_request_id`, mParticle drops the second, as it
/// should when a source is read again.
///
/// A source that has no batch ready for the moment delays those that it gave by 100 milliseconds at most, while there
/// are requests to spare; then they are sent as they are.
///
/// Dropping the future cancels the requests in flight and pulls no more.
#[must_use = "nothing is sent until it is awaited"]
pub struct UploadAll<'a> {
    options: Options<'a>,
    run: Box<dyn FnOnce(Options<'a>) -> Report<'a> + Send + 'a>,
}

/// What the caller may choose.
struct Options<'a> {
    endpoint: Endpoint,
    concurrency: usize,
    max_rate_limit_wait: Duration,
    stop_after_failures: Option<usize>,
    on_outcome: Option<OnOutcome<'a>>,
}

impl<'a> UploadAll<'a> {
    pub(crate) fn new<D, S>(deliver: D, encoder: Encoder, source: S) -> Self
    where
        D: Deliver + 'a,
        S: Stream<Item = Batch> + Send + 'a,
    {
        let options = Options {
            endpoint: Endpoint::BulkEvents,
            concurrency: 4,
            max_rate_limit_wait: Duration::from_secs(10 * 60),
            stop_after_failures: None,
            on_outcome: None,
        };
        let run =
            |options| -> Report<'a> { Box::pin(engine::run(deliver, encoder, source, options)) };
        Self { options, run: Box::new(run) }
    }

    /// How many requests may be in flight at a time; 4 unless set. Zero counts as one.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.options.concurrency = requests.max(1);
        self
    }

    /// Sends to the endpoint for historical data.
    ///
    /// A batch without events, with an event that has no timestamp, or with one that is less than 72 hours old, fails
    /// without being sent: mParticle would drop it in silence.
    pub fn historical(mut self) -> Self {
        self.options.endpoint = Endpoint::HistoricalBulkEvents;
        self
    }

    /// How long one request may wait in total when mParticle asks for more patience than the overall timeout of a
    /// request allows; 10 minutes unless set. What would have to wait longer fails as
    /// [`RateLimited`](crate::ErrorKind::RateLimited).
    pub fn max_rate_limit_wait(mut self, wait: Duration) -> Self {
        self.options.max_rate_limit_wait = wait;
        self
    }

    /// Pulls no more batches once so many have failed; what was pulled is still sent. Zero counts as one. Unless set,
    /// failures do not stop it, save those that every further request would share.
    pub fn stop_after_failures(mut self, batches: usize) -> Self {
        self.options.stop_after_failures = Some(batches.max(1));
        self
    }

    /// Calls a function with the outcome of each batch as soon as it is known. It should return quickly: nothing is
    /// sent meanwhile.
    pub fn on_outcome(mut self, function: impl FnMut(Outcome<'_>) + Send + 'a) -> Self {
        self.options.on_outcome = Some(Box::new(function));
        self
    }
}

impl<'a> IntoFuture for UploadAll<'a> {
    type Output = UploadReport;
    type IntoFuture = Pin<Box<dyn Future<Output = UploadReport> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        (self.run)(self.options)
    }
}

impl fmt::Debug for UploadAll<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadAll")
            .field("endpoint", &self.options.endpoint)
            .field("concurrency", &self.options.concurrency)
            .field("max_rate_limit_wait", &self.options.max_rate_limit_wait)
            .field("stop_after_failures", &self.options.stop_after_failures)
            .finish_non_exhaustive()
    }
}
