//! The settings of a relay, and how it is started.

use super::delivery::Hook;
use super::handle::Relay;
use super::log::BatchLog;
use super::stats::SharedStats;
use super::supervisor::Supervisor;
use crate::dispatch::DispatchSettings;
use crate::encoding::MAX_BATCHES;
use crate::send::check_runtime;
use crate::upload_all::max_batches;
use crate::{BatchResult, Client, Endpoint, Error};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;

/// Configures and starts a [`Relay`]. Returned by [`Client::relay`].
#[derive(Clone)]
#[must_use = "a builder does nothing until `start` is called"]
pub struct RelayBuilder<L> {
    client: Client,
    log: L,
    concurrency: usize,
    max_batches: usize,
    flush_every: Duration,
    hook: Option<Hook>,
}

impl<L: BatchLog> RelayBuilder<L> {
    pub(crate) fn new(client: Client, log: L) -> Self {
        Self {
            client,
            log,
            concurrency: 4,
            max_batches: MAX_BATCHES,
            flush_every: Duration::from_millis(100),
            hook: None,
        }
    }

    /// Sets the maximum number of requests in flight. The default is 4. Zero is treated as one.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests.max(1);
        self
    }

    /// Sets the maximum number of batches in a request. The default is 100, which is also the maximum.
    ///
    /// A tenth of the rate limit is a good value for a key that is used at its limit: a larger request uses a large part
    /// of the limit at once.
    pub fn max_batches(mut self, batches: usize) -> Self {
        self.max_batches = batches.clamp(1, MAX_BATCHES);
        self
    }

    /// Sets how long a batch may wait for others to share a request with. The default is 100 milliseconds.
    pub fn flush_every(mut self, interval: Duration) -> Self {
        self.flush_every = interval;
        self
    }

    /// Sets a function that is called once with the outcome of each record that is settled.
    ///
    /// The function should return quickly, because no request is started during the call. If it panics, the relay logs
    /// an error and continues.
    pub fn on_outcome(mut self, function: impl Fn(&BatchResult) + Send + Sync + 'static) -> Self {
        self.hook = Some(Arc::new(function));
        self
    }

    /// Starts the relay as a task of the current Tokio runtime.
    ///
    /// The relay of a [disabled](crate::ClientBuilder::disabled) client reads nothing. The batches stay in the log.
    ///
    /// # Errors
    /// - [`Config`](crate::ErrorKind::Config): there is no Tokio runtime, or it has no timers.
    /// - [`Closed`](crate::ErrorKind::Closed): the runtime was shut down.
    pub async fn start(self) -> Result<Relay, Error> {
        check_runtime().await?;
        let (_, sender) = self.client.parts();
        let settings = DispatchSettings {
            endpoint: Endpoint::BulkEvents,
            concurrency: self.concurrency,
            max_batches: self.max_batches.min(max_batches(sender.rate_limiter().ceiling())),
            linger: self.flush_every,
            max_wait: None,
            retry: sender.retry_policy().with_max_attempts(u32::MAX),
            clock: Arc::new(SystemTime::now),
        };
        let stats = Arc::new(SharedStats::default());
        let (stop, stopped) = watch::channel(None);
        let supervisor = Supervisor {
            log: self.log,
            sender,
            settings,
            hook: self.hook,
            stats: Arc::clone(&stats),
            stop: stopped,
        };
        Ok(Relay::new(stats, stop, tokio::spawn(supervisor.run())))
    }
}

impl<L> fmt::Debug for RelayBuilder<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RelayBuilder")
            .field("concurrency", &self.concurrency)
            .field("max_batches", &self.max_batches)
            .field("flush_every", &self.flush_every)
            .finish_non_exhaustive()
    }
}
