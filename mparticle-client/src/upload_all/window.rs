//! Chunks that wait for their turn.

use super::flight::Flight;
use super::ledger::Item;
use crate::Endpoint;
use crate::encoding::chunk::Chunk;
use crate::encoding::users::UserKey;
use std::collections::{HashMap, VecDeque};

/// A chunk that takes no more batches.
pub(super) struct Sealed {
    pub(super) chunk: Chunk,
    pub(super) items: Vec<Item>,
    pub(super) users: Vec<UserKey>,
}

/// A bounded number of chunks in order, and who has to go before whom.
pub(super) struct Window {
    endpoint: Endpoint,
    size: usize,
    waiting: VecDeque<Waiting>,
    /// The latest chunk that holds a user, of those that have not ended. It waits itself for the one before it, so
    /// waiting for the latest is enough.
    latest: HashMap<UserKey, usize>,
    next_number: usize,
}

struct Waiting {
    flight: Flight,
    /// The chunks that have to end first.
    after: Vec<usize>,
}

impl Window {
    pub(super) fn new(size: usize, endpoint: Endpoint) -> Self {
        let (waiting, latest) = (VecDeque::new(), HashMap::new());
        Self { endpoint, size, waiting, latest, next_number: 0 }
    }

    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < self.size
    }

    pub(super) fn admit(&mut self, sealed: Sealed) {
        let number = self.next_number;
        self.next_number += 1;
        let mut after = Vec::new();
        for user in &sealed.users {
            let earlier = self.latest.insert(*user, number).filter(|earlier| *earlier != number);
            after.extend(earlier.filter(|earlier| !after.contains(earlier)));
        }
        let Sealed { chunk, items, users } = sealed;
        let flight = Flight::new(number, self.endpoint, chunk, items, users);
        self.waiting.push_back(Waiting { flight, after });
    }

    /// The first chunk that need not wait for another.
    pub(super) fn next_ready(&mut self) -> Option<Flight> {
        let ready = self.waiting.iter().position(|waiting| waiting.after.is_empty())?;
        self.waiting.remove(ready).map(|waiting| waiting.flight)
    }

    /// Lets those go that waited for a chunk.
    pub(super) fn ended(&mut self, flight: &Flight) {
        for user in &flight.users {
            if self.latest.get(user) == Some(&flight.number) {
                self.latest.remove(user);
            }
        }
        for waiting in &mut self.waiting {
            waiting.after.retain(|number| *number != flight.number);
        }
    }

    /// Everything that waits.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = Flight> + use<'_> {
        self.waiting.drain(..).map(|waiting| waiting.flight)
    }
}
