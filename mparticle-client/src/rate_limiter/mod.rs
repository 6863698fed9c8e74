//! When a request may be sent, so that mParticle's rate limit is used and not exceeded.
//!
//! Nothing limits requests until mParticle answers 429. Then:
//!
//! - **Closed.** Nothing is sent until `Retry-After` has passed.
//! - **A rate.** The rate becomes 0.9 of what was accepted in the last second, once for all requests that were in flight
//!   together. It becomes 0.45 of what it was at least, or 0.81 if nothing was accepted since the last change. After 8
//!   seconds it grows by 2 % a second until the next 429. If nothing had been accepted before the first 429, it starts at
//!   10 batches a second and doubles every second. A rate that made no request wait for a minute is dropped.
//! - **Numbers.** A request draws a number that weighs as many batches as the request holds. Numbers are granted in order,
//!   as credit grows at the rate. A waiting request sleeps until its number should be granted, a second at most, and looks
//!   again. Credit goes on to the next number once a number is granted, therefore a request that is not polled blocks no
//!   other. A request that was refused keeps its number, and goes before younger requests.
//! - **A ceiling.** If the user has set a highest rate, it takes the place of no rate, and no other rate exceeds it.
//! - **Probes.** While the limiter is closed for more than a minute, one request a minute may be sent. If it is accepted,
//!   the limiter opens.
//!
//! [`line`] grants numbers, [`state`] decides, and this file waits.

mod line;
mod snapshot;
mod state;

pub use snapshot::RateLimiterSnapshot;
pub(crate) use state::{Slot, Turn};

use line::Departure;
use state::State;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// A `Retry-After` is honoured up to an hour.
const LONGEST_CLOSING: Duration = Duration::from_secs(60 * 60);

/// How long a waiting request sleeps at least and at most before it looks again. Tokio's timers count milliseconds.
const MIN_SLEEP: Duration = Duration::from_millis(1);
const MAX_SLEEP: Duration = Duration::from_secs(1);

/// Keeps the uploads of one API key within mParticle's rate limit.
///
/// Nothing is delayed until mParticle answers 429. Then requests wait as long as `Retry-After` asks, and are sent at
/// nine tenths of the rate that mParticle accepted before, which grows slowly until the next 429.
///
/// All clones of a client share its rate limiter. Other clients that use the same key can share it as well: pass a clone
/// to [`ClientBuilder::rate_limiter`](crate::ClientBuilder::rate_limiter). Clients of different keys should not share one.
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

/// The right to send one request once its turn has come. Dropping it leaves the line, because the caller has gone.
#[derive(Debug)]
#[must_use]
pub(crate) struct Reservation {
    waiter: RateWaiter,
    departure: Departure,
}

/// Waits for the turn of a [`Reservation`]; it keeps nothing for itself.
#[derive(Clone, Debug)]
pub(crate) struct RateWaiter {
    limiter: RateLimiter,
    slot: Slot,
    wake: Arc<Notify>,
}

/// A request would not be allowed before its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateLimited {
    /// After how long it is worth trying again.
    pub(crate) retry_after: Duration,
}

impl RateLimiter {
    /// Reserves a slot for a request of `weight` batches, which goes before younger requests if it held a slot before.
    ///
    /// # Errors
    /// [`RateLimited`] if its turn would not come before the deadline.
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

    /// Reports that a request of `weight` batches, sent at `sent`, was accepted. `used` is the percentage of the limit
    /// that mParticle says is used.
    pub(crate) fn accepted(&self, weight: u32, used: Option<f64>, sent: Instant) {
        self.lock().accepted(weight, used, sent, Instant::now());
    }

    /// Reports a 429 to a request sent at `sent`. Nothing is sent for `wait`, up to about an hour.
    pub(crate) fn refused(&self, wait: Duration, sent: Instant) {
        self.lock().refused(wait.min(LONGEST_CLOSING.mul_f64(1.1)), sent, Instant::now());
    }

    /// Reports a 429 because the rate of requests grows too fast. The rate does not grow for `wait`.
    pub(crate) fn accelerated(&self, wait: Duration) {
        self.lock().accelerated(wait.min(LONGEST_CLOSING), Instant::now());
    }

    /// Returns what the limiter has learned, for another process that takes over.
    #[must_use]
    pub fn snapshot(&self) -> RateLimiterSnapshot {
        self.lock().snapshot(Instant::now())
    }

    /// Replaces what the limiter has learned. Requests that wait follow the new rate.
    pub fn restore(&self, snapshot: &RateLimiterSnapshot) {
        let closed_for = snapshot.closed_for.min(LONGEST_CLOSING);
        let snapshot = snapshot.clone().with_closed_for(closed_for);
        self.lock().restore(&snapshot, Instant::now());
    }

    /// Sets the number of batches per second that is never exceeded.
    pub(crate) fn set_ceiling(&self, batches_per_second: f64) {
        self.lock().set_ceiling(batches_per_second, Instant::now());
    }

    /// Returns the number of batches per second that is never exceeded.
    pub(crate) fn ceiling(&self) -> Option<f64> {
        self.lock().ceiling()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// Returns what waits for the turn of this slot.
    pub(crate) fn waiter(&self) -> RateWaiter {
        self.waiter.clone()
    }

    /// Leaves the line, because the request goes or its deadline has passed.
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
    /// Waits until the turn may have come. [`go`](Self::go) tells whether it has.
    ///
    /// # Errors
    /// [`RateLimited`] as soon as it is clear that the turn does not come before the deadline.
    pub(crate) async fn wait(&self, deadline: Option<Instant>) -> Result<(), RateLimited> {
        loop {
            let now = Instant::now();
            let (turn, closed_for) = {
                let mut state = self.limiter.lock();
                (state.turn(self.slot, now), state.closed_for(now))
            };
            let Turn::In(wait) = turn else { return Ok(()) };
            let look_again = now + wait.clamp(MIN_SLEEP, MAX_SLEEP);
            if deadline.is_some_and(|deadline| deadline <= now || deadline < now + closed_for) {
                return Err(RateLimited { retry_after: wait });
            }
            let until = deadline.map_or(look_again, |deadline| look_again.min(deadline));
            // Whether it was woken or not, it looks again.
            _ = timeout_at(until, self.wake.notified()).await;
        }
    }

    /// The slot, to be used again if the request is not accepted.
    pub(crate) fn slot(&self) -> Slot {
        self.slot
    }

    /// Whether the request is sent now.
    pub(crate) fn go(&self) -> Turn {
        self.limiter.lock().go(self.slot, Instant::now())
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
