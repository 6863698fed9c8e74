//! Documents that wait, and the requests that are made of them.

use super::Document;
use crate::encoding::MAX_REQUEST_BYTES;
use crate::encoding::users::UserKey;
use std::collections::{HashSet, VecDeque};
use std::time::Duration;
use tokio::time::Instant;

/// A document with its place in the order of arrival.
pub(super) struct Queued<T> {
    pub(super) number: u64,
    pub(super) document: Document<T>,
    at: Instant,
}

/// The documents that wait, in the order of arrival.
pub(super) struct Waiting<T> {
    queue: VecDeque<Queued<T>>,
    bytes: usize,
    next_number: u64,
    max_batches: usize,
    linger: Duration,
    /// When and at which length of the queue it is worth looking again. Before, nothing or too little may be sent.
    look_at: LookAt,
}

#[derive(Clone, Copy)]
struct LookAt {
    /// `None` if no document may be sent, however long it waits.
    due: Option<Instant>,
    len: usize,
    bytes: usize,
}

impl<T> Waiting<T> {
    pub(super) fn new(max_batches: usize, linger: Duration) -> Self {
        let look_at = LookAt { due: None, len: max_batches, bytes: MAX_REQUEST_BYTES };
        Self { queue: VecDeque::new(), bytes: 0, next_number: 0, max_batches, linger, look_at }
    }

    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// The size of all documents.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// When documents have waited long enough for others to fill a request with.
    pub(super) fn due(&self) -> Option<Instant> {
        self.look_at.due
    }

    pub(super) fn push(&mut self, document: Document<T>, now: Instant) {
        let number = self.next_number;
        self.next_number += 1;
        self.bytes += document.encoded.bytes.len();
        self.queue.push_back(Queued { number, document, at: now });
        self.look_at.due.get_or_insert(now + self.linger);
    }

    /// Notes that documents may be sent that had to wait for their users.
    pub(super) fn users_unlocked(&mut self) {
        self.look_at.due = self.queue.front().map(|first| first.at + self.linger);
        self.look_at.len = self.max_batches;
        self.look_at.bytes = MAX_REQUEST_BYTES;
    }

    /// Takes the documents of the next request: those whose users are neither locked nor those of an earlier document
    /// that stays. `None` if there are too few and the first of them has not waited long enough.
    pub(super) fn take_request(
        &mut self,
        locked: &HashSet<UserKey>,
        now: Instant,
        without_waiting: bool,
    ) -> Option<Vec<Queued<T>>> {
        let LookAt { due, len, bytes } = self.look_at;
        let is_due = due.is_some_and(|due| due <= now);
        let may_be_full = self.queue.len() >= len || self.bytes >= bytes;
        if self.queue.is_empty() || !(without_waiting || is_due || may_be_full) {
            return None;
        }
        let selection = self.select(locked);
        let oldest = selection.places.first().and_then(|place| self.queue.get(*place));
        let due = oldest.map(|oldest| oldest.at + self.linger);
        let goes = selection.is_full || without_waiting || due.is_some_and(|due| due <= now);
        if selection.places.is_empty() || !goes {
            let more = self.max_batches - selection.places.len();
            let more_bytes = MAX_REQUEST_BYTES.saturating_sub(selection.bytes);
            let (len, bytes) = (self.queue.len() + more, self.bytes + more_bytes);
            self.look_at = LookAt { due, len, bytes };
            return None;
        }
        Some(self.take(&selection.places))
    }

    /// Takes all documents.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Queued<T>> + use<T> {
        self.bytes = 0;
        std::mem::take(&mut self.queue).into_iter()
    }

    fn select(&self, locked: &HashSet<UserKey>) -> Selection {
        let mut selection = Selection { places: Vec::new(), bytes: 2, is_full: false };
        let mut stays = HashSet::new();
        for (place, Queued { document, .. }) in self.queue.iter().enumerate() {
            let is_locked = |user| locked.contains(user) || stays.contains(user);
            if document.users.iter().any(is_locked) {
                stays.extend(document.users.iter().copied());
                continue;
            }
            // A comma after every document but the last, and brackets around them.
            let bytes = selection.bytes + document.encoded.bytes.len();
            let is_first = selection.places.is_empty();
            if !is_first && bytes > MAX_REQUEST_BYTES {
                selection.is_full = true;
                break;
            }
            selection.places.push(place);
            selection.bytes = bytes + 1;
            if selection.places.len() == self.max_batches {
                selection.is_full = true;
                break;
            }
        }
        selection
    }

    /// Takes the documents at some places, which are in order.
    fn take(&mut self, places: &[usize]) -> Vec<Queued<T>> {
        let mut taken = Vec::with_capacity(places.len());
        let mut passed = Vec::new();
        let end = places.last().map_or(0, |last| last + 1);
        let mut places = places.iter().copied().peekable();
        for (place, queued) in self.queue.drain(..end).enumerate() {
            if places.next_if_eq(&place).is_some() {
                self.bytes -= queued.document.encoded.bytes.len();
                taken.push(queued);
            } else {
                passed.push(queued);
            }
        }
        passed.into_iter().rev().for_each(|queued| self.queue.push_front(queued));
        self.users_unlocked();
        taken
    }
}

/// The documents of a request, by their places in the queue.
struct Selection {
    places: Vec<usize>,
    /// The size of the request, and a comma.
    bytes: usize,
    /// Whether no other document would fit.
    is_full: bool,
}

#[cfg(test)]
mod tests {
    use super::{Queued, Waiting};
    use crate::dispatch::Document;
    use crate::encoding::{EncodedBatch, MAX_BATCH_BYTES, MAX_REQUEST_BYTES};
    use proptest::prelude::*;
    use std::collections::HashSet;
    use std::time::Duration;
    use tokio::time::Instant;

    const LINGER: Duration = Duration::from_millis(100);

    fn document(number: u64, size: usize, users: Vec<u64>) -> Document<u64> {
        let source_request_id = number.to_string();
        let encoded = EncodedBatch { source_request_id, bytes: vec![b'7'; size].into() };
        Document { encoded, users, tag: number }
    }

    fn tags(request: Option<Vec<Queued<u64>>>) -> Option<Vec<u64>> {
        request.map(|request| request.iter().map(|queued| queued.document.tag).collect())
    }

    #[test]
    fn a_request_that_is_not_full_waits_for_others() {
        let start = Instant::now();
        let mut waiting = Waiting::new(3, LINGER);
        let take =
            |waiting: &mut Waiting<u64>, at| tags(waiting.take_request(&HashSet::new(), at, false));
        waiting.push(document(0, 10, vec![]), start);
        waiting.push(document(1, 10, vec![]), start + LINGER / 2);
        assert_eq!(take(&mut waiting, start + LINGER / 2), None);
        assert_eq!(waiting.due(), Some(start + LINGER));
        assert_eq!(take(&mut waiting, start + LINGER), Some(vec![0, 1]));
        for number in 2..6 {
            waiting.push(document(number, 10, vec![]), start);
        }
        assert_eq!(take(&mut waiting, start), Some(vec![2, 3, 4]));
        assert_eq!(tags(waiting.take_request(&HashSet::new(), start, true)), Some(vec![5]));
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
        let locked = HashSet::from([1]);
        assert_eq!(tags(waiting.take_request(&locked, start, true)), Some(vec![3, 4, 5]));
        assert_eq!(tags(waiting.take_request(&locked, start, true)), None);
        assert_eq!(waiting.due(), None, "only the end of a request can change that");
        waiting.users_unlocked();
        assert_eq!(tags(waiting.take_request(&HashSet::new(), start, true)), Some(vec![0, 1, 2]));
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
            locked in prop::collection::hash_set(0_u64..6, 0..2),
        ) {
            let start = Instant::now();
            let mut waiting = Waiting::new(max_batches, LINGER);
            for (number, (size, users)) in (0..).zip(&documents) {
                waiting.push(document(number, *size, users.clone()), start);
            }
            let mut sent: Vec<u64> = Vec::new();
            // The locked users are unlocked once nothing else can be sent.
            for locked in [locked, HashSet::new()] {
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
