//! Work that waits for its turn, so that what is about one user happens in order.

use crate::encoding::users::UserKey;
use std::collections::{HashMap, VecDeque};

/// Pieces of work in order, and who has to go before whom: two that share a user never have their turn together.
pub(super) struct Order<T> {
    waiting: VecDeque<Waiting<T>>,
    /// The latest piece that holds a user, of those that have not ended. It waits itself for the one before it, so
    /// waiting for the latest is enough.
    latest: HashMap<UserKey, usize>,
    next_number: usize,
}

/// The turn of one piece of work, to be given back when it has ended.
#[derive(Debug)]
pub(super) struct Turn {
    number: usize,
    users: Vec<UserKey>,
}

impl Turn {
    /// The place in the order of arrival.
    pub(super) fn number(&self) -> usize {
        self.number
    }
}

struct Waiting<T> {
    turn: Turn,
    work: T,
    /// What has to end first.
    after: Vec<usize>,
}

impl<T> Default for Order<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), latest: HashMap::new(), next_number: 0 }
    }
}

impl<T> Order<T> {
    /// Adds a piece of work that is about some users.
    pub(super) fn admit(&mut self, users: Vec<UserKey>, work: T) {
        let number = self.next_number;
        self.next_number += 1;
        let mut after = Vec::new();
        for user in &users {
            let earlier = self.latest.insert(*user, number).filter(|earlier| *earlier != number);
            after.extend(earlier.filter(|earlier| !after.contains(earlier)));
        }
        self.waiting.push_back(Waiting { turn: Turn { number, users }, work, after });
    }

    /// The first piece of work that need not wait for another.
    pub(super) fn next_ready(&mut self) -> Option<(Turn, T)> {
        let ready = self.waiting.iter().position(|waiting| waiting.after.is_empty())?;
        self.waiting.remove(ready).map(|waiting| (waiting.turn, waiting.work))
    }

    /// Lets those go that waited for a piece of work.
    pub(super) fn ended(&mut self, turn: &Turn) {
        for user in &turn.users {
            if self.latest.get(user) == Some(&turn.number) {
                self.latest.remove(user);
            }
        }
        for waiting in &mut self.waiting {
            waiting.after.retain(|number| *number != turn.number);
        }
    }

    /// Everything that waits.
    pub(super) fn take_all(&mut self) -> impl Iterator<Item = (Turn, T)> + use<'_, T> {
        self.waiting.drain(..).map(|waiting| (waiting.turn, waiting.work))
    }
}
