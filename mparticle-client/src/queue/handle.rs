//! The handle of a queue, with the methods that a service calls.

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

/// The time for which a queue continues to send after its last handle was dropped without a shutdown.
const DROP_GRACE_PERIOD: Duration = Duration::from_secs(30);

/// A queue that accepts batches and sends them in the background.
///
/// A clone is another handle of the same queue. The methods can be called in any runtime, or without a runtime.
///
/// If the last handle is dropped without [`shutdown`](Self::shutdown), the queue continues to send for up to 30
/// seconds, or until the process ends. Batches that are pending after that are dropped, or left in the spool.
///
/// A queue cannot be used after a fork. In the child process, its methods behave as if the queue were closed. Create
/// another queue there.
///
/// The guide explains [how to use a queue in a service](crate::guide::sending_from_a_service).
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

/// Completes when the timeout of a call has elapsed.
type TimeIsOver = oneshot::Receiver<()>;

impl Queue {
    pub(super) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// Sends a batch to the queue. Waits until the queue has capacity and, with a spool, until the batch is on disk.
    ///
    /// The batch is encoded during the call. Await the returned handle for the outcome, or drop it.
    ///
    /// A full queue stays full during an outage, and this method then waits without limit. In a request handler, use
    /// [`send_timeout`](Self::send_timeout) or [`try_send`](Self::try_send).
    ///
    /// If the future is dropped before it completes, the queue may or may not have accepted the batch.
    ///
    /// # Errors
    /// The [`SendError`] contains the batch. Its kind is one of:
    ///
    /// - [`Closed`](ErrorKind::Closed): the queue was shut down, the process was forked, or the worker has ended.
    /// - [`TooLarge`](ErrorKind::TooLarge): the batch exceeds the capacity of the queue, or it cannot be split into
    ///   parts of up to 128,000 bytes.
    /// - [`Invalid`](ErrorKind::Invalid): the batch cannot be encoded, or it violates a rule and the client uses
    ///   [`Validation::Strict`](crate::Validation::Strict).
    /// - [`Storage`](ErrorKind::Storage): the batch cannot be written to the spool, for example because the disk is
    ///   full.
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::{models::Batch, queue::{Queue, SendError}};
    /// # async fn example(queue: Queue, batch: Batch) -> Result<(), SendError> {
    /// let handle = queue.send(batch).await?;
    /// println!("accepted as {}", handle.source_request_id());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn send(&self, batch: Batch) -> Result<DeliveryHandle, SendError> {
        self.send_until(Box::new(batch), None).await
    }

    /// Sends a batch to the queue. Waits for up to `timeout` until the queue has capacity and, with a spool, until the
    /// batch is on disk.
    ///
    /// # Errors
    /// The [`SendError`] contains the batch. Its kind is one of:
    ///
    /// - [`Full`](ErrorKind::Full): the queue had no capacity for the batch within `timeout`.
    /// - [`Storage`](ErrorKind::Storage): the batch cannot be written to the spool, or it was not on disk within
    ///   `timeout`. It may still be delivered if [`SendError::may_be_delivered_as`] returns an id.
    /// - [`Closed`](ErrorKind::Closed), [`TooLarge`](ErrorKind::TooLarge) and [`Invalid`](ErrorKind::Invalid): as for
    ///   [`send`](Self::send).
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::{models::Batch, queue::Queue};
    /// use std::time::Duration;
    ///
    /// # async fn example(queue: Queue, batch: Batch) {
    /// if let Err(error) = queue.send_timeout(batch, Duration::from_millis(50)).await {
    ///     eprintln!("not accepted: {error}");
    /// }
    /// # }
    /// ```
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

    /// Sends a batch to the queue if the queue has capacity. Does not wait.
    ///
    /// With a spool, the batch is written to disk shortly after the call, together with others. The batch is lost if
    /// the process crashes before that. [`send`](Self::send) waits until the batch is on disk.
    ///
    /// # Errors
    /// The [`SendError`] contains the batch. Its kind is one of:
    ///
    /// - [`Full`](ErrorKind::Full): the queue has no capacity for the batch.
    /// - [`Storage`](ErrorKind::Storage): the spool cannot be written at the moment.
    /// - [`Closed`](ErrorKind::Closed), [`TooLarge`](ErrorKind::TooLarge) and [`Invalid`](ErrorKind::Invalid): as for
    ///   [`send`](Self::send).
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::{models::Batch, queue::Queue};
    /// # fn example(queue: &Queue, batch: Batch) {
    /// if let Err(error) = queue.try_send(batch) {
    ///     eprintln!("not accepted: {error}");
    ///     let batch = error.into_batch();
    ///     // Store the batch, or count it as lost.
    /// #   drop(batch);
    /// }
    /// # }
    /// ```
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

    /// Delivers the batches that the queue has accepted so far. Waits until all of them have an outcome and the outcome
    /// hook has returned.
    ///
    /// During a flush, failed requests are retried every second, unless mParticle asked for a longer wait.
    ///
    /// The timeout is measured from the call. If it elapses, or if the queue is paused, [`Report::pending`] is the
    /// number of batches that are still pending. They stay in the queue.
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::queue::Queue;
    /// use std::time::Duration;
    ///
    /// # async fn example(queue: Queue) {
    /// let report = queue.flush(Duration::from_secs(2)).await;
    /// if !report.is_complete() {
    ///     eprintln!("{} batches are still pending", report.pending);
    /// }
    /// # }
    /// ```
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

    /// Closes the queue, delivers the pending batches, and ends the worker.
    ///
    /// During a shutdown, failed requests are retried every second, unless mParticle asked for a longer wait.
    ///
    /// The timeout is measured from the call. If it elapses, or if the queue is paused, requests in flight are
    /// cancelled. Batches that are still pending are dropped, or left in the spool. Every batch then has its outcome,
    /// and the report contains the numbers. The spool is closed, and another queue can open it.
    ///
    /// Calls of [`send`](Self::send) that are still waiting return an error with their batch. Any handle can shut down
    /// the queue, and this method can be called more than once.
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::queue::Queue;
    /// use std::time::Duration;
    ///
    /// # async fn example(queue: Queue) {
    /// let report = queue.shutdown(Duration::from_secs(10)).await;
    /// println!("{} delivered, {} dropped", report.delivered, report.dropped);
    /// # }
    /// ```
    pub fn shutdown(&self, timeout: Duration) -> impl Future<Output = Report> + Send + use<> {
        let shared = Arc::clone(&self.inner.shared);
        let (reply, report) = oneshot::channel();
        let before =
            if shared.is_forked() { Stats::default() } else { close(&shared, timeout, reply) };
        wait_for(report, before, shared)
    }

    /// Returns the counts and the state of the queue.
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::queue::Queue;
    /// # fn example(queue: &Queue) {
    /// let stats = queue.stats();
    /// println!("{} pending, paused: {}", stats.pending, stats.paused.is_some());
    /// # }
    /// ```
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner.shared.stats()
    }

    /// Sets the credentials for all further requests, and resumes the queue if it is paused.
    ///
    /// # Errors
    /// - [`Config`](ErrorKind::Config): the credentials are invalid.
    /// - [`Closed`](ErrorKind::Closed): the queue was shut down, the process was forked, or the worker has ended.
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::{Error, queue::Queue};
    /// use mparticle_client::Credentials;
    ///
    /// # fn example(queue: &Queue) -> Result<(), Error> {
    /// queue.set_credentials(&Credentials::new("your-key", "new-secret"))?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_credentials(&self, credentials: &Credentials) -> Result<(), Error> {
        let sender = self.inner.sender.with_credentials(credentials)?;
        self.resume_with(Some(Arc::new(sender.for_another_runtime())))
    }

    /// Resumes the queue with the same credentials if it is [paused](super::Pause).
    ///
    /// # Errors
    /// - [`Closed`](ErrorKind::Closed): the queue was shut down, the process was forked, or the worker has ended.
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::{Error, queue::Queue};
    /// # fn example(queue: &Queue) -> Result<(), Error> {
    /// if queue.stats().paused.is_some() {
    ///     queue.resume()?;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn resume(&self) -> Result<(), Error> {
        self.resume_with(None)
    }

    /// Returns a report on the content of the spool when the queue was built (feature `spool`).
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

    /// Acquires capacity. If there is none, tells the worker to send batches without waiting for more.
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

/// Writes a batch to the spool, which passes it to the worker.
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
        // An error means that the caller no longer waits.
        _ = reply.send(result);
    };
    store.accept(record, Durability::Awaited, Box::new(done));
    written.await.unwrap_or_else(|_| Err(closed()))
}

/// Counts a batch as accepted, and starts writing it to the spool, which passes it to the worker.
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
            tracing::warn!(
                "a batch could not be written to the spool, and is sent from memory: {error}"
            );
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

/// Waits for a future. Returns `None` if the timeout elapses first.
async fn within<F: Future>(future: F, time_is_over: &mut Option<TimeIsOver>) -> Option<F::Output> {
    let Some(over) = time_is_over else { return Some(future.await) };
    match select(pin!(future), over).await {
        Either::Left((output, _)) => Some(output),
        Either::Right((Ok(()), _)) => None,
        // The worker has ended. The future therefore completes soon.
        Either::Right((Err(_), future)) => Some(future.await),
    }
}

async fn wait_for(report: oneshot::Receiver<Report>, before: Stats, shared: Arc<Shared>) -> Report {
    // A worker that has ended does not send a report. All outcomes are already counted then.
    report.await.unwrap_or_else(|_| Report::at_the_end(&before, &shared.stats()))
}
