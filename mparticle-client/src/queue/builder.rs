//! The settings of a queue, and how it is built from them.

use super::capacity::Capacity;
use super::delivery::{Delivery, DeliverySettings};
use super::handle::Inner;
use super::outcome_hook::{HookFunction, OutcomeHook};
use super::shared::Shared;
use super::{BatchResult, Queue, Worker};
use crate::timing::Clock;
use crate::{Client, Error, ErrorKind};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Configures and builds a [`Queue`]. Returned by [`Client::queue`].
///
/// # Examples
/// ```
/// # use mparticle_client::{Client, Error};
/// use std::time::Duration;
///
/// # async fn example(client: Client) -> Result<(), Error> {
/// let queue = client
///     .queue()
///     .max_pending(50_000, 64 * 1024 * 1024)
///     .flush_every(Duration::from_secs(1))
///     .on_outcome(|result| {
///         if let Some(error) = result.error() {
///             eprintln!("{} was rejected: {error}", result.source_request_id());
///         }
///     })
///     .build()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct QueueBuilder {
    client: Client,
    max_batches: usize,
    max_bytes: usize,
    settings: DeliverySettings,
    sets_event_times: bool,
    hook: Option<HookFunction>,
    clock: Clock,
    #[cfg(feature = "spool")]
    spool: Option<std::path::PathBuf>,
    #[cfg(all(test, feature = "testing"))]
    store: Option<Arc<dyn super::store::BatchStore>>,
}

impl QueueBuilder {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            max_batches: 10_000,
            max_bytes: 16 * 1024 * 1024,
            settings: DeliverySettings { flush_every: Duration::from_secs(5), concurrency: 4 },
            sets_event_times: true,
            hook: None,
            clock: Arc::new(SystemTime::now),
            #[cfg(feature = "spool")]
            spool: None,
            #[cfg(all(test, feature = "testing"))]
            store: None,
        }
    }

    /// Sets the maximum number of pending batches, and the maximum memory that they may take in bytes. The default is
    /// 10,000 batches and 16 MiB.
    ///
    /// A batch takes the size of its JSON and a fixed overhead of 640 bytes. A batch whose outcome waits for the
    /// [outcome hook](Self::on_outcome) is still pending. A spool may recover more batches than these limits allow. The
    /// queue then accepts nothing until enough of them are delivered.
    ///
    /// Building the queue fails if a limit is zero.
    pub fn max_pending(mut self, batches: usize, bytes: usize) -> Self {
        self.max_batches = batches;
        self.max_bytes = bytes;
        self
    }

    /// Sets how long a batch may wait for others to share a request with. The default is 5 seconds.
    ///
    /// A full request is sent at once. All batches are sent at once if the queue is flushed or shut down, or if it is
    /// full and no request is in flight.
    pub fn flush_every(mut self, interval: Duration) -> Self {
        self.settings.flush_every = interval;
        self
    }

    /// Sets the maximum number of requests in flight. The default is 4. Zero is treated as one.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.settings.concurrency = requests.max(1);
        self
    }

    /// Disables the timestamps that the queue adds to events.
    ///
    /// By default, the queue sets `timestamp_unixtime_ms` of an event that has none to the time at which it accepts the
    /// batch. Without a timestamp, mParticle uses the time at which it receives the batch. An outage, a pause or a
    /// restart can delay that by hours.
    pub fn without_event_times(mut self) -> Self {
        self.sets_event_times = false;
        self
    }

    /// Sets the outcome hook: a function that is called once with the outcome of each batch.
    ///
    /// The function runs on its own thread. If it blocks, later outcomes wait, and their batches continue to count
    /// towards [`max_pending`](Self::max_pending). It may call [`Queue::try_send`], but must not wait for the queue. It
    /// should not own the queue, which would then never be dropped. If it panics, the queue logs an error and continues
    /// with the next outcome.
    pub fn on_outcome(mut self, function: impl Fn(&BatchResult) + Send + Sync + 'static) -> Self {
        self.hook = Some(Arc::new(function));
        self
    }

    /// Stores batches in a folder until they are delivered (feature `spool`). They then survive a crash.
    ///
    /// The folder is created if it does not exist. It is locked while the queue is open, and must not be shared with
    /// another queue. Only the user can read its files (mode 0600). They contain batches, but no credentials.
    ///
    /// The spool reserves disk space before it accepts a batch, and can therefore always record deliveries. If the disk
    /// is full, [`Queue::send`] and [`Queue::try_send`] return an error of kind [`Storage`](ErrorKind::Storage).
    #[cfg(feature = "spool")]
    pub fn spool(mut self, folder: impl Into<std::path::PathBuf>) -> Self {
        self.spool = Some(folder.into());
        self
    }

    #[cfg(all(test, feature = "testing"))]
    pub(super) fn clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    #[cfg(all(test, feature = "testing"))]
    pub(super) fn store(mut self, store: Arc<dyn super::store::BatchStore>) -> Self {
        self.store = Some(store);
        self
    }

    /// Builds the queue and starts its worker.
    ///
    /// The worker runs on its own thread, with its own Tokio runtime and its own connections. The returned future can
    /// be awaited in any runtime, or without a runtime.
    ///
    /// # Errors
    /// - [`Config`](ErrorKind::Config): a limit is zero, or a thread cannot be started.
    /// - [`Storage`](ErrorKind::Storage): the spool cannot be opened. A spool with damaged files can be opened:
    ///   `Queue::recovery` describes the damage.
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example() -> Result<(), mparticle_client::Error> {
    /// let client = mparticle_client::Client::from_env()?;
    /// let queue = client.queue().build().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn build(self) -> Result<Queue, Error> {
        let (queue, worker) = self.build_with_worker().await?;
        worker.start()?;
        Ok(queue)
    }

    /// Builds the queue without starting a thread for its worker, and returns both.
    ///
    /// Spawn the worker in a Tokio runtime with timers and I/O. Tests use this to run the worker with paused time.
    ///
    /// # Errors
    /// - [`Config`](ErrorKind::Config) and [`Storage`](ErrorKind::Storage): as for [`build`](Self::build).
    ///
    /// # Examples
    /// ```no_run
    /// # async fn example() -> Result<(), mparticle_client::Error> {
    /// let client = mparticle_client::Client::from_env()?;
    /// let (queue, worker) = client.queue().build_with_worker().await?;
    /// tokio::spawn(worker);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg_attr(
        not(feature = "spool"),
        allow(clippy::unused_async, reason = "only a spool has to be waited for")
    )]
    pub async fn build_with_worker(self) -> Result<(Queue, Worker), Error> {
        self.check()?;
        let (encoder, sender) = self.client.parts();
        let capacity = Capacity::new(self.max_batches, self.max_bytes);
        let hook = self.hook.map(OutcomeHook::start).transpose().map_err(|error| {
            let message = format!("no thread could be started for the outcome hook: {error}");
            Error::new(ErrorKind::Config, message).with_source(error)
        })?;
        let shared = Arc::new(Shared::new(capacity, hook, self.clock));
        #[cfg(feature = "spool")]
        let opened = match self.spool.filter(|_| !sender.is_disabled()) {
            Some(folder) => super::recovery::open(folder, &shared).await?,
            None => super::recovery::OpenedStore::default(),
        };
        #[cfg(feature = "spool")]
        let store = opened.store;
        #[cfg(not(feature = "spool"))]
        let store = None;
        #[cfg(all(test, feature = "testing"))]
        let store = store.or(self.store);
        let own_sender = Arc::new(sender.for_another_runtime());
        #[cfg_attr(not(feature = "spool"), allow(unused_mut, reason = "a spool recovers batches"))]
        let mut delivery =
            Delivery::new(Arc::clone(&shared), own_sender, self.settings, store.clone());
        #[cfg(feature = "spool")]
        delivery.recover(opened.recovered);
        let queue = Queue::new(Inner {
            shared,
            encoder,
            sets_event_times: self.sets_event_times,
            sender,
            store,
            #[cfg(feature = "spool")]
            recovery: opened.recovery,
        });
        Ok((queue, Worker::new(delivery)))
    }

    fn check(&self) -> Result<(), Error> {
        let mut problems = Vec::new();
        if self.max_batches == 0 {
            problems.push("the maximum number of batches is zero");
        }
        if self.max_bytes == 0 {
            problems.push("the maximum number of bytes is zero");
        }
        if problems.is_empty() {
            return Ok(());
        }
        let message = format!("the queue cannot be built: {}", problems.join("; "));
        Err(Error::new(ErrorKind::Config, message))
    }
}

impl fmt::Debug for QueueBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueBuilder")
            .field("max_batches", &self.max_batches)
            .field("max_bytes", &self.max_bytes)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
