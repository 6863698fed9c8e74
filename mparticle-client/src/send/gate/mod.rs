//! The rate limiter: who may send when, so that a rate limit of mParticle is kept by everyone it is about.
//!
//! - [`state`] knows what is allowed at a given time. It neither waits nor reads a clock.
//! - [`pace`] and [`meter`] are the arithmetic of slowing down: by how much, and measured from what.
//! - This file is the line in front of the gate. Whoever may not pass takes a place in it, first come, first served.
//!   Only the head of the line asks the state again and sleeps; who gets through leaves the head to the next. So one
//!   change lets through as many as are allowed then and wakes no one else.

mod meter;
mod pace;
mod pass;
mod state;

pub(crate) use pass::Pass;

use state::{Entry, GateState, Permit};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// What the uploads of one API key share to keep mParticle's rate limits.
///
/// When mParticle answers 429, everyone who shares the gate waits as long as it asks for; then one request goes first,
/// and with each that succeeds twice as many may follow. When its answers say that more than 80 % of the limit is used,
/// requests are spaced out before the limit is hit.
///
/// All clones of a client share its gate. Clients that use the same key can share one as well: give each a clone of it
/// with [`ClientBuilder::rate_limiter`](crate::ClientBuilder::rate_limiter). A client that was given none has one of its own,
/// so throttling one key never slows another.
///
/// An upload that is cancelled, in the line or under way, leaves the gate as if it had never come.
#[derive(Clone, Default)]
pub struct RateLimiter {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<GateState>,
    /// The head of the line holds it; the others queue for it, in order.
    door: tokio::sync::Mutex<()>,
    /// Tells the head that the state may allow something else now.
    changed: Notify,
    /// Tells the whole line that the gate closes for longer, so that those who cannot wait as long leave.
    closed: Notify,
}

/// The gate does not open in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shut {
    /// How long until it may be worth trying again; zero when that does not depend on the time, but on the answers to
    /// requests that are under way.
    pub(crate) retry_after: Duration,
}

impl RateLimiter {
    /// Waits until a request may be sent.
    ///
    /// # Errors
    /// [`Shut`], as soon as it is clear that the gate does not open before the deadline.
    pub(crate) async fn enter(&self, deadline: Option<Instant>) -> Result<Pass, Shut> {
        let now = Instant::now();
        {
            let mut state = self.lock();
            if !state.has_line() {
                if let Entry::Now(permit) = state.poll(now, now) {
                    return Ok(self.pass(permit));
                }
            }
            leave_unless_open_by(deadline, &state, now)?;
            state.line_up();
        }
        let place = Place { gate: self };
        let _head = self.reach_the_door(deadline).await?;
        let permit = self.pass_the_door(deadline).await?;
        drop(place);
        Ok(self.pass(permit))
    }

    /// Waits in the line until everyone ahead is through.
    async fn reach_the_door(
        &self,
        deadline: Option<Instant>,
    ) -> Result<tokio::sync::MutexGuard<'_, ()>, Shut> {
        let mut door = std::pin::pin!(self.shared.door.lock());
        loop {
            // Listens before it looks, or it could miss a change in between.
            let mut closed = std::pin::pin!(self.shared.closed.notified());
            closed.as_mut().enable();
            leave_unless_open_by(deadline, &self.lock(), Instant::now())?;
            tokio::select! {
                biased;
                head = &mut door => return Ok(head),
                () = closed => {}
                () = reached(deadline) => return Err(self.shut()),
            }
        }
    }

    /// Waits as the head of the line until the state lets it through.
    async fn pass_the_door(&self, deadline: Option<Instant>) -> Result<Permit, Shut> {
        let since = Instant::now();
        loop {
            // Notifications for the head are kept until someone listens, so none is missed in between.
            let changed = self.shared.changed.notified();
            let now = Instant::now();
            let entry = self.lock().poll(now, since);
            match entry {
                Entry::Now(permit) => return Ok(permit),
                Entry::At(at) if deadline.is_some_and(|deadline| deadline < at) => {
                    return Err(Shut { retry_after: at.saturating_duration_since(now) });
                }
                Entry::At(at) => tokio::select! {
                    () = changed => {}
                    () = sleep_until(at) => {}
                },
                Entry::AfterAnAnswer => tokio::select! {
                    () = changed => {}
                    () = reached(deadline) => return Err(self.shut()),
                },
            }
        }
    }

    fn pass(&self, permit: Permit) -> Pass {
        Pass::new(self.clone(), permit)
    }

    fn shut(&self) -> Shut {
        Shut { retry_after: self.lock().closed_for(Instant::now()) }
    }

    /// Applies what came of a pass, and tells the line.
    fn settle(&self, change: impl FnOnce(&mut GateState)) {
        let mut state = self.lock();
        let closed_until = state.closed_until();
        change(&mut state);
        let closes_for_longer = state.closed_until() > closed_until;
        let has_line = state.has_line();
        drop(state);
        if has_line {
            self.shared.changed.notify_one();
            if closes_for_longer {
                self.shared.closed.notify_waiters();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, GateState> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("RateLimiter")
            .field("closed_for", &state.closed_for(Instant::now()))
            .finish_non_exhaustive()
    }
}

/// A place in the line, given up when it is dropped.
struct Place<'a> {
    gate: &'a RateLimiter,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.gate.lock().leave_line();
    }
}

fn leave_unless_open_by(
    deadline: Option<Instant>,
    state: &GateState,
    now: Instant,
) -> Result<(), Shut> {
    let opens_in_time =
        deadline.is_none_or(|deadline| state.closed_until().is_none_or(|until| until <= deadline));
    if opens_in_time { Ok(()) } else { Err(Shut { retry_after: state.closed_for(now) }) }
}

async fn reached(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
