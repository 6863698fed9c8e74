//! Any number of batches, in as many requests as they take.
//!
//! [`run`] pulls batches from a source, [`intake`] encodes them into documents for the dispatcher, and [`outcomes`]
//! makes a [`report`] of the results.

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
/// Returned by [`Client::upload_all`] and [`Client::upload_all_stream`].
///
/// Batches are pulled as fast as they can be sent, and packed into requests of up to 100 batches and 256,000 bytes. A
/// batch of more than 128,000 bytes is divided by events into parts, each of which repeats everything else and has an id
/// of its own, such as `<id>/1of3`. If mParticle refuses a request as malformed, it is halved until the bad batch stands
/// alone, and the others are delivered.
///
/// **Order.** Batches of one user arrive in the order in which they were given. Batches belong to one user if they share
/// an `mpid`, an identity or a device identifier.
///
/// **Outages and rate limits.** While nothing gets through, no further batches are pulled, and one request at a time is
/// tried. If nothing is accepted for [`max_wait`](Self::max_wait), the upload stops.
///
/// **Stopping.** An upload that stops early returns every batch that it has pulled and not delivered in
/// [`UploadReport::failed`], in the order of the source; [`UploadReport::stopped`] tells why. To go on later, upload
/// these batches, then the rest of the source after [`UploadReport::given`] batches.
///
/// **Dropping** the future cancels the requests in flight. Batches that were pulled and not delivered are lost, and
/// whether those in flight were accepted is not known. To end an upload early without losing batches, end its source.
///
/// If a source has no batch ready, the batches that it gave wait for others for up to 100 milliseconds. Then they are
/// sent as they are.
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
    /// Boxed one by one: a batch takes almost 3 kB, too much to be moved from hand to hand.
    source: BoxStream<'a, Box<Batch>>,
    options: Options<'a>,
}

/// The options of an upload; the blocking client has the same.
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

    /// Sets how many requests may be in flight at a time; 4 unless set. Zero counts as one.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.options.concurrency = requests;
        self
    }

    /// Sends to the endpoint for historical data.
    ///
    /// A batch without events, with an event that has no timestamp, or with an event that is less than 72 hours old is
    /// rejected without being sent, because mParticle would drop it silently.
    pub fn historical(mut self) -> Self {
        self.options.endpoint = Endpoint::HistoricalBulkEvents;
        self
    }

    /// Sets for how long mParticle may accept nothing before the upload stops; 10 minutes unless set.
    ///
    /// The time counts from the last request that was accepted, or from the start. It includes outages and rate limits.
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.options.max_wait = wait;
        self
    }

    /// Stops pulling batches once this many have failed or were rejected. Batches that were pulled are still sent.
    ///
    /// Zero counts as one. Unless set, failures of single batches do not stop the upload.
    pub fn stop_after_failures(mut self, batches: usize) -> Self {
        self.options.stop_after_failures = Some(batches);
        self
    }

    /// Calls a function with the outcome of each batch as soon as it is known.
    ///
    /// The function should return quickly, because nothing is sent meanwhile.
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
fn max_batches(max_rate: Option<f64>) -> usize {
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
