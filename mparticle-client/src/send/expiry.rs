//! The time after which a request must not be sent.

use crate::timing::Clock;
use crate::{Error, ErrorKind};
use std::time::SystemTime;

/// The time, by the wall clock, after which a request must not be sent.
///
/// A request can wait for the rate limiter while the machine is suspended. The clock is therefore read after the
/// request was admitted.
#[derive(Clone)]
pub(crate) struct Expiry {
    at: SystemTime,
    clock: Clock,
}

impl Expiry {
    pub(crate) fn new(at: SystemTime, clock: Clock) -> Self {
        Self { at, clock }
    }

    /// Checks that the request may still be sent.
    ///
    /// # Errors
    /// - [`ErrorKind::Timeout`]: the request must not be sent any more.
    pub(super) fn check(&self) -> Result<(), Error> {
        if (self.clock)() < self.at {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Timeout, "the request became too old before it was sent"))
    }
}
