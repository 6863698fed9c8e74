//! How long a request may be sent.

use crate::timing::Clock;
use crate::{Error, ErrorKind};
use std::time::SystemTime;

/// When a request may no longer be sent, by the wall clock.
///
/// A request can wait for the rate limiter while the machine is suspended. The clock is therefore read when the request
/// has been admitted.
#[derive(Clone)]
pub(crate) struct Expiry {
    at: SystemTime,
    clock: Clock,
}

impl Expiry {
    pub(crate) fn new(at: SystemTime, clock: Clock) -> Self {
        Self { at, clock }
    }

    /// # Errors
    ///
    /// - [`ErrorKind::Timeout`]: the request may no longer be sent
    pub(super) fn check(&self) -> Result<(), Error> {
        if (self.clock)() < self.at {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Timeout, "the request became too old before it was sent"))
    }
}
