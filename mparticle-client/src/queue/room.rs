//! How much may be pending: a number of batches and a number of bytes.

use crate::{Error, ErrorKind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{AcquireError, Semaphore, TryAcquireError};

/// What a queue may hold, and who waits for it. Those who wait come in the order in which they asked.
#[derive(Debug)]
pub(super) struct Room {
    batches: Bound,
    bytes: Bound,
    /// How many wait.
    waiting: AtomicUsize,
}

/// Someone who waits, until it is dropped.
struct Waiter<'a>(&'a AtomicUsize);

/// A share of the room, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    room: Arc<Room>,
    bytes: usize,
}

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    /// At the moment.
    Full,
    /// For this size, ever.
    TooLarge,
    /// For anything, since the queue takes nothing more.
    Closed,
}

#[derive(Debug)]
struct Bound {
    free: Semaphore,
    limit: usize,
    /// What is held beyond the limit: a spool may bring more than a queue takes.
    excess: Mutex<usize>,
}

impl Room {
    pub(super) fn new(batches: usize, bytes: usize) -> Self {
        Self {
            batches: Bound::new(batches),
            bytes: Bound::new(bytes),
            waiting: AtomicUsize::new(0),
        }
    }

    /// Takes room if there is any.
    pub(super) fn try_enter(self: &Arc<Self>, bytes: usize) -> Result<Permit, NoRoom> {
        let wanted = self.bytes.count(bytes)?;
        let batch = self.batches.free.try_acquire()?;
        let sized = self.bytes.free.try_acquire_many(wanted)?;
        batch.forget();
        sized.forget();
        Ok(Permit { room: Arc::clone(self), bytes })
    }

    /// Waits for room.
    pub(super) async fn enter(self: &Arc<Self>, bytes: usize) -> Result<Permit, NoRoom> {
        let wanted = self.bytes.count(bytes)?;
        let _waiter = Waiter::new(&self.waiting);
        let batch = self.batches.free.acquire().await?;
        let sized = self.bytes.free.acquire_many(wanted).await?;
        batch.forget();
        sized.forget();
        Ok(Permit { room: Arc::clone(self), bytes })
    }

    /// Whether someone waits for room.
    pub(super) fn is_crowded(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }

    /// Takes room whether there is any or not.
    #[cfg(feature = "spool")]
    pub(super) fn force(self: &Arc<Self>, bytes: usize) -> Permit {
        self.batches.force(1);
        self.bytes.force(bytes);
        Permit { room: Arc::clone(self), bytes }
    }

    /// Lets nobody in any more; those who wait learn it.
    pub(super) fn close(&self) {
        self.batches.free.close();
        self.bytes.free.close();
    }

    pub(super) fn error(&self, no_room: NoRoom, bytes: usize) -> Error {
        let (batches, most) = (self.batches.limit, self.bytes.limit);
        match no_room {
            NoRoom::Full => Error::new(
                ErrorKind::Full,
                format!("the queue is full: {batches} batches or {most} bytes are pending"),
            ),
            NoRoom::TooLarge => Error::new(
                ErrorKind::TooLarge,
                format!("the batch has {bytes} bytes, and the queue holds {most} in all"),
            ),
            NoRoom::Closed => closed(),
        }
    }
}

/// The error of those who come too late.
pub(super) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the queue is closed")
}

impl<'a> Waiter<'a> {
    fn new(waiting: &'a AtomicUsize) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Permit {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.room.batches.release(1);
        self.room.bytes.release(self.bytes);
    }
}

impl Bound {
    fn new(limit: usize) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        Self { free: Semaphore::new(limit), limit, excess: Mutex::new(0) }
    }

    fn count(&self, wanted: usize) -> Result<u32, NoRoom> {
        u32::try_from(wanted).ok().filter(|_| wanted <= self.limit).ok_or(NoRoom::TooLarge)
    }

    #[cfg(feature = "spool")]
    fn force(&self, wanted: usize) {
        let taken = self.free.forget_permits(wanted);
        let mut excess = self.excess.lock().unwrap_or_else(PoisonError::into_inner);
        *excess = excess.saturating_add(wanted.saturating_sub(taken));
    }

    fn release(&self, held: usize) {
        let mut excess = self.excess.lock().unwrap_or_else(PoisonError::into_inner);
        let paid = held.min(*excess);
        *excess -= paid;
        self.free.add_permits(held - paid);
    }
}

impl From<AcquireError> for NoRoom {
    fn from(_: AcquireError) -> Self {
        Self::Closed
    }
}

impl From<TryAcquireError> for NoRoom {
    fn from(error: TryAcquireError) -> Self {
        match error {
            TryAcquireError::Closed => Self::Closed,
            TryAcquireError::NoPermits => Self::Full,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NoRoom, Room};
    use std::sync::Arc;

    #[test]
    fn both_bounds_hold_and_what_is_dropped_is_free_again() {
        let room = Arc::new(Room::new(2, 100));
        let first = room.try_enter(60).unwrap();
        assert_eq!(room.try_enter(41).unwrap_err(), NoRoom::Full);
        let second = room.try_enter(40).unwrap();
        assert_eq!(room.try_enter(0).unwrap_err(), NoRoom::Full);
        drop(first);
        assert_eq!(room.try_enter(61).unwrap_err(), NoRoom::Full);
        let third = room.try_enter(60).unwrap();
        drop((second, third));
        assert!(room.try_enter(100).is_ok());
        assert_eq!(room.try_enter(101).unwrap_err(), NoRoom::TooLarge);
    }

    #[tokio::test]
    async fn those_who_wait_enter_in_order_or_learn_that_it_is_closed() {
        let room = Arc::new(Room::new(10, 100));
        let held = room.try_enter(100).unwrap();
        let entering = |bytes| {
            let room = Arc::clone(&room);
            tokio::spawn(async move { room.enter(bytes).await.map(|permit| permit.bytes()) })
        };
        let large = entering(80);
        tokio::task::yield_now().await;
        let small = entering(30);
        tokio::task::yield_now().await;
        drop(held);
        assert_eq!(large.await.unwrap(), Ok(80));
        assert_eq!(small.await.unwrap(), Ok(30));

        let held = room.try_enter(100).unwrap();
        let waiting = entering(1);
        tokio::task::yield_now().await;
        room.close();
        assert_eq!(waiting.await.unwrap(), Err(NoRoom::Closed));
        drop(held);
        assert_eq!(room.try_enter(1).unwrap_err(), NoRoom::Closed);
    }

    #[cfg(feature = "spool")]
    #[test]
    fn what_came_beyond_the_bounds_is_worked_off_before_others_enter() {
        let room = Arc::new(Room::new(2, 100));
        let forced: Vec<_> = (0..3).map(|_| room.force(50)).collect();
        let mut forced = forced.into_iter();
        assert_eq!(room.try_enter(1).unwrap_err(), NoRoom::Full);
        drop(forced.next());
        assert_eq!(room.try_enter(1).unwrap_err(), NoRoom::Full);
        drop(forced.next());
        assert_eq!(room.try_enter(51).unwrap_err(), NoRoom::Full);
        let entered = room.try_enter(50).unwrap();
        drop((forced, entered));
        let both = [room.try_enter(50).unwrap(), room.try_enter(50).unwrap()];
        assert_eq!(room.try_enter(0).unwrap_err(), NoRoom::Full);
        drop(both);
    }
}
