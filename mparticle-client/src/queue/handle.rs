//! The queue as its users see it.

use super::entry::{Arrival, Content, Entry};
use super::room::{NoRoom, Permit, closed};
use super::shared::{Command, Shared};
use super::spool::Spool;
use super::ticket::Ticket;
use super::{DeliveryHandle, Report, SendError, Stats};
use crate::encoding::{EncodedBatch, Encoder, MAX_BATCH_BYTES};
use crate::models::Batch;
use crate::send::RequestSender;
use crate::timing::after;
use crate::{Credentials, Error};
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// For how long a queue whose last handle is gone goes on sending what it has.
const AFTERLIFE: Duration = Duration::from_secs(30);

/// Takes batches at once and sends them in the background; see the [module](super).
///
/// It is cheap to clone; the clones are one queue. Its methods work in any runtime, or none. When the last clone is
/// dropped without [`shutdown`](Self::shutdown), the worker goes on for up to 30 seconds to send what is pending, as long
/// as the process lives; what remains then is dropped, or left in the spool.
///
/// It does not survive a fork: in the child every method answers that the queue is closed.
#[derive(Clone)]
pub struct Queue {
    inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) shared: Arc<Shared>,
    pub(super) encoder: Arc<Encoder>,
    pub(super) sender: Arc<RequestSender>,
    pub(super) spool: Option<Arc<Spool>>,
    #[cfg(feature = "spool")]
    pub(super) recovery: super::Recovery,
}

/// A batch that was encoded.
struct Prepared {
    batch: Box<Batch>,
    source_request_id: String,
    content: Content,
    now: SystemTime,
}

impl Queue {
    pub(super) fn new(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    /// Gives a batch to the queue, waiting until there is room for it and, with a spool, until it is on disk.
    ///
    /// The batch is encoded on the caller's time. What is returned may be awaited for the outcome, or dropped. When the
    /// future is dropped before it ends, the batch may have been accepted or not.
    ///
    /// # Errors
    /// A [`SendError`] that gives the batch back:
    /// - [`Closed`](crate::ErrorKind::Closed): the queue was shut down, the process was forked, or the worker is gone;
    /// - [`TooLarge`](crate::ErrorKind::TooLarge): the batch is larger than the queue may ever hold, or one of its events is
    ///   larger than mParticle allows;
    /// - [`Invalid`](crate::ErrorKind::Invalid): it cannot be encoded, or breaks a rule with
    ///   [`Validation::Strict`](crate::Validation::Strict);
    /// - [`Storage`](crate::ErrorKind::Storage): it cannot be written to the spool.
    pub async fn send(&self, batch: Batch) -> Result<DeliveryHandle, SendError> {
        let prepared = self.prepare(batch)?;
        let room = &self.inner.shared.room;
        let bytes = prepared.content.bytes();
        let permit = match room.try_enter(bytes) {
            Err(NoRoom::Full) => {
                self.inner.shared.crowd();
                room.enter(bytes).await
            }
            entered => entered,
        };
        let (arrival, delivery) = match permit {
            Ok(permit) => self.arrival(prepared, permit),
            Err(no_room) => return Err(prepared.refused(room.error(no_room, bytes))),
        };
        let accepted = match &self.inner.spool {
            Some(spool) => spool.store(arrival).await,
            None => self.inner.shared.accept(arrival).map_err(|arrival| (closed(), arrival)),
        };
        accepted.map(|()| delivery).map_err(|(error, arrival)| refused(error, *arrival))
    }

    /// Gives a batch to the queue if there is room for it, without waiting.
    ///
    /// With a spool, the batch is written to disk soon after, together with others; if that fails it is delivered
    /// nevertheless, as long as the process lives. [`send`](Self::send) waits until it is written.
    ///
    /// # Errors
    /// A [`SendError`] that gives the batch back: [`Full`](crate::ErrorKind::Full) when there is no room at the moment, and
    /// otherwise as [`send`](Self::send), but for [`Storage`](crate::ErrorKind::Storage).
    pub fn try_send(&self, batch: Batch) -> Result<DeliveryHandle, SendError> {
        let shared = &self.inner.shared;
        let prepared = self.prepare(batch)?;
        let bytes = prepared.content.bytes();
        let (arrival, delivery) = match shared.room.try_enter(bytes) {
            Ok(permit) => self.arrival(prepared, permit),
            Err(no_room) => {
                if no_room == NoRoom::Full {
                    shared.crowd();
                }
                return Err(prepared.refused(shared.room.error(no_room, bytes)));
            }
        };
        let accepted = match &self.inner.spool {
            Some(spool) => spool.store_later(arrival, shared),
            None => shared.accept(arrival),
        };
        accepted.map(|()| delivery).map_err(|arrival| refused(closed(), *arrival))
    }

    /// Sends what was accepted so far without waiting for more, and waits until all of it has its outcome.
    ///
    /// Meanwhile requests that have failed are made again every second, unless the server asked for more patience.
    ///
    /// The time begins with the call; when it is over, or when the queue is paused, the report tells how many batches
    /// are still pending. They stay in the queue.
    pub fn flush(&self, timeout: Duration) -> impl Future<Output = Report> + Send + use<> {
        let shared = Arc::clone(&self.inner.shared);
        let deadline = after(Instant::now(), timeout);
        let (reply, report) = oneshot::channel();
        let before = if shared.is_forked() {
            Stats::default()
        } else {
            let (wave, before) = shared.begin_flush();
            shared.ask(Command::Flush { wave, before, deadline, timeout, reply });
            before
        };
        wait_for(report, before, shared)
    }

    /// Takes nothing more, sends what is pending, and ends the queue.
    ///
    /// Meanwhile requests that have failed are made again every second, unless the server asked for more patience.
    ///
    /// The time begins with the call. When it is over, or when the queue is paused, requests under way are cancelled and
    /// what is left is dropped, or left in the spool; each batch gets its outcome, and the report has the counts. A spool
    /// is closed, so that another queue can open it.
    ///
    /// Whoever waits in [`send`](Self::send) gets the batch back. It may be called several times, by any clone.
    pub fn shutdown(&self, timeout: Duration) -> impl Future<Output = Report> + Send + use<> {
        let shared = Arc::clone(&self.inner.shared);
        let (reply, report) = oneshot::channel();
        let before =
            if shared.is_forked() { Stats::default() } else { close(&shared, timeout, reply) };
        wait_for(report, before, shared)
    }

    /// What the queue has counted, all of one moment.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.inner.shared.stats()
    }

    /// Sends with other credentials from now on, and goes on if the queue was paused.
    ///
    /// # Errors
    /// Of kind [`Config`](crate::ErrorKind::Config) when the credentials cannot be used, of kind
    /// [`Closed`](crate::ErrorKind::Closed) when the queue is closed.
    pub fn set_credentials(&self, credentials: &Credentials) -> Result<(), Error> {
        let sender = self.inner.sender.with_credentials(credentials)?;
        self.go_on(Some(Arc::new(sender.for_queue())))
    }

    /// Goes on with the same credentials if the queue was paused, for instance when they have been allowed again.
    ///
    /// # Errors
    /// Of kind [`Closed`](crate::ErrorKind::Closed) when the queue is closed.
    pub fn resume(&self) -> Result<(), Error> {
        self.go_on(None)
    }

    /// What was found in the spool when the queue was made (feature `spool`).
    #[cfg(feature = "spool")]
    #[must_use]
    pub fn recovery(&self) -> &super::Recovery {
        &self.inner.recovery
    }

    fn go_on(&self, sender: Option<Arc<RequestSender>>) -> Result<(), Error> {
        let shared = &self.inner.shared;
        let listens = !shared.is_forked() && shared.ask(Command::Resume(sender));
        if listens { Ok(()) } else { Err(closed()) }
    }

    fn prepare(&self, batch: Batch) -> Result<Prepared, SendError> {
        let Inner { shared, encoder, .. } = &*self.inner;
        let mut batch = Box::new(batch);
        if !shared.is_open() {
            return Err(SendError { error: closed(), batch });
        }
        let now = shared.now();
        let own_id = batch.source_request_id.clone().filter(|id| !id.trim().is_empty());
        let is_joinable = own_id.is_none();
        let source_request_id = own_id.unwrap_or_else(|| shared.ids.next());
        match content(encoder, &source_request_id, &mut batch, is_joinable, now) {
            Ok(content) => Ok(Prepared { batch, source_request_id, content, now }),
            Err(error) => Err(SendError { error, batch }),
        }
    }

    fn arrival(&self, prepared: Prepared, permit: Permit) -> (Arrival, DeliveryHandle) {
        let Prepared { batch, source_request_id, content, now } = prepared;
        let (settle, settled) = oneshot::channel();
        let delivery = DeliveryHandle { source_request_id: source_request_id.clone(), settled };
        let shared = Arc::clone(&self.inner.shared);
        let ticket = Ticket::new(shared, source_request_id, permit, Some(settle));
        let at = Instant::now();
        let entry = Entry { ticket, content, accepted: now, at, record: None };
        (Arrival { entry, batch }, delivery)
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
            close(&self.shared, AFTERLIFE, reply);
        }
    }
}

impl Prepared {
    fn refused(self, error: Error) -> SendError {
        SendError { error, batch: self.batch }
    }
}

fn refused(error: Error, arrival: Arrival) -> SendError {
    SendError { error, batch: arrival.batch }
}

/// The bytes of a batch, in parts if they are too many for one.
fn content(
    encoder: &Encoder,
    id: &str,
    batch: &mut Batch,
    is_joinable: bool,
    now: SystemTime,
) -> Result<Content, Error> {
    let sections = encoder.sections(id, batch, now)?;
    if sections.bytes.len() > MAX_BATCH_BYTES {
        let parts = encoder.split(id, batch)?;
        return Ok(Content::Parts(parts.into_iter().map(|part| part.encoded).collect()));
    }
    if is_joinable {
        return Ok(Content::Joinable(sections));
    }
    let source_request_id = id.to_owned();
    Ok(Content::Whole(EncodedBatch { source_request_id, bytes: sections.bytes.into() }))
}

fn close(shared: &Shared, timeout: Duration, reply: oneshot::Sender<Report>) -> Stats {
    let before = shared.close();
    let deadline = after(Instant::now(), timeout);
    shared.ask(Command::Shutdown { before, deadline, timeout, reply });
    before
}

async fn wait_for(report: oneshot::Receiver<Report>, before: Stats, shared: Arc<Shared>) -> Report {
    // A worker that is gone answers nothing; then what has become of the batches is counted already.
    report.await.unwrap_or_else(|_| Report::at_the_end(&before, &shared.stats()))
}
