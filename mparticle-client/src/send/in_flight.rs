//! The limit on requests in flight, which also limits the number of connections.
//!
//! The places are a count under a mutex. A place is never assigned to a waiting request, because its future may not be
//! polled. A request that is woken takes a free place itself. A waiting request also checks every second whether a
//! place is free, in case another request was woken and did not take it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// The interval at which a waiting request checks for a free place.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The places of a client and its clones.
#[derive(Debug)]
pub(crate) struct InFlight {
    limit: usize,
    count: Mutex<Count>,
    freed: Notify,
}

#[derive(Debug, Default)]
struct Count {
    taken: usize,
    waiting: usize,
}

/// The place of one request in flight. Dropping it frees the place.
#[derive(Debug)]
pub(super) struct Place(Arc<InFlight>);

/// One request that waits for a place. Later requests do not overtake it.
#[derive(Debug)]
pub(super) struct Waiting(Arc<InFlight>);

impl InFlight {
    pub(crate) fn new(limit: usize) -> Self {
        Self { limit, count: Mutex::default(), freed: Notify::new() }
    }

    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Takes a place if one is free and no request waits for it.
    pub(super) fn try_enter(self: &Arc<Self>) -> Result<Place, Waiting> {
        let mut count = self.lock();
        if count.taken < self.limit && count.waiting == 0 {
            count.taken += 1;
            return Ok(Place(Arc::clone(self)));
        }
        count.waiting += 1;
        Err(Waiting(Arc::clone(self)))
    }

    /// Waits until a place is free and takes it. Returns `None` if no place was free by the deadline.
    ///
    /// The caller holds a [`Waiting`] during the call.
    pub(super) async fn enter(self: &Arc<Self>, deadline: Option<Instant>) -> Option<Place> {
        loop {
            if let Some(place) = self.take() {
                return Some(place);
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return None;
            }
            let look_again = now + LOOK_AGAIN;
            let until = deadline.map_or(look_again, |deadline| deadline.min(look_again));
            // Both results have the same effect: the loop checks again.
            _ = timeout_at(until, self.freed.notified()).await;
        }
    }

    fn take(self: &Arc<Self>) -> Option<Place> {
        let mut count = self.lock();
        (count.taken < self.limit).then(|| {
            count.taken += 1;
            Place(Arc::clone(self))
        })
    }

    fn lock(&self) -> MutexGuard<'_, Count> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.lock().taken -= 1;
        self.0.freed.notify_one();
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
        // This request may have been woken for a place that it did not take.
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::InFlight;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::time::{Instant, timeout};

    #[tokio::test(start_paused = true)]
    async fn a_free_place_is_taken_by_the_first_waiter_and_not_by_a_later_request() {
        let in_flight = Arc::new(InFlight::new(1));
        let first = in_flight.try_enter().unwrap();
        let waiting = in_flight.try_enter().unwrap_err();
        drop(first);
        let newcomer = in_flight.try_enter().unwrap_err();
        let second = in_flight.enter(None).await.unwrap();
        drop((waiting, newcomer, second));
        assert!(in_flight.try_enter().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiter_that_is_never_polled_delays_others_by_at_most_a_second() {
        let in_flight = Arc::new(InFlight::new(1));
        let first = in_flight.try_enter().unwrap();
        let mut stuck = Box::pin(in_flight.enter(None));
        assert!(timeout(Duration::from_millis(1), &mut stuck).await.is_err());
        let start = Instant::now();
        let other = in_flight.enter(None);
        drop(first);
        assert!(other.await.is_some());
        assert!(start.elapsed() <= Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_ends_at_the_deadline() {
        let in_flight = Arc::new(InFlight::new(1));
        let _first = in_flight.try_enter().unwrap();
        let start = Instant::now();
        let wait = Duration::from_millis(2_500);
        assert!(in_flight.enter(Some(start + wait)).await.is_none());
        assert_eq!(start.elapsed(), wait);
    }
}
