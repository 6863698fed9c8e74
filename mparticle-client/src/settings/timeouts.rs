//! The time limits of an upload.

use std::time::Duration;

/// The time limits of an upload and of its attempts.
///
/// Building a client fails if a time limit is zero. [`Duration::MAX`] disables a time limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// The time limit for opening a connection, including name resolution, the tunnel through a proxy and the TLS
    /// handshake. The default is 5 seconds.
    ///
    /// Nothing was sent if an attempt exceeds this time limit. If the time limit of the attempt is shorter, it is
    /// exceeded first, and [`Error::may_have_been_sent`](crate::Error::may_have_been_sent) returns `true`.
    pub connect: Duration,
    /// The time limit for one attempt, from opening or reusing a connection until the head of the response has arrived.
    /// The default is 15 seconds.
    pub attempt: Duration,
    /// The time limit for an upload, measured from the call. The default is 60 seconds.
    ///
    /// It includes all attempts and the waits between them, the wait for the rate limiter, and the wait for the
    /// [limit on requests in flight](crate::ClientBuilder::max_in_flight). If a wait would end after the deadline, the
    /// upload fails at once.
    pub overall: Duration,
}

impl Timeouts {
    /// Sets the time limit for opening a connection.
    #[must_use]
    pub fn with_connect(mut self, connect: Duration) -> Self {
        self.connect = connect;
        self
    }

    /// Sets the time limit for one attempt.
    #[must_use]
    pub fn with_attempt(mut self, attempt: Duration) -> Self {
        self.attempt = attempt;
        self
    }

    /// Sets the time limit for an upload.
    #[must_use]
    pub fn with_overall(mut self, overall: Duration) -> Self {
        self.overall = overall;
        self
    }
}

/// Returns 5 seconds for a connection, 15 seconds for an attempt and 60 seconds for an upload.
impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            attempt: Duration::from_secs(15),
            overall: Duration::from_secs(60),
        }
    }
}
