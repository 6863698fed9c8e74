//! Feeds the dispatcher from one reader of the log.

use super::log::{LogError, LogReader, Settled, into_error};
use super::stats::SharedStats;
use crate::dispatch::{Dispatch, Document, DocumentResult, Event, Halt, SendOnce};
use crate::timing::sleep_until_some;
use crate::{BatchResult, EncodedBatch, EncodedRequest, Endpoint, Error, ErrorKind, Outcome};
use bytes::Bytes;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// The function that was passed to [`RelayBuilder::on_outcome`](super::RelayBuilder::on_outcome).
pub(super) type Hook = Arc<dyn Fn(&BatchResult) + Send + Sync>;

/// The reason why a delivery has ended.
pub(super) enum End {
    /// The relay was shut down.
    Stopped,
    /// A request failed for a reason outside its batches, or a batch has a newer format.
    Halted(Error),
    /// The log failed, or the reader is no longer the valid one.
    LogFailed(Error),
}

/// Delivers from one reader. The batches without an outcome are forgotten at the end.
pub(super) struct Delivery<'a, S, R: LogReader> {
    pub(super) reader: &'a mut R,
    pub(super) dispatch: Dispatch<S, R::Position>,
    pub(super) hook: Option<Hook>,
    pub(super) stats: Arc<SharedStats>,
    /// The deadline of the shutdown.
    pub(super) stop: watch::Receiver<Option<Instant>>,
    /// The error because of which nothing more is read.
    pub(super) halted: Option<Error>,
}

impl<S: SendOnce, R: LogReader> Delivery<'_, S, R> {
    pub(super) async fn run(mut self) -> End {
        let mut check = interval(Duration::from_secs(1));
        check.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let deadline = *self.stop.borrow_and_update();
            let is_stopping = deadline.is_some();
            let reads = !is_stopping && self.halted.is_none();
            if !reads {
                self.dispatch.complete();
                if self.dispatch.is_empty() {
                    return self.end();
                }
            }
            let result = tokio::select! {
                biased;
                () = sleep_until_some(deadline), if is_stopping => return End::Stopped,
                _ = self.stop.changed(), if !is_stopping => Ok(()),
                _ = check.tick() => self.check(),
                event = self.dispatch.next() => match event {
                    Some(event) => self.handle_events(event).await,
                    // The dispatcher is halted, and no request is in flight any longer.
                    None => return self.end(),
                },
                record = self.reader.read(), if reads && self.dispatch.wants_more() => match record {
                    Ok((position, stored)) => self.accept(position, &stored).await,
                    Err(error) => Err(error),
                },
            };
            if let Err(error) = result {
                return End::LogFailed(into_error(error));
            }
        }
    }

    fn end(self) -> End {
        self.halted.map_or(End::Stopped, End::Halted)
    }

    fn check(&mut self) -> Result<(), LogError> {
        self.stats.set_health(self.dispatch.failing_since(), self.dispatch.last_error());
        self.reader.check()
    }

    /// Passes a record to the dispatcher.
    async fn accept(&mut self, position: R::Position, stored: &Bytes) -> Result<(), LogError> {
        self.stats.read();
        // Otherwise, a log that is always ready would keep the thread from polling the requests.
        consume_budget().await;
        match EncodedBatch::from_bytes(stored) {
            Ok(batch) => {
                let expires_at = batch.expires_at(SystemTime::now());
                let (encoded, users) = batch.into_parts();
                self.dispatch.push(Document { encoded, users, expires_at, tag: position });
                Ok(())
            }
            // A newer version of this crate has to send the batch, and all later ones of its user.
            Err(error) if error.kind() == ErrorKind::Storage => {
                self.halted = Some(error);
                Ok(())
            }
            Err(error) => self.settle(vec![not_a_batch(position, error)]).await,
        }
    }

    /// Handles an event of the dispatcher, and those that are known already.
    async fn handle_events(&mut self, event: Event<R::Position>) -> Result<(), LogError> {
        let mut settled = Vec::new();
        let mut next = Some(event);
        while let Some(event) = next {
            match event {
                Event::Settled { document, result } => settled.push(settled_of(document, result)),
                Event::Halted(Halt::Refused(error) | Halt::TimedOut(error)) => {
                    self.halted.get_or_insert(error);
                }
            }
            next = self.dispatch.take_event();
        }
        self.stats.set_health(self.dispatch.failing_since(), self.dispatch.last_error());
        if settled.is_empty() { Ok(()) } else { self.settle(settled).await }
    }

    /// Reports outcomes to the hook, the statistics and the log.
    async fn settle(&mut self, settled: Vec<Settled<R::Position>>) -> Result<(), LogError> {
        for Settled { result, .. } in &settled {
            self.stats.settled(result);
            let Some(hook) = &self.hook else { continue };
            // The function shares no state with the relay. A panic therefore leaves no state inconsistent.
            if catch_unwind(AssertUnwindSafe(|| hook(result))).is_err() {
                tracing::error!("the outcome hook of the relay panicked");
            }
        }
        self.reader.settle(settled).await
    }
}

fn not_a_batch<P>(position: P, error: Error) -> Settled<P> {
    let result = BatchResult {
        source_request_id: String::new(),
        sent_as: None,
        outcome: Outcome::Rejected(error),
        requests: Vec::new(),
    };
    Settled { position, result }
}

fn settled_of<P>(document: Document<P>, result: DocumentResult) -> Settled<P> {
    let Document { encoded, tag, .. } = document;
    let outcome = match result.into_outcome() {
        // The dispatcher repeats temporary failures until the batch is delivered, rejected or expired.
        Outcome::Failed(error) => Outcome::Rejected(error),
        outcome => outcome,
    };
    let is_delivered = matches!(outcome, Outcome::Delivered(_) | Outcome::Discarded);
    let requests = if is_delivered {
        Vec::new()
    } else {
        vec![EncodedRequest::of_one(Endpoint::BulkEvents, &encoded)]
    };
    let source_request_id = encoded.source_request_id;
    let result = BatchResult { source_request_id, sent_as: None, outcome, requests };
    Settled { position: tag, result }
}
