//! Decides when requests may be sent, to use mParticle's rate limit without exceeding it.
//!
//! Requests are not limited until mParticle answers with status 429. Then:
//!
//! - **Closed.** Nothing is sent until `Retry-After` has passed.
//! - **Rate.** The rate is set to 0.9 times the number of batches that were accepted in the last second, once for all
//!   requests that were in flight together. The new rate is at least 0.45 times the old one, or 0.81 times the old one
//!   if nothing was accepted since the last change. After 8 seconds, the rate grows by 2 % a second until the next 429.
//!   If nothing was accepted before the first 429, the rate starts at 10 batches a second and doubles every second. A
//!   rate that delayed no request for a minute is dropped.
//! - **Numbers.** Each request draws a number whose weight is the number of its batches. Numbers are granted in order,
//!   as credit grows at the rate. A waiting request sleeps until its number is expected to be granted, for at most a
//!   second, and checks again. The credit goes to the next number as soon as a number is granted. A request that is not
//!   polled therefore blocks no other. A request that was refused keeps its number and is sent before younger requests.
//! - **Probes.** While the limiter is closed for more than a minute, one request a minute may be sent. If it is
//!   accepted, the limiter opens.
//!
//! [`line`] grants numbers, [`state`] makes the decisions, and this file waits.

mod line;
mod snapshot;
mod state;

pub use snapshot::RateLimiterSnapshot;
pub(crate) use state::{Readiness, Slot};

use line::Departure;
use state::State;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// The longest time for which the limiter closes. A longer `Retry-After` is treated as an hour.
const LONGEST_CLOSING: Duration = Duration::from_secs(60 * 60);

/// The shortest and the longest sleep of a waiting request between two checks. Tokio's timers have a resolution of a
/// millisecond.
const MIN_SLEEP: Duration = Duration::from_millis(1);
const MAX_SLEEP: Duration = Duration::from_secs(1);

/// Keeps the uploads of one API key within mParticle's rate limit.
///
/// Requests are not delayed until mParticle answers with status 429. Then they wait for the time in `Retry-After`, and
/// are sent at nine tenths of the rate that mParticle accepted before. This rate grows slowly until the next 429.
///
/// All clones of a client share its rate limiter. To share it with another client of the same key, pass it to
/// [`ClientBuilder::rate_limiter`](crate::ClientBuilder::rate_limiter). Clients with different keys should not share a
/// rate limiter.
///
/// # Examples
/// ```
/// # use mparticle_client::{Client, Credentials, Error};
/// # fn main() -> Result<(), Error> {
/// let events = Client::builder(Credentials::new("key", "secret")).build()?;
/// let backfill = Client::builder(Credentials::new("key", "secret"))
///     .rate_limiter(events.rate_limiter())
///     .build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct RateLimiter {
    state: Arc<Mutex<State>>,
}

/// The place of one request in the line. Dropping it leaves the line: the caller has dropped the upload.
#[derive(Debug)]
#[must_use]
pub(crate) struct Reservation {
    waiter: RateWaiter,
    departure: Departure,
}

/// Waits until the request of a [`Reservation`] may be sent. It does not keep the reservation.
#[derive(Clone, Debug)]
pub(crate) struct RateWaiter {
    limiter: RateLimiter,
    slot: Slot,
    wake: Arc<Notify>,
}

/// The error of a request that the rate limit does not allow before its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateLimited {
    /// The time after which the request is expected to be allowed.
    pub(crate) retry_after: Duration,
}

impl RateLimiter {
    /// Reserves a slot for a request of `weight` batches. `again` is the slot that the request had before, if any: the
    /// request is then sent before younger ones.
    ///
    /// # Errors
    /// - [`RateLimited`]: the request would not be allowed before the deadline.
    pub(crate) fn reserve(
        &self,
        again: Option<Slot>,
        weight: u32,
        deadline: Option<Instant>,
    ) -> Result<Reservation, RateLimited> {
        let wake = Arc::default();
        let slot = self.lock().reserve(again, weight, &wake, Instant::now(), deadline);
        let limiter = self.clone();
        slot.map(|slot| Reservation {
            waiter: RateWaiter { limiter, slot, wake },
            departure: Departure::CallerGone,
        })
        .map_err(|retry_after| RateLimited { retry_after })
    }

    /// Reports that a request of `weight` batches, sent at `sent`, was accepted. `used` is the used percentage of the
    /// limit according to the response.
    pub(crate) fn accepted(&self, weight: u32, used: Option<f64>, sent: Instant) {
        self.lock().accepted(weight, used, sent, Instant::now());
    }

    /// Reports status 429 for a request sent at `sent`. Nothing is sent for `wait`, up to about an hour.
    pub(crate) fn refused(&self, wait: Duration, sent: Instant) {
        self.lock().refused(wait.min(LONGEST_CLOSING.mul_f64(1.1)), sent, Instant::now());
    }

    /// Reports status 429 because the rate grows too fast. The rate does not grow for `wait`.
    pub(crate) fn accelerated(&self, wait: Duration) {
        self.lock().accelerated(wait.min(LONGEST_CLOSING), Instant::now());
    }

    /// Returns the current rate and the time for which nothing may be sent.
    ///
    /// Pass the snapshot to [`restore`](Self::restore) in a process that takes over from this one.
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::{Client, Credentials, Error};
    /// # fn main() -> Result<(), Error> {
    /// let client = Client::builder(Credentials::new("key", "secret")).build()?;
    /// let snapshot = client.rate_limiter().snapshot();
    /// assert_eq!(snapshot.batches_per_second, None);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> RateLimiterSnapshot {
        self.lock().snapshot(Instant::now())
    }

    /// Replaces the rate and the time for which nothing may be sent. The new rate also applies to waiting requests.
    ///
    /// # Examples
    /// ```
    /// # use mparticle_client::{Client, Credentials, Error};
    /// use mparticle_client::RateLimiterSnapshot;
    ///
    /// # fn main() -> Result<(), Error> {
    /// let client = Client::builder(Credentials::new("key", "secret")).build()?;
    /// let snapshot = RateLimiterSnapshot::default().with_batches_per_second(240.0);
    /// client.rate_limiter().restore(&snapshot);
    /// assert_eq!(client.rate_limiter().snapshot().batches_per_second, Some(240.0));
    /// # Ok(())
    /// # }
    /// ```
    pub fn restore(&self, snapshot: &RateLimiterSnapshot) {
        let closed_for = snapshot.closed_for.min(LONGEST_CLOSING);
        let snapshot = snapshot.clone().with_closed_for(closed_for);
        self.lock().restore(&snapshot, Instant::now());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// Returns an object that waits until the request may be sent.
    pub(crate) fn waiter(&self) -> RateWaiter {
        self.waiter.clone()
    }

    /// Leaves the line, because the request is sent or its deadline has passed.
    pub(crate) fn done(mut self) {
        self.departure = Departure::Done;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let Self { waiter, departure } = self;
        waiter.limiter.lock().leave(waiter.slot, *departure, Instant::now());
    }
}

impl RateWaiter {
    /// Waits until the request can probably be sent. [`start`](Self::start) returns whether it can.
    ///
    /// # Errors
    /// - [`RateLimited`]: the request will not be allowed before the deadline. The call returns as soon as this is
    ///   known.
    pub(crate) async fn wait(&self, deadline: Option<Instant>) -> Result<(), RateLimited> {
        loop {
            let now = Instant::now();
            let (readiness, closed_for) = {
                let mut state = self.limiter.lock();
                (state.readiness(self.slot, now), state.closed_for(now))
            };
            let Readiness::After(wait) = readiness else { return Ok(()) };
            let look_again = now + wait.clamp(MIN_SLEEP, MAX_SLEEP);
            if deadline.is_some_and(|deadline| deadline <= now || deadline < now + closed_for) {
                return Err(RateLimited { retry_after: wait });
            }
            let until = deadline.map_or(look_again, |deadline| look_again.min(deadline));
            // Both results have the same effect: the loop checks again.
            _ = timeout_at(until, self.wake.notified()).await;
        }
    }

    /// Returns the slot, for the next attempt if the request is not accepted.
    pub(crate) fn slot(&self) -> Slot {
        self.slot
    }

    /// Returns whether the request may be sent, and counts it as the probe if the limiter is closed.
    pub(crate) fn start(&self) -> Readiness {
        self.limiter.lock().start(self.slot, Instant::now())
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let RateLimiterSnapshot { batches_per_second, closed_for } = self.snapshot();
        f.debug_struct("RateLimiter")
            .field("batches_per_second", &batches_per_second)
            .field("closed_for", &closed_for)
            .finish_non_exhaustive()
    }
}
