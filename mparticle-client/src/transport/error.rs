//! The error of a request that received no response.

use std::error::Error;
use std::fmt;

/// The error of a request that received no response.
#[derive(Debug)]
pub struct TransportError {
    kind: TransportErrorKind,
    source: Box<dyn Error + Send + Sync>,
}

/// The stage at which a request failed.
///
/// The kind determines whether the client sends the request again, and whether the request may have reached the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection was established: the name was not resolved, the connection was refused or timed out, a proxy opened
    /// no tunnel, or the TLS handshake failed. Nothing was sent. The client retries.
    Connect,
    /// The proxy answered with status 407: it requires credentials, or it rejected those in its URL. Nothing was sent.
    /// The client does not retry.
    ProxyAuthenticationRequired,
    /// The certificate of the server or of the client was rejected. Nothing was sent. The client does not retry.
    Untrusted,
    /// The connection was closed before a response arrived, or the response was not valid HTTP. The request may have been
    /// sent. The client retries.
    Interrupted,
    /// No response head arrived in time. The request may have been sent. The client retries.
    Timeout,
    /// The request is invalid and cannot be sent. The client does not retry.
    Unsendable,
}

impl TransportError {
    /// Creates an error from its kind and its cause.
    pub fn new(kind: TransportErrorKind, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { kind, source: source.into() }
    }

    /// Returns the stage at which the request failed.
    #[must_use]
    pub fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    pub(crate) fn into_source(self) -> Box<dyn Error + Send + Sync> {
        self.source
    }
}

impl TransportErrorKind {
    /// Returns whether the same request may succeed if it is sent again.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        matches!(self, Self::Connect | Self::Interrupted | Self::Timeout)
    }

    /// Returns whether the request may have reached the server.
    #[must_use]
    pub fn may_have_been_sent(self) -> bool {
        matches!(self, Self::Interrupted | Self::Timeout)
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            TransportErrorKind::Connect => "no connection to the server",
            TransportErrorKind::ProxyAuthenticationRequired => {
                "the proxy requires credentials or rejected those in its URL (status 407)"
            }
            TransportErrorKind::Untrusted => "the certificate of the server or client was rejected",
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_says_whether_to_retry_and_whether_the_request_may_have_been_sent() {
        for (kind, retryable, may_have_been_sent) in [
            (TransportErrorKind::Connect, true, false),
            (TransportErrorKind::ProxyAuthenticationRequired, false, false),
            (TransportErrorKind::Untrusted, false, false),
            (TransportErrorKind::Interrupted, true, true),
            (TransportErrorKind::Timeout, true, true),
            (TransportErrorKind::Unsendable, false, false),
        ] {
            assert_eq!(kind.is_retryable(), retryable, "{kind:?}");
            assert_eq!(kind.may_have_been_sent(), may_have_been_sent, "{kind:?}");
        }
    }
}
