//! Why no response head arrived.

use std::error::Error;
use std::fmt;

/// Why a request got no response.
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    source: Box<dyn Error + Send + Sync>,
}

/// At which point a request failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection was made, so nothing was sent. It is tried again.
    Connect,
    /// The server's certificate, or ours, was not accepted, so nothing was sent. Trying again would not help.
    Untrusted,
    /// The connection broke after the request may have been sent, or what came was not HTTP. It is tried again.
    Interrupted,
    /// No response head came in time; the request may have been sent. It is tried again.
    Timeout,
    /// The request cannot be sent at all. Trying again would not help.
    Unsendable,
}

impl TransportError {
    /// An error of a kind with its cause.
    pub fn new(kind: TransportErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind, source: source.into() }
    }

    /// At which point the request failed.
    #[must_use]
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    pub(crate) fn into_source(self) -> Box<dyn Error + Send + Sync> {
        self.source
    }
}

impl TransportErrorKind {
    /// Whether the same request may succeed when it is sent again.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Connect | Self::Interrupted | Self::Timeout)
    }

    /// Whether the request may have reached the server.
    #[must_use]
    pub fn may_have_been_sent(self) -> bool {
        matches!(self, Self::Interrupted | Self::Timeout)
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TransportErrorKind::Connect => "no connection to the server",
            TransportErrorKind::Untrusted => "TLS found no trust between client and server",
            TransportErrorKind::Interrupted => "the connection broke before a response",
            TransportErrorKind::Timeout => "no response in time",
            TransportErrorKind::Unsendable => "the request cannot be sent",
        })
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.source.as_ref())
    }
}
