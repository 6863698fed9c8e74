//! Uploads any number of batches in as few requests as possible.
//!
//! [`run`] pulls batches from a source, [`intake`] encodes them as documents for the dispatcher, and [`outcomes`]
//! collects the results in a [`report`].

mod intake;
mod observer;
mod outcomes;
mod report;
mod run;

#[cfg(test)]
mod tests;

pub use observer::UploadObserver;
pub use report::{FailedBatch, Stopped, UploadReport};

use crate::encoding::MAX_BATCHES;
use crate::models::Batch;
use crate::{BatchResult, Client, Endpoint};
use futures_core::Stream;
use futures_core::stream::BoxStream;
use futures_util::StreamExt;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

/// An upload of any number of batches. Awaiting it starts it.
///
/// Returned by [`Client::upload_all`] and [`Client::upload_all_stream`]. The upload does not return an error: the
/// [`UploadReport`] contains the batches that were not delivered, each with its error.
///
/// **Packing.** Batches are pulled as fast as they can be sent, and packed into requests of up to 100 batches and
/// 256,000 bytes. If the source has no batch ready, the pulled batches wait for others for up to 100 milliseconds. A
/// batch of more than 128,000 bytes is split by its events into parts. Each part repeats the other fields, and has its
/// own id, such as `<id>/1of3`.
///
/// **Malformed batches.** If mParticle refuses a request as malformed, the request is halved until the malformed batch
/// is found. The other batches are delivered.
///
/// **Order.** Batches of one user arrive in the order of the source. Batches belong to one user if they share an
/// `mpid`, an identity or a device identifier.
///
/// **Outages and rate limits.** While mParticle accepts no request, no further batches are pulled, and one request at a
/// time is tried. If mParticle accepts nothing for [`max_wait`](Self::max_wait), the upload stops.
///
/// **Stopping.** If an upload stops early, [`UploadReport::failed`] returns all batches that were pulled and not
/// delivered, in the order of the source, and [`UploadReport::stopped`] returns the reason. To continue later, upload
/// these batches, skip the first [`UploadReport::given`] batches of the source, and upload the rest.
///
/// **Dropping.** Dropping the future cancels the requests in flight, which mParticle may already have accepted. Batches
/// that were pulled and not delivered are lost. To end an upload early without losing batches, end its source.
///
/// # Examples
/// ```
/// # use mparticle_client::{Client, Outcome, models::Batch};
/// # async fn backfill(client: &Client, batches: Vec<Batch>) {
/// let report = client
///     .upload_all(batches)
///     .concurrency(8)
///     .on_outcome(|result| {
///         if let Outcome::Rejected(error) = result.outcome() {
///             eprintln!("{}: {error}", result.source_request_id());
///         }
///     })
///     .await;
/// println!("{} of {} delivered", report.delivered(), report.given());
/// # }
/// ```
#[must_use = "nothing is sent until it is awaited"]
pub struct UploadAll<'a> {
    client: Client,
    /// Each batch is boxed, because a batch takes almost 3 kB and is moved several times.
    source: BoxStream<'a, Box<Batch>>,
    options: Options<'a>,
}

/// The options of an upload. The blocking client has the same options.
pub(crate) struct Options<'a> {
    pub(crate) endpoint: Endpoint,
    pub(crate) concurrency: usize,
    /// How many batches a request holds at most.
    pub(crate) max_batches: usize,
    pub(crate) max_wait: Duration,
    pub(crate) stop_after_failures: Option<usize>,
    pub(crate) on_outcome: Option<OnOutcome<'a>>,
    pub(crate) observer: Option<Box<dyn UploadObserver + Send + 'a>>,
}

pub(crate) type OnOutcome<'a> = Box<dyn FnMut(&BatchResult) + Send + 'a>;

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            endpoint: Endpoint::BulkEvents,
            concurrency: 4,
            max_batches: MAX_BATCHES,
            max_wait: Duration::from_secs(10 * 60),
            stop_after_failures: None,
            on_outcome: None,
            observer: None,
        }
    }
}

impl<'a> UploadAll<'a> {
    pub(crate) fn new(client: Client, source: impl Stream<Item = Batch> + Send + 'a) -> Self {
        Self { client, source: source.map(Box::new).boxed(), options: Options::default() }
    }

    #[cfg(feature = "blocking")]
    pub(crate) fn with_options(self, options: Options<'a>) -> Self {
        Self { options, ..self }
    }

    /// Sets the maximum number of requests in flight. The default is 4. Zero is treated as one.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.options.concurrency = requests;
        self
    }

    /// Sends to the endpoint for historical data.
    ///
    /// A batch is rejected without being sent if it has no events, or if one of its events has no timestamp or is less
    /// than 72 hours old. mParticle would drop such a batch silently.
    pub fn historical(mut self) -> Self {
        self.options.endpoint = Endpoint::HistoricalBulkEvents;
        self
    }

    /// Sets the time without an accepted request after which the upload stops. The default is 10 minutes.
    ///
    /// The time is measured from the last accepted request, or from the start. It includes outages and rate limits.
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.options.max_wait = wait;
        self
    }

    /// Sets the number of failed or rejected batches after which no further batches are pulled. Pulled batches are
    /// still sent.
    ///
    /// Zero is treated as one. By default, failures of single batches do not stop the upload.
    pub fn stop_after_failures(mut self, batches: usize) -> Self {
        self.options.stop_after_failures = Some(batches);
        self
    }

    /// Sets a function that is called with the outcome of each batch as soon as it is known.
    ///
    /// The function should return quickly, because no request is started during the call.
    pub fn on_outcome(mut self, function: impl FnMut(&BatchResult) + Send + 'a) -> Self {
        self.options.on_outcome = Some(Box::new(function));
        self
    }

    /// Reports results, checkpoints and outages to an observer while the upload runs.
    ///
    /// Failed batches are passed to the observer. [`UploadReport::failed`] is then empty.
    pub fn observer(mut self, observer: impl UploadObserver + Send + 'a) -> Self {
        self.options.observer = Some(Box::new(observer));
        self
    }
}

impl<'a> IntoFuture for UploadAll<'a> {
    type Output = UploadReport;
    type IntoFuture = Pin<Box<dyn Future<Output = UploadReport> + Send + 'a>>;

    fn into_future(mut self) -> Self::IntoFuture {
        let (encoder, sender) = self.client.parts();
        self.options.max_batches = max_batches(sender.rate_limiter().ceiling());
        let retry = sender.retry_policy();
        Box::pin(run::run(sender, encoder, self.source, retry, self.options))
    }
}

/// Returns how many batches a request holds at most: not more than a second allows at the maximum rate of the client.
pub(crate) fn max_batches(max_rate: Option<f64>) -> usize {
    let fits = |batches: &usize| {
        max_rate.is_none_or(|rate| u32::try_from(*batches).is_ok_and(|n| f64::from(n) <= rate))
    };
    (1..=MAX_BATCHES).rev().find(fits).unwrap_or(1)
}

impl fmt::Debug for UploadAll<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadAll").field("options", &self.options).finish_non_exhaustive()
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("endpoint", &self.endpoint)
            .field("concurrency", &self.concurrency)
            .field("max_wait", &self.max_wait)
            .field("stop_after_failures", &self.stop_after_failures)
            .finish_non_exhaustive()
    }
}
