//! From settings to a queue.

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

/// Configures a [`Queue`]. [`Client::queue`] returns it.
///
/// # Examples
/// ```
/// # async fn example(client: mparticle_client::Client) -> Result<(), mparticle_client::Error> {
/// use std::time::Duration;
///
/// let queue = client
///     .queue()
///     .max_pending(50_000, 64 * 1024 * 1024)
///     .flush_every(Duration::from_secs(1))
///     .on_outcome(|result| {
///         if let Some(error) = result.error() {
///             eprintln!("{} was refused: {error}", result.source_request_id());
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

    /// Sets how many batches may be pending, and how many bytes of memory they may take. The default is 10,000 batches
    /// and 16 MiB.
    ///
    /// A batch takes the size of its JSON and a fixed overhead of 640 bytes. A spool may recover more batches than these
    /// bounds allow; the queue then accepts nothing until enough of them are delivered. The outcomes that wait for the
    /// [outcome hook](Self::on_outcome) count as well.
    pub fn max_pending(mut self, batches: usize, bytes: usize) -> Self {
        self.max_batches = batches;
        self.max_bytes = bytes;
        self
    }

    /// Sets how long a batch may wait for others, so that fewer requests are needed. The default is 5 seconds.
    ///
    /// A full request is sent at once. So is everything when the queue is flushed or shut down, and when the queue is full
    /// and nothing is in flight.
    pub fn flush_every(mut self, interval: Duration) -> Self {
        self.settings.flush_every = interval;
        self
    }

    /// Sets how many requests may be in flight at a time. The default is 4. Zero counts as one.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.settings.concurrency = requests.max(1);
        self
    }

    /// Leaves events without a timestamp as they are.
    ///
    /// By default, an event without `timestamp_unixtime_ms` gets the time at which the queue accepts its batch. mParticle
    /// would use the time at which it receives the batch, which an outage, a pause or a restart can delay by hours.
    pub fn without_event_times(mut self) -> Self {
        self.sets_event_times = false;
        self
    }

    /// Calls a function once with the outcome of each batch.
    ///
    /// The function runs on a thread of its own. If it blocks, later outcomes wait for it, and their batches continue to
    /// count against [`max_pending`](Self::max_pending). It may call [`Queue::try_send`], but must not wait for the queue.
    /// It should not own the queue, which would then never be dropped. If it panics, the panic is logged, and the next
    /// outcome follows.
    pub fn on_outcome(mut self, function: impl Fn(&BatchResult) + Send + Sync + 'static) -> Self {
        self.hook = Some(Arc::new(function));
        self
    }

    /// Keeps batches in a folder until they are delivered, so that they survive a crash (feature `spool`).
    ///
    /// The folder is created if it does not exist. It is locked while the queue lives, and belongs to this queue alone. Its
    /// files can be read by the user alone (mode 0600). They contain batches, but no credentials.
    ///
    /// The spool reserves disk space before it accepts a batch, so that it can always note what was delivered. On a full
    /// disk, `send` and `try_send` return an error of the kind [`Storage`](ErrorKind::Storage).
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

    /// Builds the queue and starts its worker, on a thread with its own runtime and its own connections. The future may be
    /// awaited in any runtime, or without one.
    ///
    /// # Errors
    ///
    /// - [`Config`](ErrorKind::Config): a bound is zero, or no thread can be started
    /// - [`Storage`](ErrorKind::Storage): the spool cannot be used. A spool with damaged files can be used:
    ///   `Queue::recovery` reports what was lost.
    pub async fn build(self) -> Result<Queue, Error> {
        let (queue, worker) = self.build_with_worker().await?;
        worker.start()?;
        Ok(queue)
    }

    /// Builds the queue and returns its worker, to be spawned in a Tokio runtime with timers and I/O. Tests use it to run
    /// the worker on their own, paused clock.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
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
            problems.push("it may hold no batches");
        }
        if self.max_bytes == 0 {
            problems.push("it may hold no bytes");
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
