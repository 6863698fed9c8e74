//! What the reader and the uploads of an input share: results, the checkpoint, and the failures.

use super::checkpoint::Checkpoint;
use super::failed_file::{FailedFile, Why};
use super::pending_records::{PendingRecords, Span};
use crate::input::{Mapping, Problem, RecordText};
use mparticle_client::models::Batch;
use mparticle_client::{ErrorKind, FailedBatch, Outcome, ViolationSummary};
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;

/// After how many records without results of uploads the checkpoint is written.
const SAVE_EVERY: usize = 100;

/// The endpoint of an upload: for the usual data, or for historical data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Route {
    Usual,
    Historical,
}

/// The numbers of batches and records by their result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) delivered: u64,
    /// Batches and records that are in the failed file.
    pub(crate) failed: u64,
    /// Batches that were read and not sent, because the upload stopped.
    pub(crate) not_sent: u64,
    /// Records that earlier runs completed.
    pub(crate) skipped: u64,
    /// Records of which mParticle has everything.
    pub(crate) empty: u64,
}

pub(crate) struct State {
    pub(super) source: String,
    pending: PendingRecords,
    pub(super) checkpoint: Option<Checkpoint>,
    pub(super) failed_file: Option<FailedFile>,
    /// The id of the span of each batch, by the position of the batch in its upload.
    span_ids: HashMap<(Route, usize), u64>,
    pulled: HashMap<Route, usize>,
    requests: HashMap<Route, usize>,
    pub(crate) counts: Counts,
    pub(crate) violations: ViolationSummary,
    pub(crate) rate_limit_used: Option<f64>,
    /// Why nothing is accepted.
    pub(crate) outage: Option<String>,
    /// Why the checkpoint or the failed file cannot be written.
    pub(crate) error: Option<String>,
    unsaved: usize,
}

impl State {
    pub(crate) fn new(
        source: String,
        pending: PendingRecords,
        checkpoint: Option<Checkpoint>,
        failed_file: Option<FailedFile>,
    ) -> Self {
        Self {
            source,
            pending,
            checkpoint,
            failed_file,
            span_ids: HashMap::new(),
            pulled: HashMap::new(),
            requests: HashMap::new(),
            counts: Counts::default(),
            violations: ViolationSummary::default(),
            rate_limit_used: None,
            outage: None,
            error: None,
            unsaved: 0,
        }
    }

    /// Adds records that were read. Returns the id of their span.
    pub(crate) fn begin(&mut self, span: Span) -> u64 {
        let span_id = self.pending.begin(span);
        if span.parts == 0 {
            self.saved_later();
        }
        span_id
    }

    /// Counts a problem. It does not prevent the record from being sent.
    pub(crate) fn note(&mut self, line: u64, problem: &Problem) {
        problem.add_to(&mut self.violations, &self.source, line);
    }

    /// Keeps a record that is not sent.
    pub(crate) fn fail_record(
        &mut self,
        line: u64,
        problem: &Problem,
        text: &RecordText,
        mapping: Option<&Mapping>,
    ) {
        let (source, file) = (self.source.clone(), self.failed_file.as_mut());
        let why = Why { file: &source, line, problem };
        let written = file.map_or(Ok(None), |file| file.write_record(text, mapping, &why));
        self.failed(line, problem, written);
    }

    /// Keeps a batch that is not sent, or was refused.
    pub(crate) fn fail_batch(&mut self, span_id: u64, batches: &[Batch], problem: &Problem) {
        let (source, line) = (self.source.clone(), self.pending.line(span_id));
        let why = Why { file: &source, line, problem };
        let mut created = Ok(None);
        if let Some(file) = &mut self.failed_file {
            for batch in batches {
                match file.write_batch(batch, &why) {
                    Ok(None) => {}
                    other => created = other,
                }
            }
        }
        self.failed(line, problem, created);
        self.pending.settle(span_id);
    }

    /// Counts a failure that was written.
    fn failed(&mut self, line: u64, problem: &Problem, written: io::Result<Option<PathBuf>>) {
        let recorded = written.and_then(|created| match (created, &mut self.checkpoint) {
            (Some(path), Some(checkpoint)) => checkpoint.append_failed(&path),
            _ => Ok(()),
        });
        self.note_error("the failed file", recorded);
        self.note(line, problem);
        self.counts.failed += 1;
        self.saved_later();
    }

    /// A batch was pulled by an upload.
    pub(crate) fn pulled(&mut self, route: Route, span_id: u64) {
        let position = self.pulled.entry(route).or_default();
        self.span_ids.insert((route, *position), span_id);
        *position += 1;
    }

    pub(crate) fn delivered(&mut self, route: Route, position: usize, outcome: &Outcome) {
        if let Outcome::Delivered(receipt) = outcome {
            self.rate_limit_used = receipt.rate_limit_percentage_used().or(self.rate_limit_used);
        }
        self.counts.delivered += 1;
        if let Some(span_id) = self.span_ids.remove(&(route, position)) {
            self.pending.settle(span_id);
        }
    }

    /// An upload did not deliver a batch.
    pub(crate) fn not_delivered(&mut self, route: Route, failed: FailedBatch) {
        let Some(span_id) = self.span_ids.remove(&(route, failed.position())) else { return };
        // With a checkpoint, the next run sends the batch.
        if failed.was_given_back() && self.checkpoint.is_some() {
            self.counts.not_sent += 1;
            return;
        }
        let problem = problem_of(&failed);
        self.fail_batch(span_id, &failed.into_batches(), &problem);
    }

    /// A batch was read, and no upload has pulled it.
    pub(crate) fn return_batch(&mut self, span_id: u64, batch: Batch) {
        if self.checkpoint.is_some() {
            self.counts.not_sent += 1;
        } else {
            let message = "the upload stopped before the batch was sent";
            self.fail_batch(span_id, &[batch], &Problem::new("notSent", message));
        }
    }

    /// Writes what is known to the checkpoint.
    pub(crate) fn save(&mut self) {
        self.unsaved = 0;
        let progress = self.pending.progress();
        // A record whose failure may be lost must not count as done.
        let written = self.failed_file.as_mut().map_or(Ok(()), FailedFile::sync);
        self.note_error("the failed file", written);
        if let (None, Some(checkpoint)) = (&self.error, &mut self.checkpoint) {
            let is_sync_due = checkpoint.is_sync_due();
            let appended = checkpoint.append(&progress);
            self.note_error("the checkpoint", appended);
            if is_sync_due {
                self.sync();
            }
        }
    }

    /// Makes the checkpoint durable.
    pub(crate) fn sync(&mut self) {
        let checkpoint = self.checkpoint.as_mut().map_or(Ok(()), Checkpoint::sync);
        self.note_error("the checkpoint", checkpoint);
    }

    pub(crate) fn set_requests(&mut self, route: Route, requests: usize) {
        self.requests.insert(route, requests);
    }

    pub(crate) fn requests(&self) -> usize {
        self.requests.values().sum()
    }

    fn saved_later(&mut self) {
        self.unsaved += 1;
        if self.unsaved >= SAVE_EVERY {
            self.save();
        }
    }

    fn note_error(&mut self, what: &str, result: io::Result<()>) {
        if let Err(error) = result {
            self.error.get_or_insert_with(|| format!("{what} cannot be written: {error}"));
        }
    }
}

/// The problem of a batch that an upload did not deliver.
fn problem_of(failed: &FailedBatch) -> Problem {
    let error = failed.error();
    let rule = match error.kind() {
        _ if failed.was_given_back() => "notSent",
        ErrorKind::Rejected => "rejected",
        ErrorKind::TooLarge => "tooLarge",
        ErrorKind::Invalid => "invalid",
        _ => "notDelivered",
    };
    let pointer = error.pointer().unwrap_or_default();
    // The pointer has a place of its own.
    let mut message = format!("{error:#}").replacen(&format!(" (at {pointer})"), "", 1);
    for text in error.api_errors().into_iter().filter_map(|error| error.message) {
        message.push_str("; mParticle says: ");
        message.push_str(&text);
    }
    Problem::new(rule, message).at(pointer)
}
