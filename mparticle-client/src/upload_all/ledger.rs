//! Who came in and what became of it: every batch that enters leaves with one outcome.

use super::report::Left;
use super::{FailedBatch, OnOutcome, Outcome, Stopped, UploadReport};
use crate::error::Answer;
use crate::models::Batch;
use crate::{Error, ErrorKind, Receipt};
use bytes::Bytes;
use std::collections::HashMap;
use std::ops::Range;

/// What one place in a request holds.
pub(super) enum Item {
    Whole(Box<Batch>),
    /// Some events of a batch that was divided, by the batch's number.
    Part(usize, Range<usize>),
}

/// A batch that was divided, until the last of its parts is settled.
struct Divided {
    source_request_id: String,
    batch: Box<Batch>,
    outstanding: usize,
    left: Vec<(String, Range<usize>)>,
    error: Option<Error>,
}

pub(super) struct Ledger<'a> {
    report: UploadReport,
    divided: HashMap<usize, Divided>,
    stop_after_failures: Option<usize>,
    on_outcome: Option<OnOutcome<'a>>,
    /// Why nothing further is to be sent at all.
    halted: Option<Error>,
}

impl<'a> Ledger<'a> {
    pub(super) fn new(
        stop_after_failures: Option<usize>,
        on_outcome: Option<OnOutcome<'a>>,
    ) -> Self {
        let report = UploadReport::default();
        Self { report, divided: HashMap::new(), stop_after_failures, on_outcome, halted: None }
    }

    pub(super) fn given(&mut self) {
        self.report.given += 1;
    }

    pub(super) fn request(&mut self) {
        self.report.requests += 1;
    }

    /// Sees to it that no more batches are pulled.
    pub(super) fn stop(&mut self, why: Stopped) {
        self.report.stopped.get_or_insert(why);
    }

    /// Whether no more batches are to be pulled.
    pub(super) fn has_stopped(&self) -> bool {
        self.report.stopped.is_some()
    }

    /// The error for what is not to be sent any more, since it would fail, too.
    pub(super) fn halted(&self) -> Option<&Error> {
        self.halted.as_ref()
    }

    pub(super) fn into_report(self) -> UploadReport {
        self.report
    }

    /// Notes that a batch goes on as a number of parts, which are known by the number it returns.
    pub(super) fn divide(&mut self, id: String, batch: Box<Batch>, parts: usize) -> usize {
        let number = self.report.given;
        let (left, error) = (Vec::new(), None);
        let divided = Divided { source_request_id: id, batch, outstanding: parts, left, error };
        self.divided.insert(number, divided);
        number
    }

    pub(super) fn deliver(&mut self, item: &Item, id: &str, receipt: &Receipt) {
        match item {
            Item::Whole(_) => self.delivered(id, receipt),
            Item::Part(number, _) => match self.settle_part(*number, None) {
                Some(Divided { error: None, source_request_id, .. }) => {
                    self.delivered(&source_request_id, receipt);
                }
                Some(incomplete) => self.failed_parts(incomplete),
                None => {}
            },
        }
    }

    pub(super) fn fail(&mut self, item: Item, id: &str, error: &Error) {
        match item {
            Item::Whole(batch) => self.failed(FailedBatch {
                source_request_id: id.to_owned(),
                error: error.clone(),
                left: Left::Whole(batch),
            }),
            Item::Part(number, events) => {
                let part = (id.to_owned(), events);
                if let Some(incomplete) = self.settle_part(number, Some((part, error))) {
                    self.failed_parts(incomplete);
                }
            }
        }
    }

    /// Draws the consequences from the failure of a request.
    pub(super) fn learn(&mut self, error: &Error) {
        let stopped = match error.kind() {
            ErrorKind::Unauthorized => Stopped::Unauthorized,
            ErrorKind::Closed => Stopped::Closed,
            _ => return,
        };
        if self.halted.is_none() {
            self.report.stopped = Some(stopped);
            self.halted = Some(never_sent(error));
        }
    }

    /// The batch, if this was its last part.
    fn settle_part(
        &mut self,
        number: usize,
        failure: Option<((String, Range<usize>), &Error)>,
    ) -> Option<Divided> {
        let divided = self.divided.get_mut(&number)?;
        divided.outstanding = divided.outstanding.saturating_sub(1);
        if let Some((part, error)) = failure {
            divided.left.push(part);
            divided.error.get_or_insert_with(|| error.clone());
        }
        if divided.outstanding > 0 {
            return None;
        }
        self.divided.remove(&number)
    }

    fn failed_parts(&mut self, divided: Divided) {
        let Divided { source_request_id, batch, mut left, error, .. } = divided;
        if let Some(error) = error {
            left.sort_by_key(|(_, events)| events.start);
            self.failed(FailedBatch { source_request_id, error, left: Left::Parts(batch, left) });
        }
    }

    fn delivered(&mut self, source_request_id: &str, receipt: &Receipt) {
        self.report.delivered += 1;
        if let Some(on_outcome) = &mut self.on_outcome {
            on_outcome(Outcome::Delivered { source_request_id, receipt });
        }
    }

    fn failed(&mut self, failed: FailedBatch) {
        if let Some(on_outcome) = &mut self.on_outcome {
            on_outcome(Outcome::Failed(&failed));
        }
        self.report.failed.push(failed);
        if self.stop_after_failures.is_some_and(|most| self.report.failed.len() >= most) {
            self.stop(Stopped::TooManyFailures);
        }
    }
}

/// The error of a batch that was not sent because of how an earlier request failed: same kind, same answer, but with no
/// request of its own.
fn never_sent(error: &Error) -> Error {
    let message = "not sent, since an earlier request failed in a way that this one would, too";
    let own = Error::new(error.kind(), message).with_source(error.clone());
    match (error.status(), error.headers(), error.body()) {
        (Some(status), Some(headers), Some(body)) => {
            let body = Bytes::copy_from_slice(body);
            own.with_answer(Answer { status, headers: headers.clone(), body })
        }
        _ => own,
    }
}
