//! What is sent under one id, and the batches that it stands for.

use super::Outcome;
use super::entry::{Content, Entry};
use super::filling::Group;
use super::ticket::Ticket;
use crate::encoding::EncodedBatch;
use crate::encoding::sections::{Sections, extract, join};
use crate::encoding::users::UserKey;
use crate::{EncodedRequest, Endpoint, Error};
use std::ops::Range;
use std::time::{Duration, SystemTime};

/// For how long a batch may be sent: mParticle knows its `source_request_id` for 30 days at least, and clocks differ.
pub(super) const LIFETIME: Duration = Duration::from_secs(25 * 24 * 60 * 60);

/// One or several batches of one user that are sent as one, or one batch that is sent in parts.
pub(super) struct Parcel {
    pub(super) members: Vec<Member>,
    /// What goes over the wire: one document, or the parts of a batch that was too large for one.
    pub(super) documents: Vec<EncodedBatch>,
    /// What the members have in common, as a place in the document; of no meaning if there is but one.
    pub(super) common: Range<usize>,
    /// When the first of the members was accepted.
    pub(super) accepted: SystemTime,
    pub(super) users: Vec<UserKey>,
    /// Its record in the spool: for several batches, the place of the first of them.
    pub(super) record: Option<u64>,
    /// How many documents have no outcome yet.
    pub(super) outstanding: usize,
    /// What the first document that was not delivered ended in.
    pub(super) failure: Option<Outcome>,
}

/// A batch in a parcel.
pub(super) struct Member {
    pub(super) ticket: Ticket,
    /// Its events, as a place in the document.
    pub(super) events: Range<usize>,
    /// The record of the batch alone in the spool, which another takes the place of once it is joined.
    pub(super) record: Option<u64>,
}

impl Parcel {
    /// What a group of batches has become when no more may join. It gets an id of its own if it has several.
    pub(super) fn from_group(group: Group, id: impl FnOnce() -> String) -> Result<Self, Error> {
        let Group { mut entries, users, .. } = group;
        let accepted = entries.iter().map(|entry| entry.accepted).min();
        let accepted = accepted.unwrap_or(SystemTime::UNIX_EPOCH);
        if entries.len() > 1 {
            return Self::joined(entries, users, accepted, id());
        }
        let mut documents = Vec::new();
        let mut members = Vec::new();
        let mut record = None;
        if let Some(entry) = entries.pop() {
            let Entry { ticket, content, record: own, .. } = entry;
            documents = match content {
                Content::Joinable(sections) => {
                    let source_request_id = ticket.source_request_id().to_owned();
                    vec![EncodedBatch { source_request_id, bytes: sections.bytes.into() }]
                }
                Content::Whole(document) => vec![document],
                Content::Parts(parts) => parts,
            };
            members.push(Member { ticket, events: 0..0, record: None });
            record = own;
        }
        Ok(Self::new(members, documents, 0..0, accepted, users, record))
    }

    pub(super) fn new(
        members: Vec<Member>,
        documents: Vec<EncodedBatch>,
        common: Range<usize>,
        accepted: SystemTime,
        users: Vec<UserKey>,
        record: Option<u64>,
    ) -> Self {
        let outstanding = documents.len();
        let failure = None;
        Self { members, documents, common, accepted, users, record, outstanding, failure }
    }

    fn joined(
        entries: Vec<Entry>,
        users: Vec<UserKey>,
        accepted: SystemTime,
        id: String,
    ) -> Result<Self, Error> {
        let common = entries.first().and_then(|entry| entry.content.sections());
        let common = common.map(Sections::rest).unwrap_or_default();
        let sections = entries.iter().map(|entry| entry.content.sections());
        let lists = sections.map(|sections| sections.map(Sections::events).unwrap_or_default());
        let (sections, places) = join(&id, common, lists)?;
        let members = entries.into_iter().zip(places).map(|(entry, events)| Member {
            ticket: entry.ticket,
            events,
            record: entry.record,
        });
        let members = members.collect();
        let common = sections.rest_range();
        let document = EncodedBatch { source_request_id: id, bytes: sections.bytes.into() };
        Ok(Self::new(members, vec![document], common, accepted, users, None))
    }

    /// Whether it stands for several batches.
    pub(super) fn is_joined(&self) -> bool {
        self.members.len() > 1
    }

    /// Whether the spool has to learn of it before it may be sent.
    pub(super) fn needs_a_record(&self) -> bool {
        self.is_joined()
            && self.record.is_none()
            && self.members.iter().any(|member| member.ticket.is_durable())
    }

    /// Its batches as parcels of their own, under the ids and with the bytes that they were accepted with.
    pub(super) fn take_apart(self) -> Result<Vec<Self>, Error> {
        let documents = self.apart()?;
        let Self { members, accepted, users, .. } = self;
        let alone = |(mut member, document): (Member, EncodedBatch)| {
            let record = member.record.take();
            member.events = 0..0;
            Self::new(vec![member], vec![document], 0..0, accepted, users.clone(), record)
        };
        Ok(members.into_iter().zip(documents).map(alone).collect())
    }

    /// The documents of its batches alone.
    pub(super) fn apart(&self) -> Result<Vec<EncodedBatch>, Error> {
        let joined = self.documents.first().map(|document| &document.bytes[..]);
        let joined = joined.unwrap_or_default();
        let alone = |member: &Member| {
            let id = member.ticket.source_request_id();
            extract(id, joined, self.common.clone(), member.events.clone())
        };
        self.members.iter().map(alone).collect()
    }

    /// Notes that the spool holds it in place of its batches.
    pub(super) fn is_recorded(&mut self) {
        self.record = self.first_record();
        self.members.iter_mut().for_each(|member| member.ticket.set_durable());
    }

    /// The record of the first of its batches, whose place its own takes.
    pub(super) fn first_record(&self) -> Option<u64> {
        self.members.iter().filter_map(|member| member.record).min()
    }

    /// The records that hold it or its batches.
    pub(super) fn records(&self) -> Vec<u64> {
        let own = self.record.into_iter();
        own.chain(self.members.iter().filter_map(|member| member.record)).collect()
    }

    pub(super) fn is_expired(&self, now: SystemTime) -> bool {
        self.time_left(now).is_zero()
    }

    /// For how long it may still be sent.
    pub(super) fn time_left(&self, now: SystemTime) -> Duration {
        // A clock that was set back has made nothing older.
        LIFETIME.saturating_sub(now.duration_since(self.accepted).unwrap_or_default())
    }

    /// Gives all batches their outcome.
    pub(super) fn settle(self, outcome: &Outcome) {
        let unsent = self.requests();
        let sent_as = self.joined_id();
        for member in self.members {
            member.ticket.settle(outcome.clone(), sent_as.as_deref(), &unsent);
        }
    }

    /// Gives all batches the outcome of a queue that has ended.
    pub(super) fn abandon(self) {
        let unsent = self.requests();
        let sent_as = self.joined_id();
        for member in self.members {
            member.ticket.abandon(sent_as.as_deref(), &unsent);
        }
    }

    fn joined_id(&self) -> Option<String> {
        let document = self.documents.first().filter(|_| self.is_joined())?;
        Some(document.source_request_id.clone())
    }

    /// One request for each document.
    fn requests(&self) -> Vec<EncodedRequest> {
        let request = |document| EncodedRequest::of_one(Endpoint::BulkEvents, document);
        self.documents.iter().map(request).collect()
    }
}
