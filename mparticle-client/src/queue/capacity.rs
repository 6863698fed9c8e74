//! The capacity of a queue: a maximum number of batches, and a maximum number of bytes.

use crate::{Error, ErrorKind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{AcquireError, Semaphore, TryAcquireError};

/// The memory of a pending batch in bytes, except for its JSON: its identifiers, its entry in the queue, and the
/// overhead of the allocator. The test `memory_of_small_batches` measures it.
pub(super) const BATCH_OVERHEAD: usize = 640;

/// The capacity of a queue. Waiting calls acquire capacity in the order of the calls.
#[derive(Debug)]
pub(super) struct Capacity {
    batches: Bound,
    bytes: Bound,
    waiters: AtomicUsize,
}

/// The capacity of one batch. It is released when this is dropped.
#[derive(Debug)]
pub(super) struct Permit {
    capacity: Arc<Capacity>,
    bytes: usize,
}

/// The reason why no capacity was acquired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoCapacity {
    /// No capacity is free at the moment.
    Full,
    /// The batch exceeds the limit.
    TooLarge,
    /// The queue accepts no more batches.
    Closed,
}

#[derive(Debug)]
struct Bound {
    free: Semaphore,
    limit: usize,
    /// The amount beyond the limit. A spool may recover more than the queue accepts.
    excess: Mutex<usize>,
}

/// Counts a waiter until it is dropped.
struct Waiter<'a>(&'a AtomicUsize);

impl Capacity {
    pub(super) fn new(batches: usize, bytes: usize) -> Self {
        Self {
            batches: Bound::new(batches),
            bytes: Bound::new(bytes),
            waiters: AtomicUsize::new(0),
        }
    }

    pub(super) fn try_acquire(self: &Arc<Self>, bytes: usize) -> Result<Permit, NoCapacity> {
        let wanted = self.bytes.permits(bytes)?;
        let batch = self.batches.free.try_acquire()?;
        let sized = self.bytes.free.try_acquire_many(wanted)?;
        batch.forget();
        sized.forget();
        Ok(Permit { capacity: Arc::clone(self), bytes })
    }

    /// Waits until capacity is free, and acquires it.
    pub(super) async fn acquire(self: &Arc<Self>, bytes: usize) -> Result<Permit, NoCapacity> {
        let wanted = self.bytes.permits(bytes)?;
        let _waiter = Waiter::new(&self.waiters);
        let batch = self.batches.free.acquire().await?;
        let sized = self.bytes.free.acquire_many(wanted).await?;
        batch.forget();
        sized.forget();
        Ok(Permit { capacity: Arc::clone(self), bytes })
    }

    /// Acquires capacity for a batch even if none is free. [`permit`](Self::permit) must be called for it later.
    #[cfg(feature = "spool")]
    pub(super) fn exceed(&self, bytes: usize) {
        self.batches.exceed(1);
        self.bytes.exceed(bytes);
    }

    /// Returns the permit for capacity that [`exceed`](Self::exceed) has acquired.
    #[cfg(feature = "spool")]
    pub(super) fn permit(self: &Arc<Self>, bytes: usize) -> Permit {
        Permit { capacity: Arc::clone(self), bytes }
    }

    pub(super) fn has_waiters(&self) -> bool {
        self.waiters.load(Ordering::Relaxed) > 0
    }

    /// Ends all waits, and rejects further calls.
    pub(super) fn close(&self) {
        self.batches.free.close();
        self.bytes.free.close();
    }

    pub(super) fn error(&self, reason: NoCapacity, bytes: usize) -> Error {
        let (batches, limit) = (self.batches.limit, self.bytes.limit);
        match reason {
            NoCapacity::Full => Error::new(
                ErrorKind::Full,
                format!("the queue is full: it may hold {batches} batches and {limit} bytes"),
            ),
            NoCapacity::TooLarge => Error::new(
                ErrorKind::TooLarge,
                format!("the batch takes {bytes} bytes, and the queue may hold {limit} in total"),
            ),
            NoCapacity::Closed => closed(),
        }
    }
}

/// Returns the error of a queue that accepts no more batches.
pub(super) fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the queue is closed")
}

impl Permit {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.capacity.batches.release(1);
        self.capacity.bytes.release(self.bytes);
    }
}

impl Bound {
    fn new(limit: usize) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        Self { free: Semaphore::new(limit), limit, excess: Mutex::new(0) }
    }

    fn permits(&self, wanted: usize) -> Result<u32, NoCapacity> {
        u32::try_from(wanted).ok().filter(|_| wanted <= self.limit).ok_or(NoCapacity::TooLarge)
    }

    #[cfg(feature = "spool")]
    fn exceed(&self, wanted: usize) {
        let taken = self.free.forget_permits(wanted);
        let mut excess = self.excess.lock().unwrap_or_else(PoisonError::into_inner);
        *excess = excess.saturating_add(wanted.saturating_sub(taken));
    }

    fn release(&self, held: usize) {
        let mut excess = self.excess.lock().unwrap_or_else(PoisonError::into_inner);
        let beyond_limit = held.min(*excess);
        *excess -= beyond_limit;
        self.free.add_permits(held - beyond_limit);
    }
}

impl<'a> Waiter<'a> {
    fn new(waiters: &'a AtomicUsize) -> Self {
        waiters.fetch_add(1, Ordering::Relaxed);
        Self(waiters)
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl From<AcquireError> for NoCapacity {
    fn from(_: AcquireError) -> Self {
        Self::Closed
    }
}

impl From<TryAcquireError> for NoCapacity {
    fn from(error: TryAcquireError) -> Self {
        match error {
            TryAcquireError::Closed => Self::Closed,
            TryAcquireError::NoPermits => Self::Full,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Capacity, NoCapacity};
    use std::sync::Arc;

    #[test]
    fn both_bounds_hold_and_a_dropped_permit_is_released() {
        let capacity = Arc::new(Capacity::new(2, 100));
        let first = capacity.try_acquire(60).unwrap();
        assert_eq!(capacity.try_acquire(41).unwrap_err(), NoCapacity::Full);
        let second = capacity.try_acquire(40).unwrap();
        assert_eq!(capacity.try_acquire(0).unwrap_err(), NoCapacity::Full);
        drop(first);
        assert_eq!(capacity.try_acquire(61).unwrap_err(), NoCapacity::Full);
        let third = capacity.try_acquire(60).unwrap();
        drop((second, third));
        assert!(capacity.try_acquire(100).is_ok());
        assert_eq!(capacity.try_acquire(101).unwrap_err(), NoCapacity::TooLarge);
    }

    #[tokio::test]
    async fn waiters_acquire_capacity_in_order_or_receive_an_error_if_the_queue_is_closed() {
        let capacity = Arc::new(Capacity::new(10, 100));
        let held = capacity.try_acquire(100).unwrap();
        let acquire = |bytes| {
            let capacity = Arc::clone(&capacity);
            tokio::spawn(async move { capacity.acquire(bytes).await.map(|permit| permit.bytes()) })
        };
        let large = acquire(80);
        tokio::task::yield_now().await;
        let small = acquire(30);
        tokio::task::yield_now().await;
        assert!(capacity.has_waiters());
        drop(held);
        assert_eq!(large.await.unwrap(), Ok(80));
        assert_eq!(small.await.unwrap(), Ok(30));
        assert!(!capacity.has_waiters());

        let held = capacity.try_acquire(100).unwrap();
        let waiting = acquire(1);
        tokio::task::yield_now().await;
        capacity.close();
        assert_eq!(waiting.await.unwrap(), Err(NoCapacity::Closed));
        drop(held);
        assert_eq!(capacity.try_acquire(1).unwrap_err(), NoCapacity::Closed);
    }

    #[cfg(feature = "spool")]
    #[test]
    fn capacity_beyond_the_limits_is_released_before_others_acquire_any() {
        let capacity = Arc::new(Capacity::new(2, 100));
        (0..3).for_each(|_| capacity.exceed(50));
        let exceeding: Vec<_> = (0..3).map(|_| capacity.permit(50)).collect();
        let mut exceeding = exceeding.into_iter();
        assert_eq!(capacity.try_acquire(1).unwrap_err(), NoCapacity::Full);
        drop(exceeding.next());
        assert_eq!(capacity.try_acquire(1).unwrap_err(), NoCapacity::Full);
        drop(exceeding.next());
        assert_eq!(capacity.try_acquire(51).unwrap_err(), NoCapacity::Full);
        let acquired = capacity.try_acquire(50).unwrap();
        drop((exceeding, acquired));
        let both = [capacity.try_acquire(50).unwrap(), capacity.try_acquire(50).unwrap()];
        assert_eq!(capacity.try_acquire(0).unwrap_err(), NoCapacity::Full);
        drop(both);
    }
}
