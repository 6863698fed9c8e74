//! The wait before each attempt: first for the rate limiter, then for a place in flight.
//!
//! The reservation and the place are stored here and not in the task that waits, because the caller's future releases
//! them when it is dropped. A runtime that is driven only during calls may drop an aborted task much later.

use super::in_flight::{InFlight, Place, Waiting};
use crate::rate_limiter::{RateLimited, RateLimiter, Readiness, Reservation, Slot};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The reservation and the place in flight of one upload.
#[derive(Debug, Default)]
pub(super) struct Admission {
    held: Mutex<Held>,
    entries: AtomicU32,
}

#[derive(Debug, Default)]
struct Held {
    reservation: Option<Reservation>,
    waiting: Option<Waiting>,
    place: Option<Place>,
    /// The slot of the last attempt.
    used: Option<Slot>,
    /// Whether the caller has dropped the upload. Nothing may be held from then on.
    released: bool,
}

/// Why a request was not sent before its deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotAdmitted {
    /// The rate limit did not allow the request in time, and may allow it after `retry_after`.
    RateLimited { waited: Duration, retry_after: Duration },
    /// All places in flight were taken until the deadline.
    NoPlace { waited: Duration, limit: usize },
}

impl Admission {
    /// Waits until a request of `weight` batches may be sent, and takes a place in flight for it. Returns the time at
    /// which the request was admitted.
    ///
    /// The place is kept until [`leave`](Self::leave) or [`release`](Self::release).
    pub(super) async fn enter(
        &self,
        limiter: &RateLimiter,
        in_flight: &Arc<InFlight>,
        weight: u32,
        deadline: Option<Instant>,
    ) -> Result<Instant, NotAdmitted> {
        let start = Instant::now();
        let rate_limited = |RateLimited { retry_after }| NotAdmitted::RateLimited {
            waited: start.elapsed(),
            retry_after,
        };
        let no_place =
            || NotAdmitted::NoPlace { waited: start.elapsed(), limit: in_flight.limit() };
        loop {
            let used = self.lock(|held| held.used.take());
            let reservation = limiter.reserve(used, weight, deadline).map_err(rate_limited)?;
            let waiter = reservation.waiter();
            self.hold(|held| held.reservation = Some(reservation)).await;
            loop {
                if let Err(limited) = waiter.wait(deadline).await {
                    self.finish_reservation().await;
                    return Err(rate_limited(limited));
                }
                self.take_place(in_flight, deadline).await.ok_or_else(no_place)?;
                // The state of the limiter may have changed during the wait for the place.
                let now = Instant::now();
                match waiter.start() {
                    Readiness::Ready => {
                        self.finish_reservation().await;
                        self.hold(|held| held.used = Some(waiter.slot())).await;
                        self.entries.fetch_add(1, Ordering::Relaxed);
                        return Ok(now);
                    }
                    Readiness::After(_) => self.leave(),
                    Readiness::Lapsed => {
                        self.leave();
                        break;
                    }
                }
            }
        }
    }

    /// Returns how many times the request was admitted.
    pub(super) fn entries(&self) -> u32 {
        self.entries.load(Ordering::Relaxed)
    }

    /// Releases the place in flight.
    pub(super) fn leave(&self) {
        let place = self.lock(|held| held.place.take());
        drop(place);
    }

    /// Releases everything, and prevents further reservations.
    pub(super) fn release(&self) {
        let held =
            self.lock(|held| std::mem::replace(held, Held { released: true, ..Held::default() }));
        drop(held);
    }

    async fn finish_reservation(&self) {
        let mut reservation = None;
        self.hold(|held| reservation = held.reservation.take()).await;
        if let Some(reservation) = reservation {
            reservation.done();
        }
    }

    async fn take_place(&self, in_flight: &Arc<InFlight>, deadline: Option<Instant>) -> Option<()> {
        let place = match in_flight.try_enter() {
            Ok(place) => place,
            Err(waiting) => {
                self.hold(|held| held.waiting = Some(waiting)).await;
                in_flight.enter(deadline).await?
            }
        };
        self.hold(|held| {
            held.place = Some(place);
            held.waiting = None;
        })
        .await;
        Some(())
    }

    /// Changes what is held. If the caller has dropped the upload, the task is about to be aborted, and waits here for
    /// that.
    async fn hold(&self, change: impl FnOnce(&mut Held)) {
        let changed = self.lock(|held| {
            if !held.released {
                change(held);
            }
            !held.released
        });
        if !changed {
            std::future::pending::<()>().await;
        }
    }

    fn lock<T>(&self, change: impl FnOnce(&mut Held) -> T) -> T {
        change(&mut self.held.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
