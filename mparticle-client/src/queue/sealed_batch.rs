//! The documents that are sent for one batch, or for several batches that were joined.

use super::Outcome;
use super::completion::Completion;
use super::pending_batch::PendingBatch;
use crate::encoding::BatchJson;
use crate::encoding::sections::{Sections, extract, join};
use crate::encoding::users::UserKey;
use crate::timing::MAX_AGE;
use crate::{EncodedRequest, Endpoint, Error};
use std::ops::Range;
use std::time::SystemTime;

/// One batch, or several batches of one user that are sent as one.
///
/// Its bytes and its id never change. A batch that was too large is sent as several documents.
pub(super) struct SealedBatch {
    pub(super) documents: Vec<BatchJson>,
    pub(super) users: Vec<UserKey>,
    members: Vec<Member>,
    /// The common fields of the members, as a range of the document. It is not used for a single member.
    common: Range<usize>,
    /// When the first of the members was accepted.
    accepted: SystemTime,
    /// The number of the seal in the spool, if the batch was joined.
    seal: Option<u64>,
    /// The number of documents without a result.
    documents_left: usize,
    /// The outcome of the first document that was not delivered.
    failure: Option<Outcome>,
}

/// A batch of the caller.
struct Member {
    completion: Completion,
    /// The events of the batch, as a range of the document.
    events: Range<usize>,
    /// The number of the batch in the spool.
    number: Option<u64>,
}

impl SealedBatch {
    /// Creates a sealed batch from a single batch, which keeps its id.
    pub(super) fn of_one(batch: PendingBatch) -> Self {
        let PendingBatch { completion, content, users, accepted, number, .. } = batch;
        let documents = content.into_documents(completion.source_request_id());
        let members = vec![Member { completion, events: 0..0, number }];
        Self::new(members, documents, 0..0, accepted, users)
    }

    /// Joins batches of one user that differ only in their events, in order.
    pub(super) fn join(batches: Vec<PendingBatch>, id: String) -> Result<Self, Error> {
        let common = batches.first().and_then(|batch| batch.content.sections());
        let common = common.map(Sections::rest).unwrap_or_default();
        let sections = batches.iter().map(|batch| batch.content.sections());
        let lists = sections.map(|sections| sections.map(Sections::events).unwrap_or_default());
        let (sections, ranges) = join(&id, common, lists)?;
        let common = sections.rest_range();
        let document = BatchJson { source_request_id: id, bytes: sections.bytes.into() };
        let accepted = batches.iter().map(|batch| batch.accepted).min();
        let accepted = accepted.unwrap_or(SystemTime::UNIX_EPOCH);
        let mut users = Vec::new();
        let members = batches.into_iter().zip(ranges).map(|(batch, events)| {
            users = batch.users;
            Member { completion: batch.completion, events, number: batch.number }
        });
        let members = members.collect();
        Ok(Self::new(members, vec![document], common, accepted, users))
    }

    fn new(
        members: Vec<Member>,
        documents: Vec<BatchJson>,
        common: Range<usize>,
        accepted: SystemTime,
        users: Vec<UserKey>,
    ) -> Self {
        let documents_left = documents.len();
        let (seal, failure) = (None, None);
        Self { documents, users, members, common, accepted, seal, documents_left, failure }
    }

    /// Returns the size of the JSON in bytes.
    #[cfg(feature = "spool")]
    pub(super) fn bytes(&self) -> usize {
        self.documents.iter().map(|document| document.bytes.len()).sum()
    }

    pub(super) fn is_joined(&self) -> bool {
        self.members.len() > 1
    }

    /// Returns the time after which the batch must not be sent.
    pub(super) fn expires_at(&self) -> Option<SystemTime> {
        self.accepted.checked_add(MAX_AGE)
    }

    /// Returns the numbers of the members in the spool, if a seal has to be written for them.
    pub(super) fn numbers_to_seal(&self) -> Option<Vec<u64>> {
        let numbers: Vec<u64> = self.members.iter().filter_map(|member| member.number).collect();
        (self.is_joined() && !numbers.is_empty()).then_some(numbers)
    }

    pub(super) fn set_seal(&mut self, number: u64) {
        self.seal = Some(number);
    }

    pub(super) fn seal(&self) -> Option<u64> {
        self.seal
    }

    /// Returns the numbers of the seal and of the members in the spool.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.seal.into_iter().chain(self.members.iter().filter_map(|member| member.number))
    }

    /// Converts this into its members, each with the id and the bytes with which it was accepted.
    pub(super) fn into_members(self) -> Result<Vec<Self>, Error> {
        let Self { documents, members, common, accepted, users, .. } = self;
        let joined = documents.first().map(|document| &document.bytes[..]).unwrap_or_default();
        let alone = |member: Member| {
            let id = member.completion.source_request_id();
            let document = extract(id, joined, common.clone(), member.events.clone())?;
            let member = Member { events: 0..0, ..member };
            Ok(Self::new(vec![member], vec![document], 0..0, accepted, users.clone()))
        };
        members.into_iter().map(alone).collect()
    }

    /// Records the outcome of one document. Returns the outcome of the batch once every document has an outcome.
    pub(super) fn document_settled(&mut self, outcome: Outcome) -> Option<Outcome> {
        self.documents_left = self.documents_left.saturating_sub(1);
        if !matches!(outcome, Outcome::Delivered(_) | Outcome::Discarded) {
            self.failure.get_or_insert_with(|| outcome.clone());
        }
        (self.documents_left == 0).then(|| self.failure.take().unwrap_or(outcome))
    }

    /// Reports the same outcome for all members.
    pub(super) fn settle(self, outcome: &Outcome) {
        self.settle_with(|_| outcome.clone());
    }

    /// Reports the outcome of a queue that has ended for all members.
    pub(super) fn abandon(self) {
        self.settle_with(Completion::unfinished);
    }

    fn settle_with(self, outcome: impl Fn(&Completion) -> Outcome) {
        let Self { documents, members, .. } = self;
        let joined_id = documents.first().filter(|_| members.len() > 1);
        let joined_id = joined_id.map(|document| document.source_request_id.as_str());
        // The bodies are copied at most once, and only if there is a receiver.
        let mut requests: Option<Vec<EncodedRequest>> = None;
        for Member { completion, .. } in members {
            let outcome = outcome(&completion);
            let returns_batch =
                matches!(outcome, Outcome::Rejected(_) | Outcome::Expired | Outcome::Dropped);
            let requests = if returns_batch && completion.has_listener() {
                requests.get_or_insert_with(|| requests_of(&documents)).clone()
            } else {
                Vec::new()
            };
            completion.settle(outcome, joined_id, requests);
        }
    }
}

/// Returns one request for each document.
fn requests_of(documents: &[BatchJson]) -> Vec<EncodedRequest> {
    let request = |document| EncodedRequest::of_one(Endpoint::BulkEvents, document);
    documents.iter().map(request).collect()
}
