//! The handle of a queue: what a service calls.

use super::capacity::{NoCapacity, Permit, closed};
use super::completion::Completion;
use super::encode::{Prepared, prepare};
use super::pending_batch::PendingBatch;
use super::record;
use super::shared::{Command, Shared};
use super::store::{BatchStore, Durability};
use super::{DeliveryHandle, Report, SendError, Stats};
use crate::encoding::Encoder;
use crate::encoding::users::keys;
use crate::models::Batch;
use crate::send::RequestSender;
use crate::timing::after;
use crate::{Credentials, Error, ErrorKind};
use futures_util::future::{Either, select};
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// How long a queue continues to send after its last handle was dropped without a shutdown.
const DROP_GRACE_PERIOD: Duration = Duration::from_secs(30);

/// A queue that accepts batches at once and sends them in the background.
///
/// A clone is another handle of the same queue. The methods work in any runtime, or without one.
///
/// When the last handle is dropped without [`shutdown`](Self::shutdown), the queue continues to send for up to 30
/// seconds, as long as the process lives. The batches that are pending then are dropped, or left in the spool.
///
/// A queue does not survive a fork. In the child, every method answers that the queue is closed.
///
/// The guide explains [how to use it in a service](crate::guide::sending_from_a_service).
///
/// # Examples
/// ```
/// use mparticle_client::Client;
/// use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment};
/// use std::time::Duration;
///
/// # async fn example(client: Client) -> Result<(), Box<dyn std::error::Error>> {
/// let queue = client.queue().build().await?;
///
/// let event = CustomEvent::new("Signed up", CustomEventType::Other);
/// let batch = Batch::new(Environment::Production).with_mpid(12345).with_event(event);
/// if let Err(error) = queue.try_send(batch) {
///     eprintln!("not accepted: {error}");
/// }
///
/// let report = queue.shutdown(Duration::from_secs(10)).await;
/// assert!(report.is_complete());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Queue {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) shared: Arc<Shared>,
    pub(super) encoder: Arc<Encoder>,
    pub(super) sets_event_times: bool,
    pub(super) sender: Arc<RequestSender>,
    pub(super) store: Option<Arc<dyn BatchStore>>,
    #[cfg(feature = "spool")]
    pub(super) recovery: super::Recovery,
}

/// When a call of `send` gives up.
type TimeIsOver = oneshot::Receiver<()>;

impl Queue {
    pub(super) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// Gives a batch to the queue. Waits until the queue has capacity and, with a spool, until the batch is on disk.
    ///
    /// The batch is encoded during the call. The handle that is returned can be awaited for the outcome, or dropped.
    ///
    /// While mParticle is not reachable, a full queue stays full, and this waits without limit. In a request handler,
    /// use [`send_timeout`](Self::send_timeout) or [`try_send`](Self::try_send).
    ///
    /// If the future is dropped before it completes, the batch may have been accepted or not.
    ///
    /// # Errors
    ///
    /// The [`SendError`] returns the batch. Its kind is one of:
    ///
    /// - [`Closed`](ErrorKind::Closed): the queue was shut down, the process was forked, or the worker has ended
    /// - [`TooLarge`](ErrorKind::TooLarge): the batch exceeds the capacity of the queue, or one of its events is larger
    ///   than mParticle allows
    /// - [`Invalid`](ErrorKind::Invalid): the batch cannot be encoded, or it violates a rule with
    ///   [`Validation::Strict`](crate::Validation::Strict)
    /// - [`Storage`](ErrorKind::Storage): the batch cannot be written to the spool, for instance because the disk is full
    pub async fn send(&self, batch: Batch) -> Result<DeliveryHandle, SendError> {
        self.send_until(Box::new(batch), None).await
    }

    /// Gives a batch to the queue as [`send`](Self::send) does, and returns the batch if that takes longer than `timeout`.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and in addition:
    ///
    /// - [`Full`](ErrorKind::Full): the queue was full for the whole time
    /// - [`Storage`](ErrorKind::Storage): the batch was not on disk in time. It may still be delivered, under the id that
    ///   [`SendError::may_be_delivered_as`] returns
    pub async fn send_timeout(
        &self,
        batch: Batch,
        timeout: Duration,
    ) -> Result<DeliveryHandle, SendError> {
        let shared = &self.inner.shared;
        let (reply, time_is_over) = oneshot::channel();
        let deadline = after(Instant::now(), timeout);
        if !shared.is_forked() {
            shared.command(Command::Sleep { deadline, timeout, reply });
        }
        self.send_until(Box::new(batch), Some(time_is_over)).await
    }

    /// Gives a batch to the queue if the queue has capacity, without waiting.
    ///
    /// With a spool, the batch is written to disk soon after the call, together with others. A crash before that loses
    /// it. [`send`](Self::send) waits until it is written.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and in addition:
    ///
    /// - [`Full`](ErrorKind::Full): the queue is full
    /// - [`Storage`](ErrorKind::Storage): the spool cannot write at the moment
    pub fn try_send(&self, batch: Batch) -> Result<DeliveryHandle, SendError> {
        let Inner { shared, store, .. } = &*self.inner;
        let mut batch = Box::new(batch);
        let (prepared, permit) = match self.try_prepare(&mut batch) {
            Ok(prepared) => prepared,
            Err(error) => return Err(SendError::new(error, batch)),
        };
        let (pending, handle) = self.pending(prepared, permit);
        let accepted = match store {
            Some(store) => promise(store, shared, pending, batch),
            None => shared.accept(pending, batch),
        };
        accepted.map(|()| handle).map_err(|batch| SendError::new(closed(), batch))
    }

    /// Sends what was accepted so far without waiting for more, and waits until all of it has an outcome and the outcome
    /// hook has returned.
    ///
    /// Meanwhile, failed requests are retried every second, unless the server asked for a longer wait.
    ///
    /// The timeout begins with the call. When it is over, or when the queue is paused, the report says how many batches
    /// are pending. They stay in the queue.
    pub fn flush(&self, timeout: Duration) -> impl Future<Output = Report> + Send + use<> {
        let shared = Arc::clone(&self.inner.shared);
        let deadline = after(Instant::now(), timeout);
        let (reply, report) = oneshot::channel();
        let before = if shared.is_forked() {
            Stats::default()
        } else {
            let (epoch, before) = shared.begin_flush();
            shared.command(Command::Flush { epoch, before, deadline, timeout, reply });
            before
        };
        wait_for(report, before, shared)
    }

    /// Accepts nothing more, sends what is pending, and ends the queue.
    ///
    /// Meanwhile, failed requests are retried every second, unless the server asked for a longer wait.
    ///
    /// The timeout begins with the call. When it is over, or when the queue is paused, requests in flight are cancelled.
    /// The batches that are pending then are dropped, or left in the spool. Every batch has its outcome, and the report
    /// has the numbers. The spool is closed, and another queue can open it.
    ///
    /// Calls of [`send`](Self::send) that are waiting return their batch. Every handle may shut the queue down, also
    /// several times.
    pub fn shutdown(&self, timeout: Duration) -> impl Future<Output = Report> + Send + use<> {
        let shared = Arc::clone(&self.inner.shared);
        let (reply, report) = oneshot::channel();
        let before =
            if shared.is_forked() { Stats::default() } else { close(&shared, timeout, reply) };
        wait_for(report, before, shared)
    }

    /// Returns what the queue has counted, and how it is doing.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner.shared.stats()
    }

    /// Sends with other credentials from now on, and continues if the queue is paused.
    ///
    /// # Errors
    ///
    /// - [`Config`](ErrorKind::Config): the credentials are invalid
    /// - [`Closed`](ErrorKind::Closed): the queue is closed
    pub fn set_credentials(&self, credentials: &Credentials) -> Result<(), Error> {
        let sender = self.inner.sender.with_credentials(credentials)?;
        self.resume_with(Some(Arc::new(sender.for_another_runtime())))
    }

    /// Continues with the same credentials if the queue is paused.
    ///
    /// # Errors
    ///
    /// - [`Closed`](ErrorKind::Closed): the queue is closed
    pub fn resume(&self) -> Result<(), Error> {
        self.resume_with(None)
    }

    /// Returns what was found in the spool when the queue was built (feature `spool`).
    #[cfg(feature = "spool")]
    #[must_use]
    pub fn recovery(&self) -> &super::Recovery {
        &self.inner.recovery
    }

    fn resume_with(&self, sender: Option<Arc<RequestSender>>) -> Result<(), Error> {
        let shared = &self.inner.shared;
        let is_alive = !shared.is_forked() && shared.command(Command::Resume(sender));
        if is_alive { Ok(()) } else { Err(closed()) }
    }

    async fn send_until(
        &self,
        mut batch: Box<Batch>,
        mut time_is_over: Option<TimeIsOver>,
    ) -> Result<DeliveryHandle, SendError> {
        let Inner { shared, store, .. } = &*self.inner;
        let prepared = match self.prepare(&mut batch) {
            Ok(prepared) => prepared,
            Err(error) => return Err(SendError::new(error, batch)),
        };
        let bytes = prepared.content.memory();
        let permit = match self.try_acquire(bytes) {
            Err(NoCapacity::Full) => {
                let acquiring = shared.capacity.acquire(bytes);
                within(acquiring, &mut time_is_over).await.unwrap_or(Err(NoCapacity::Full))
            }
            acquired => acquired,
        };
        let permit = match permit {
            Ok(permit) => permit,
            Err(reason) => return Err(SendError::new(shared.capacity.error(reason, bytes), batch)),
        };
        let (mut pending, handle) = self.pending(prepared, permit);
        let Some(store) = store else {
            let accepted = shared.accept(pending, batch);
            return accepted.map(|()| handle).map_err(|batch| SendError::new(closed(), batch));
        };
        pending.users = keys(&batch);
        match within(write(store, shared, pending), &mut time_is_over).await {
            Some(Ok(())) => Ok(handle),
            Some(Err(error)) => Err(SendError::new(error, batch)),
            None => {
                let error = store.check().err().unwrap_or_else(|| {
                    Error::new(ErrorKind::Storage, "the batch was not on disk in time")
                });
                Err(SendError::new(error, batch).in_doubt(handle.source_request_id))
            }
        }
    }

    fn try_prepare(&self, batch: &mut Batch) -> Result<(Prepared, Permit), Error> {
        let Inner { shared, store, .. } = &*self.inner;
        let prepared = self.prepare(batch)?;
        if let Some(store) = store {
            store.check()?;
        }
        let bytes = prepared.content.memory();
        let permit = self.try_acquire(bytes);
        Ok((prepared, permit.map_err(|reason| shared.capacity.error(reason, bytes))?))
    }

    /// Takes capacity if there is any. Otherwise, the worker frees some without waiting for more batches.
    fn try_acquire(&self, bytes: usize) -> Result<Permit, NoCapacity> {
        let shared = &self.inner.shared;
        let acquired = shared.capacity.try_acquire(bytes);
        if matches!(acquired, Err(NoCapacity::Full)) {
            shared.notify_full();
        }
        acquired
    }

    fn prepare(&self, batch: &mut Batch) -> Result<Prepared, Error> {
        let Inner { shared, encoder, sets_event_times, .. } = &*self.inner;
        if !shared.is_open() {
            return Err(closed());
        }
        prepare(encoder, batch, &shared.ids, shared.now(), *sets_event_times)
    }

    fn pending(&self, prepared: Prepared, permit: Permit) -> (PendingBatch, DeliveryHandle) {
        let Prepared { source_request_id, content, accepted } = prepared;
        let (listener, result) = oneshot::channel();
        let handle = DeliveryHandle { source_request_id: source_request_id.clone(), result };
        let shared = Arc::clone(&self.inner.shared);
        let completion = Completion::new(shared, source_request_id, permit, Some(listener));
        let pending = PendingBatch {
            completion,
            content,
            users: Vec::new(),
            accepted,
            queued: Instant::now(),
            number: None,
        };
        (pending, handle)
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if !self.shared.is_forked() {
            let (reply, _) = oneshot::channel();
            close(&self.shared, DROP_GRACE_PERIOD, reply);
        }
    }
}

/// Writes a batch to the spool, which hands it over to the worker.
async fn write(
    store: &Arc<dyn BatchStore>,
    shared: &Arc<Shared>,
    batch: PendingBatch,
) -> Result<(), Error> {
    let (reply, written) = oneshot::channel();
    let record = record::encode(&batch);
    let shared = Arc::clone(shared);
    let done = move |result: Result<u64, Error>| {
        let result = result.map(|number| {
            shared.stored(PendingBatch { number: Some(number), ..batch });
        });
        // An error means that the caller waits no longer.
        _ = reply.send(result);
    };
    store.accept(record, Durability::Awaited, Box::new(done));
    written.await.unwrap_or_else(|_| Err(closed()))
}

/// Counts a batch as accepted, and has it written to the spool, which hands it over to the worker.
fn promise(
    store: &Arc<dyn BatchStore>,
    shared: &Arc<Shared>,
    mut pending: PendingBatch,
    batch: Box<Batch>,
) -> Result<(), Box<Batch>> {
    pending.users = keys(&batch);
    if !shared.count(&mut pending) {
        return Err(batch);
    }
    let record = record::encode(&pending);
    let shared = Arc::clone(shared);
    let done = move |result: Result<u64, Error>| match result {
        Ok(number) => shared.stored(PendingBatch { number: Some(number), ..pending }),
        Err(error) => {
            tracing::warn!("a batch is not in the spool, and is sent from memory: {error}");
            shared.not_stored(pending);
        }
    };
    store.accept(record, Durability::Promised, Box::new(done));
    Ok(())
}

fn close(shared: &Shared, timeout: Duration, reply: oneshot::Sender<Report>) -> Stats {
    let before = shared.close();
    let deadline = after(Instant::now(), timeout);
    shared.command(Command::Shutdown { before, deadline, timeout, reply });
    before
}

/// Waits for a future, or until a time is over. `None` means that it is over.
async fn within<F: Future>(future: F, time_is_over: &mut Option<TimeIsOver>) -> Option<F::Output> {
    let Some(over) = time_is_over else { return Some(future.await) };
    match select(pin!(future), over).await {
        Either::Left((output, _)) => Some(output),
        Either::Right((Ok(()), _)) => None,
        // The worker has ended, which also ends what this waits for.
        Either::Right((Err(_), future)) => Some(future.await),
    }
}

async fn wait_for(report: oneshot::Receiver<Report>, before: Stats, shared: Arc<Shared>) -> Report {
    // A worker that has ended does not answer. Then everything is counted already.
    report.await.unwrap_or_else(|_| Report::at_the_end(&before, &shared.stats()))
}
