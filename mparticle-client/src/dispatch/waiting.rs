//! The documents that wait, and the requests that are formed from them.

use super::Document;
use super::user_set::UserSet;
use crate::encoding::MAX_REQUEST_BYTES;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::time::Instant;

/// A document with its number in the order of arrival.
pub(super) struct Queued<T> {
    pub(super) number: u64,
    pub(super) document: Document<T>,
    at: Instant,
}

#[cfg(feature = "queue")]
impl<T> Queued<T> {
    /// Creates a document that is sent before the waiting ones.
    pub(super) fn again(document: Document<T>, at: Instant) -> Self {
        Self { number: 0, document, at }
    }
}

/// The documents that wait, in the order of arrival.
pub(super) struct Waiting<T> {
    queue: VecDeque<Queued<T>>,
    bytes: usize,
    next_number: u64,
    max_batches: usize,
    linger: Duration,
    selection: Selection,
}

/// The documents that were selected so far for the next request.
#[derive(Default)]
struct Selection {
    /// The positions of the documents in the queue.
    places: Vec<usize>,
    /// The size of the documents, with a comma after each.
    bytes: usize,
    /// The number of documents in the queue that were examined.
    seen: usize,
    /// The users of the examined documents that were not selected.
    stays: UserSet,
    /// Whether no further document fits.
    is_full: bool,
}

impl<T> Waiting<T> {
    pub(super) fn new(max_batches: usize, linger: Duration) -> Self {
        let (queue, selection) = (VecDeque::new(), Selection::default());
        Self { queue, bytes: 0, next_number: 0, max_batches, linger, selection }
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Returns the size of all documents.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Returns when the documents of the next request have waited long enough for others.
    pub(super) fn due(&self) -> Option<Instant> {
        let oldest = self.selection.places.first().and_then(|place| self.queue.get(*place));
        oldest.map(|oldest| oldest.at + self.linger)
    }

    pub(super) fn push(&mut self, document: Document<T>, now: Instant) {
        let number = self.next_number;
        self.next_number += 1;
        self.bytes += document.encoded.bytes.len();
        self.queue.push_back(Queued { number, document, at: now });
    }

    #[cfg(feature = "queue")]
    pub(super) fn push_front(&mut self, documents: Vec<Queued<T>>) {
        for queued in documents.into_iter().rev() {
            self.bytes += queued.document.encoded.bytes.len();
            self.queue.push_front(queued);
        }
        self.selection = Selection::default();
    }

    /// Examines all documents again, because some users are no longer locked.
    pub(super) fn users_unlocked(&mut self) {
        self.selection = Selection::default();
    }

    /// Takes the documents of the next request. A document is skipped if one of its users is locked, or is a user of an
    /// earlier document that was skipped. Returns `None` if there are no documents, or if there are too few and the
    /// first of them has not waited long enough.
    ///
    /// The set of locked users may change only if a request was taken or [`users_unlocked`](Self::users_unlocked) was
    /// called.
    pub(super) fn take_request(
        &mut self,
        locked: &UserSet,
        now: Instant,
        without_waiting: bool,
    ) -> Option<Vec<Queued<T>>> {
        self.look_on(locked);
        let is_due = self.due().is_some_and(|due| due <= now);
        if self.selection.places.is_empty()
            || !(self.selection.is_full || without_waiting || is_due)
        {
            return None;
        }
        Some(self.take_selection())
    }

    /// Takes all documents.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Queued<T>> + use<T> {
        self.bytes = 0;
        self.selection = Selection::default();
        std::mem::take(&mut self.queue).into_iter()
    }

    /// Examines the documents that were pushed since the last call.
    fn look_on(&mut self, locked: &UserSet) {
        let selection = &mut self.selection;
        let unseen = self.queue.iter().skip(selection.seen);
        for (place, Queued { document, .. }) in (selection.seen..).zip(unseen) {
            if selection.is_full {
                return;
            }
            selection.seen = place + 1;
            let is_locked = |user| locked.contains(user) || selection.stays.contains(user);
            if document.users.iter().any(is_locked) {
                selection.stays.extend(document.users.iter().copied());
                continue;
            }
            // There is a bracket or a comma before each document, and a bracket after the last one.
            let bytes = selection.bytes + document.encoded.bytes.len() + 1;
            if !selection.places.is_empty() && bytes + 1 > MAX_REQUEST_BYTES {
                selection.is_full = true;
                return;
            }
            selection.places.push(place);
            selection.bytes = bytes;
            selection.is_full = selection.places.len() == self.max_batches;
        }
    }

    fn take_selection(&mut self) -> Vec<Queued<T>> {
        let Selection { places, .. } = std::mem::take(&mut self.selection);
        let mut taken = Vec::with_capacity(places.len());
        let mut stays = Vec::new();
        let end = places.last().map_or(0, |last| last + 1);
        let mut places = places.into_iter().peekable();
        for (place, queued) in self.queue.drain(..end).enumerate() {
            if places.next_if_eq(&place).is_some() {
                self.bytes -= queued.document.encoded.bytes.len();
                taken.push(queued);
            } else {
                stays.push(queued);
            }
        }
        stays.into_iter().rev().for_each(|queued| self.queue.push_front(queued));
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::{Queued, Waiting};
    use crate::dispatch::Document;
    use crate::dispatch::user_set::UserSet;
    use crate::encoding::{BatchJson, MAX_BATCH_BYTES, MAX_REQUEST_BYTES};
    use proptest::prelude::*;
    use std::time::Duration;
    use tokio::time::Instant;

    const LINGER: Duration = Duration::from_millis(100);

    fn document(number: u64, size: usize, users: Vec<u64>) -> Document<u64> {
        let source_request_id = number.to_string();
        let encoded = BatchJson { source_request_id, bytes: vec![b'7'; size].into() };
        Document { encoded, users, expires_at: None, tag: number }
    }

    fn tags(request: Option<Vec<Queued<u64>>>) -> Option<Vec<u64>> {
        request.map(|request| request.iter().map(|queued| queued.document.tag).collect())
    }

    #[test]
    fn a_request_that_is_not_full_waits_for_others() {
        let start = Instant::now();
        let mut waiting = Waiting::new(3, LINGER);
        let take = |waiting: &mut Waiting<u64>, at| {
            tags(waiting.take_request(&UserSet::default(), at, false))
        };
        waiting.push(document(0, 10, vec![]), start);
        waiting.push(document(1, 10, vec![]), start + LINGER / 2);
        assert_eq!(take(&mut waiting, start + LINGER / 2), None);
        assert_eq!(waiting.due(), Some(start + LINGER));
        assert_eq!(take(&mut waiting, start + LINGER), Some(vec![0, 1]));
        for number in 2..6 {
            waiting.push(document(number, 10, vec![]), start);
        }
        assert_eq!(take(&mut waiting, start), Some(vec![2, 3, 4]));
        assert_eq!(tags(waiting.take_request(&UserSet::default(), start, true)), Some(vec![5]));
    }

    #[test]
    fn a_document_waits_for_its_users_and_for_earlier_documents_that_wait() {
        let start = Instant::now();
        let mut waiting = Waiting::new(10, LINGER);
        for (number, users) in
            [vec![1], vec![1, 2], vec![2], vec![3], vec![3], vec![]].into_iter().enumerate()
        {
            waiting.push(document(u64::try_from(number).unwrap(), 10, users), start);
        }
        let locked = UserSet::from_iter([1]);
        assert_eq!(tags(waiting.take_request(&locked, start, true)), Some(vec![3, 4, 5]));
        assert_eq!(tags(waiting.take_request(&locked, start, true)), None);
        assert_eq!(waiting.due(), None, "only the end of a request unlocks the user");
        waiting.users_unlocked();
        assert_eq!(
            tags(waiting.take_request(&UserSet::default(), start, true)),
            Some(vec![0, 1, 2])
        );
        assert!(waiting.is_empty());
    }

    proptest! {
        #[test]
        fn requests_keep_the_limits_and_the_order_of_each_user_and_lose_nothing(
            documents in prop::collection::vec(
                (prop_oneof![9 => 1_usize..3_000, 1 => 50_000..=MAX_BATCH_BYTES], prop::collection::vec(0_u64..6, 0..3)),
                0..300,
            ),
            max_batches in 1_usize..=100,
            locked in prop::collection::vec(0_u64..6, 0..2),
        ) {
            let start = Instant::now();
            let mut waiting = Waiting::new(max_batches, LINGER);
            for (number, (size, users)) in (0..).zip(&documents) {
                waiting.push(document(number, *size, users.clone()), start);
            }
            let mut sent: Vec<u64> = Vec::new();
            // The locked users are unlocked once nothing else can be sent.
            for locked in [UserSet::from_iter(locked), UserSet::default()] {
                while let Some(request) = waiting.take_request(&locked, start, true) {
                    let bytes: usize = request.iter().map(|queued| queued.document.encoded.bytes.len() + 1).sum();
                    prop_assert!(request.len() <= max_batches && bytes < MAX_REQUEST_BYTES);
                    prop_assert!(request.iter().all(|queued| queued.document.users.iter().all(|user| !locked.contains(user))));
                    sent.extend(request.iter().map(|queued| queued.document.tag));
                }
                waiting.users_unlocked();
            }
            prop_assert!(waiting.is_empty() && waiting.bytes() == 0);
            let users = |number: &u64| &documents[usize::try_from(*number).unwrap()].1;
            for user in 0..6 {
                let of_user: Vec<&u64> = sent.iter().filter(|number| users(number).contains(&user)).collect();
                prop_assert!(of_user.is_sorted());
            }
            sent.sort_unstable();
            prop_assert_eq!(sent, (0..u64::try_from(documents.len()).unwrap()).collect::<Vec<_>>());
        }
    }
}
