//! From settings to a queue.

use super::engine::{Engine, Pace};
use super::handle::Inner;
use super::hook::Hook;
use super::room::Room;
use super::shared::{Clock, Shared};
use super::{BatchResult, Queue, Worker};
use crate::{Client, Error, ErrorKind};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Describes a [`Queue`]; made by [`Client::queue`].
#[derive(Clone)]
#[must_use = "it is `build` that makes the queue"]
pub struct QueueBuilder {
    client: Client,
    max_batches: usize,
    max_bytes: usize,
    pace: Pace,
    hook: Option<Hook>,
    clock: Clock,
    #[cfg(feature = "spool")]
    spool: Option<std::path::PathBuf>,
}

impl QueueBuilder {
    pub(crate) fn new(client: Client) -> Self {
        Self {
            client,
            max_batches: 10_000,
            max_bytes: 16 * 1024 * 1024,
            pace: Pace { flush_every: Duration::from_secs(5), concurrency: 4 },
            hook: None,
            clock: Arc::new(SystemTime::now),
            #[cfg(feature = "spool")]
            spool: None,
        }
    }

    /// How much may be pending: a number of batches, and a number of bytes of their JSON. 10,000 batches and 16 MiB
    /// unless set.
    ///
    /// What is pending is in memory, and takes about twice these bytes; a batch that the worker has not looked at yet takes
    /// several times as much. With a spool, it is on disk as well. What a spool brings from an earlier run may exceed the
    /// bounds; then there is no room until it is delivered.
    pub fn max_pending(mut self, batches: usize, bytes: usize) -> Self {
        self.max_batches = batches;
        self.max_bytes = bytes;
        self
    }

    /// How long a batch may wait for others, so that fewer requests are needed; 5 seconds unless set. A request that is
    /// full goes at once, and so does everything when the queue is flushed or shut down, or full with nothing under way.
    pub fn flush_every(mut self, interval: Duration) -> Self {
        self.pace.flush_every = interval;
        self
    }

    /// How many requests may be under way at a time; 4 unless set. Zero counts as one.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.pace.concurrency = requests.max(1);
        self
    }

    /// Calls a function with the outcome of each batch, once.
    ///
    /// It runs on the worker's thread and should return quickly: nothing is sent meanwhile. It may use the queue's
    /// methods but must not wait for them, and it should not own the queue, which would never be dropped then. A panic
    /// in it is caught and logged.
    pub fn on_outcome(mut self, function: impl Fn(&BatchResult) + Send + Sync + 'static) -> Self {
        self.hook = Some(Hook::new(function));
        self
    }

    /// Keeps batches in a folder until they are delivered, so that they survive a crash (feature `spool`).
    ///
    /// The folder is made if it does not exist, and belongs to this queue alone: it is locked as long as the queue lives.
    /// Its files are readable by the user alone (mode 0600); they hold batches, but no credentials.
    ///
    /// On the disk it keeps 4 MiB in reserve, so that it can delete what is delivered when the disk is full. Where there
    /// is no room for them, it accepts nothing: `send` then gives an error of the kind `Storage`.
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

    /// Makes the queue and starts its worker, on a thread of its own with a runtime and connections of its own. It may be
    /// awaited in any runtime, or none.
    ///
    /// # Errors
    /// Of kind [`Config`](ErrorKind::Config) when a bound is zero or no thread can be started; of kind
    /// [`Storage`](ErrorKind::Storage) when the spool cannot be used. A spool whose files are damaged can:
    /// `Queue::recovery` tells what was lost.
    pub async fn build(self) -> Result<Queue, Error> {
        let (queue, worker) = self.build_with_worker().await?;
        worker.start()?;
        Ok(queue)
    }

    /// Makes the queue and gives its worker to the caller, to be spawned in a Tokio runtime with timers and I/O. Tests use
    /// it to run the worker on their own, paused clock.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    #[cfg_attr(
        not(feature = "spool"),
        allow(clippy::unused_async, reason = "only a spool has to be waited for")
    )]
    pub async fn build_with_worker(self) -> Result<(Queue, Worker), Error> {
        self.check()?;
        let (encoder, sender) = self.client.parts();
        let room = Room::new(self.max_batches, self.max_bytes);
        let shared = Arc::new(Shared::new(room, self.hook, self.clock));
        #[cfg(feature = "spool")]
        let opened = match self.spool {
            Some(folder) if !sender.is_disabled() => {
                super::spool::Spool::open(folder, Arc::clone(&shared)).await?
            }
            Some(_) | None => super::spool::Opened::default(),
        };
        #[cfg(feature = "spool")]
        let spool = opened.spool.map(Arc::new);
        #[cfg(not(feature = "spool"))]
        let spool = None;
        let queue_sender = Arc::new(sender.for_queue());
        let engine = Engine::new(Arc::clone(&shared), queue_sender, self.pace, spool.clone());
        #[cfg(feature = "spool")]
        let engine = engine.with_recovered(opened.parcels);
        let queue = Queue::new(Inner {
            shared,
            encoder,
            sender,
            spool,
            #[cfg(feature = "spool")]
            recovery: opened.recovery,
        });
        Ok((queue, Worker::new(engine)))
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
        let message = format!("the queue cannot be made: {}", problems.join("; "));
        Err(Error::new(ErrorKind::Config, message))
    }
}

impl fmt::Debug for QueueBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueBuilder")
            .field("max_batches", &self.max_batches)
            .field("max_bytes", &self.max_bytes)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}
