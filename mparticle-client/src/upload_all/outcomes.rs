//! The outcomes of the batches. Every batch of the source has exactly one outcome.

use super::report::Left;
use super::{FailedBatch, OnOutcome, Stopped, UploadObserver, UploadReport};
use crate::dispatch::{Document, DocumentResult, Halt, Unsettled};
use crate::encoding::BatchJson;
use crate::error::AttemptStats;
use crate::models::Batch;
use crate::{BatchResult, EncodedRequest, Endpoint, Error, ErrorKind, Outcome};
use std::collections::HashMap;
use std::ops::Range;
use std::time::Duration;

/// The batch or the part of a batch that a document contains.
pub(super) enum Tag {
    /// The batch at a position in the source.
    Whole { position: usize, batch: Box<Batch> },
    /// Some events of a batch that was split.
    Part { position: usize, events: Range<usize> },
}

/// A batch that was split and has parts without a result.
struct Divided {
    source_request_id: String,
    batch: Box<Batch>,
    outstanding: usize,
    /// The parts that were not delivered.
    left: Vec<(BatchJson, Range<usize>)>,
    /// The outcome of the first part that was not delivered.
    outcome: Option<Outcome>,
    /// Whether one of them has no result because the upload stopped.
    given_back: bool,
}

/// How a batch failed.
struct Failure {
    position: usize,
    outcome: Outcome,
    given_back: bool,
}

pub(super) struct Outcomes<'a> {
    report: UploadReport,
    divided: HashMap<usize, Divided>,
    endpoint: Endpoint,
    stop_after_failures: Option<usize>,
    on_outcome: Option<OnOutcome<'a>>,
    observer: Option<Box<dyn UploadObserver + Send + 'a>>,
    /// Whether a result was reported since the last checkpoint.
    is_checkpoint_due: bool,
    is_in_outage: bool,
}

impl<'a> Outcomes<'a> {
    pub(super) fn new(
        endpoint: Endpoint,
        stop_after_failures: Option<usize>,
        on_outcome: Option<OnOutcome<'a>>,
        observer: Option<Box<dyn UploadObserver + Send + 'a>>,
    ) -> Self {
        Self {
            report: UploadReport::default(),
            divided: HashMap::new(),
            endpoint,
            stop_after_failures: stop_after_failures.map(|batches| batches.max(1)),
            on_outcome,
            observer,
            is_checkpoint_due: false,
            is_in_outage: false,
        }
    }

    /// Tells the observer that all results which are known have been reported.
    pub(super) fn checkpoint(&mut self, requests: usize) {
        if let (true, Some(observer)) = (self.is_checkpoint_due, &mut self.observer) {
            observer.checkpoint(requests);
        }
        self.is_checkpoint_due = false;
    }

    pub(super) fn has_observer(&self) -> bool {
        self.observer.is_some()
    }

    /// Tells the observer if an outage has begun or ended.
    pub(super) fn outage(&mut self, cause: Option<&Error>) {
        if self.is_in_outage != cause.is_some() {
            self.is_in_outage = cause.is_some();
            self.observer.iter_mut().for_each(|observer| observer.outage(cause));
        }
    }

    /// Counts a batch of the source, and returns its position.
    pub(super) fn given(&mut self) -> usize {
        self.report.given += 1;
        self.report.given - 1
    }

    /// Whether no further batches are to be pulled.
    pub(super) fn has_stopped(&self) -> bool {
        self.report.stopped.is_some()
    }

    /// Records the reason why nothing more is sent.
    pub(super) fn halted(&mut self, halt: Halt) {
        let (stopped, error) = match halt {
            Halt::TimedOut(error) => (Stopped::NothingAccepted, error),
            Halt::Refused(error) => (
                match error.kind() {
                    ErrorKind::Unauthorized => Stopped::Unauthorized,
                    ErrorKind::Closed | ErrorKind::Config => Stopped::Closed,
                    _ => Stopped::Refused,
                },
                error,
            ),
        };
        self.report.stopped = Some(stopped);
        self.report.error = Some(error);
    }

    pub(super) fn into_report(mut self, requests: usize, elapsed: Duration) -> UploadReport {
        self.report.requests = requests;
        self.report.elapsed = elapsed;
        self.report.failed.sort_by_key(|failed| failed.position);
        self.report
    }

    /// Records that a batch was split into a number of parts.
    pub(super) fn divide(&mut self, position: usize, id: String, batch: Box<Batch>, parts: usize) {
        let (left, outcome) = (Vec::new(), None);
        let divided = Divided {
            source_request_id: id,
            batch,
            outstanding: parts,
            left,
            outcome,
            given_back: false,
        };
        self.divided.insert(position, divided);
    }

    /// Records that a batch could not be encoded.
    pub(super) fn reject(&mut self, position: usize, id: String, batch: Box<Batch>, error: Error) {
        let failure = Failure { position, outcome: Outcome::Rejected(error), given_back: false };
        self.failed(failure, id, Left::Whole(batch), &[]);
    }

    /// Records the result of a document.
    pub(super) fn settle(&mut self, document: Document<Tag>, result: DocumentResult) {
        self.end(document, result.into_outcome(), false);
    }

    /// Records that a document had no result when the dispatcher was halted.
    pub(super) fn give_back(&mut self, unsettled: Unsettled<Tag>) {
        let error = match &self.report.error {
            Some(error) => not_sent(error, unsettled.may_have_been_sent),
            None => Error::new(ErrorKind::Closed, "the upload ended before the batch was sent"),
        };
        self.end(unsettled.document, Outcome::Failed(error), true);
    }

    fn end(&mut self, document: Document<Tag>, outcome: Outcome, given_back: bool) {
        let Document { encoded, tag, .. } = document;
        let is_over = matches!(outcome, Outcome::Delivered(_) | Outcome::Discarded);
        match tag {
            Tag::Whole { position, .. } if is_over => {
                self.over(position, encoded.source_request_id, outcome);
            }
            Tag::Whole { position, batch } => {
                let id = encoded.source_request_id.clone();
                let failure = Failure { position, outcome, given_back };
                self.failed(failure, id, Left::Whole(batch), &[encoded]);
            }
            Tag::Part { position, events } => {
                let Some(divided) = self.divided.get_mut(&position) else { return };
                divided.outstanding -= 1;
                if !is_over {
                    divided.left.push((encoded, events));
                    divided.outcome.get_or_insert_with(|| outcome.clone());
                    divided.given_back |= given_back;
                }
                if divided.outstanding == 0 {
                    self.end_divided(position, outcome);
                }
            }
        }
    }

    /// Records the outcome of a batch whose last part has the outcome `last`.
    fn end_divided(&mut self, position: usize, last: Outcome) {
        let Some(divided) = self.divided.remove(&position) else { return };
        let Divided { source_request_id, batch, mut left, outcome, given_back, .. } = divided;
        let Some(outcome) = outcome else { return self.over(position, source_request_id, last) };
        left.sort_by_key(|(_, events)| events.start);
        let (encoded, events): (Vec<_>, Vec<_>) = left.into_iter().unzip();
        let ids = encoded.iter().map(|part| part.source_request_id.clone());
        let parts = Left::Parts(batch, ids.zip(events).collect());
        let failure = Failure { position, outcome, given_back };
        self.failed(failure, source_request_id, parts, &encoded);
    }

    /// Records that a batch was delivered or discarded.
    fn over(&mut self, position: usize, source_request_id: String, outcome: Outcome) {
        self.is_checkpoint_due = true;
        if let Some(observer) = &mut self.observer {
            observer.delivered(position, &outcome);
        }
        match outcome {
            Outcome::Discarded => self.report.discarded += 1,
            _ => self.report.delivered += 1,
        }
        if let Some(on_outcome) = &mut self.on_outcome {
            let (sent_as, requests) = (None, Vec::new());
            on_outcome(&BatchResult { source_request_id, sent_as, outcome, requests });
        }
    }

    fn failed(
        &mut self,
        failure: Failure,
        source_request_id: String,
        left: Left,
        documents: &[BatchJson],
    ) {
        let Failure { position, outcome, given_back } = failure;
        let (Outcome::Rejected(error) | Outcome::Failed(error)) = outcome.clone() else { return };
        if let Some(on_outcome) = &mut self.on_outcome {
            let request = |document| EncodedRequest::of_one(self.endpoint, document);
            let requests = documents.iter().map(request);
            on_outcome(&BatchResult {
                source_request_id: source_request_id.clone(),
                sent_as: None,
                outcome,
                requests: requests.collect(),
            });
        }
        let failed = FailedBatch { position, source_request_id, error, given_back, left };
        self.is_checkpoint_due = true;
        self.report.failed_count += 1;
        match &mut self.observer {
            Some(observer) => observer.failed(failed),
            None => self.report.failed.push(failed),
        }
        let is_enough =
            self.stop_after_failures.is_some_and(|most| self.report.failed_count >= most);
        if is_enough {
            self.report.stopped.get_or_insert(Stopped::TooManyFailures);
        }
    }
}

/// Returns the error of a batch without a result. It has the kind and the response of the error that halted the
/// dispatcher, but not its request, which contains other batches.
fn not_sent(halted: &Error, may_have_been_sent: bool) -> Error {
    let message = if may_have_been_sent {
        "the upload stopped before the batch was accepted"
    } else {
        "the upload stopped before the batch was sent"
    };
    let (attempts, elapsed) = (u32::from(may_have_been_sent), Duration::ZERO);
    Error::new(halted.kind(), message)
        .with_stats(AttemptStats { attempts, elapsed, may_have_been_sent })
        .with_answer_of(halted)
        .with_source(halted.clone())
}
