//! A request that has begun. It is sent as a whole, or in halves if one of its documents is malformed.

use super::wait::Wait;
use super::waiting::Queued;
use crate::encoding::users::UserKey;
use crate::error::AttemptStats;
use crate::{EncodedRequest, Endpoint, Error, Receipt};
use std::collections::VecDeque;
use std::time::{Duration, SystemTime};
use tokio::time::Instant;

pub(super) struct Flight<T> {
    /// The documents without a result, in order.
    documents: VecDeque<Queued<T>>,
    users: Vec<UserKey>,
    /// The number of documents in each of the remaining requests. The next request is the last element.
    parts: Vec<usize>,
    /// The wait before the next request, or `None` while the request is being sent.
    wait: Option<Wait>,
    sent_at: Instant,
    begun: Instant,
    /// The number of times that the next request was sent.
    attempts: u32,
    /// The number of failures that count against the retry policy.
    failures: u32,
    failed_at: Option<Instant>,
    may_have_been_sent: bool,
}

impl<T> Flight<T> {
    pub(super) fn new(documents: Vec<Queued<T>>, now: Instant) -> Self {
        let users = documents.iter().flat_map(|queued| queued.document.users.iter().copied());
        Self {
            users: users.collect(),
            parts: vec![documents.len()],
            documents: documents.into(),
            wait: Some(Wait::until(now)),
            sent_at: now,
            begun: now,
            attempts: 0,
            failures: 0,
            failed_at: None,
            may_have_been_sent: false,
        }
    }

    pub(super) fn users(&self) -> &[UserKey] {
        &self.users
    }

    /// Whether every document is settled.
    pub(super) fn is_done(&self) -> bool {
        self.parts.is_empty()
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.waits_until().is_some_and(|until| until <= now)
    }

    pub(super) fn waits_until(&self) -> Option<Instant> {
        self.wait.map(|wait| wait.end())
    }

    pub(super) fn wait_until(&mut self, until: Instant) {
        self.wait = Some(Wait::until(until));
    }

    /// Waits for the backoff, or for `Retry-After` if that is longer.
    pub(super) fn back_off(
        &mut self,
        backoff: Duration,
        retry_after: Option<Duration>,
        now: Instant,
    ) {
        self.wait = Some(Wait::after_failure(backoff, retry_after, now));
    }

    /// Ends a backoff. A wait for `Retry-After` continues.
    #[cfg(feature = "queue")]
    pub(super) fn retry_now(&mut self, now: Instant) {
        if let Some(wait) = &mut self.wait {
            wait.end_backoff(now);
        }
    }

    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    pub(super) fn failed_at(&self) -> Option<Instant> {
        self.failed_at
    }

    pub(super) fn may_have_been_sent(&self) -> bool {
        self.may_have_been_sent || self.wait.is_none()
    }

    /// Returns the next request, which counts as being sent from now on. It contains all documents, or the first ones
    /// if the flight was halved.
    pub(super) fn send(&mut self, endpoint: Endpoint, now: Instant) -> EncodedRequest {
        self.wait = None;
        self.sent_at = now;
        self.attempts += 1;
        let part = || self.documents.iter().take(self.part());
        let size: usize = part().map(|queued| queued.document.encoded.bytes.len() + 1).sum();
        let mut body = Vec::with_capacity(size + 1);
        let mut separator = b'[';
        for queued in part() {
            body.push(separator);
            body.extend_from_slice(&queued.document.encoded.bytes);
            separator = b',';
        }
        body.push(b']');
        let ids = part().map(|queued| queued.document.encoded.source_request_id.clone());
        EncodedRequest::new(endpoint, body.into(), ids.collect())
    }

    /// Whether the next request has been sent before.
    pub(super) fn is_repeated(&self) -> bool {
        self.attempts > 1
    }

    /// Halves the next request. Returns `false` if it contains a single document.
    pub(super) fn halve(&mut self) -> bool {
        let part = self.part();
        if part < 2 {
            return false;
        }
        self.parts.pop();
        self.parts.extend([part - part / 2, part / 2]);
        self.reset();
        true
    }

    /// Adds a request that is sent before the others.
    #[cfg(feature = "queue")]
    pub(super) fn push_front(&mut self, documents: Vec<Queued<T>>, now: Instant) {
        self.parts.push(documents.len());
        documents.into_iter().rev().for_each(|queued| self.documents.push_front(queued));
        self.reset();
        self.wait_until(now);
    }

    /// Returns when the first document of the next request expires.
    pub(super) fn expires_at(&self) -> Option<SystemTime> {
        let part = self.documents.iter().take(self.part());
        part.filter_map(|queued| queued.document.expires_at).min()
    }

    /// Takes the expired documents of the next request.
    pub(super) fn take_expired(&mut self, now: SystemTime) -> Vec<Queued<T>> {
        let part: Vec<Queued<T>> = self.documents.drain(..self.part()).collect();
        let (expired, rest): (Vec<_>, Vec<_>) =
            part.into_iter().partition(|queued| queued.document.is_expired(now));
        rest.into_iter().rev().for_each(|queued| self.documents.push_front(queued));
        if let Some(part) = self.parts.last_mut() {
            *part -= expired.len();
        }
        expired
    }

    /// Removes the next request if all of its documents have expired.
    pub(super) fn drop_empty_part(&mut self) {
        if self.parts.last() == Some(&0) {
            self.parts.pop();
            self.reset();
        }
    }

    /// Takes the documents of the next request, which has ended.
    pub(super) fn take_part(&mut self) -> impl Iterator<Item = Queued<T>> + use<T> {
        let part = self.parts.pop().unwrap_or_default();
        self.reset();
        self.documents.drain(..part.min(self.documents.len())).collect::<Vec<_>>().into_iter()
    }

    /// Counts a failure if it is the first one, or if other requests were accepted since the last one.
    pub(super) fn count_failure(&mut self, accepted_at: Option<Instant>, now: Instant) {
        if self.failed_at.is_none() || accepted_at > self.failed_at {
            self.failures += 1;
        }
        self.failed_at = Some(now);
    }

    /// Returns when the next request was last sent.
    pub(super) fn sent_at(&self) -> Instant {
        self.sent_at
    }

    /// Returns the receipt with all attempts of the request.
    pub(super) fn complete_receipt(&self, receipt: Receipt, now: Instant) -> Receipt {
        let attempts = if receipt.is_discarded() { 0 } else { self.attempts };
        Receipt { attempts, elapsed: self.elapsed(now), ..receipt }
    }

    /// Returns the error with all attempts of the request.
    pub(super) fn complete_error(&mut self, error: Error, now: Instant) -> Error {
        self.may_have_been_sent |= error.may_have_been_sent();
        let (attempts, elapsed) = (self.attempts, self.elapsed(now));
        error.with_stats(AttemptStats {
            attempts,
            elapsed,
            may_have_been_sent: self.may_have_been_sent,
        })
    }

    pub(super) fn into_documents(self) -> impl Iterator<Item = Queued<T>> {
        self.documents.into_iter()
    }

    /// Returns the number of documents in the next request.
    pub(super) fn part(&self) -> usize {
        self.parts.last().copied().unwrap_or_default()
    }

    fn elapsed(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.begun)
    }

    /// Resets the counts for another request.
    fn reset(&mut self) {
        self.attempts = 0;
        self.failures = 0;
        self.failed_at = None;
        self.may_have_been_sent = false;
    }
}
