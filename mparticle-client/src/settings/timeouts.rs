//! How long an upload may take.

use std::time::Duration;

/// How long an upload and its parts may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// For making a connection, TLS included; 5 seconds unless set.
    pub connect: Duration,
    /// For one attempt, from its first byte to the head of the answer; 15 seconds unless set.
    pub attempt: Duration,
    /// For a whole upload with all its attempts and the waiting between them; 60 seconds unless set. It starts at the
    /// call. A wait that would pass it is not begun.
    pub overall: Duration,
}

impl Timeouts {
    /// The same with another timeout for making a connection.
    #[must_use]
    pub fn with_connect(mut self, connect: Duration) -> Self {
        self.connect = connect;
        self
    }

    /// The same with another timeout for one attempt.
    #[must_use]
    pub fn with_attempt(mut self, attempt: Duration) -> Self {
        self.attempt = attempt;
        self
    }

    /// The same with another timeout for a whole upload.
    #[must_use]
    pub fn with_overall(mut self, overall: Duration) -> Self {
        self.overall = overall;
        self
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            attempt: Duration::from_secs(15),
            overall: Duration::from_secs(60),
        }
    }
}
