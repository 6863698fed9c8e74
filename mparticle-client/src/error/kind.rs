//! The kinds of failure.

/// The kind of an [`Error`](super::Error).
///
/// The documentation of each kind says what happened, whether anything was sent, and what to do. The last attempt of an
/// upload determines the kind. mParticle may have accepted an earlier attempt even if the last one was refused:
/// [`Error::may_have_been_sent`](super::Error::may_have_been_sent) takes all attempts into account.
///
/// To send a request again, pass the result of [`Error::into_request`](super::Error::into_request) to
/// [`Client::resend`](crate::Client::resend). The ids of the batches stay the same, and mParticle counts them once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration of a client or queue is invalid. Nothing was sent.
    ///
    /// Examples are an empty key, a key that contains white space, a malformed URL, an `http://` URL of a remote host, and
    /// a certificate that cannot be read. The message lists every problem. Correct the configuration.
    ///
    /// An upload that is awaited outside a Tokio runtime, or in a runtime without timers or I/O, also fails with this kind.
    Config,
    /// The data cannot be sent as it is. Nothing was sent.
    ///
    /// One of these is the reason:
    ///
    /// - A number is not finite, and JSON cannot represent it.
    /// - A bulk request has no batches, or two batches with the same `source_request_id`.
    /// - A batch for the historical endpoint has no events, or has an event without a timestamp or with one that is less
    ///   than 72 hours old.
    /// - A batch violates a rule of mParticle, and the client uses
    ///   [`Validation::Strict`](crate::Validation::Strict).
    ///   [`Error::violations`](super::Error::violations) lists all violations.
    ///
    /// Correct the data at [`Error::pointer`](super::Error::pointer).
    Invalid,
    /// A batch or a request exceeds a limit. Nothing was sent.
    ///
    /// A batch may have up to 128,000 bytes. A request may have up to 100 batches and 256,000 bytes.
    /// [`Client::upload_all`](crate::Client::upload_all) distributes batches over as many requests as necessary, and
    /// splits a batch by its events. A single event that is too large has to be made smaller.
    TooLarge,
    /// mParticle refused the credentials with status 401 or 403. The data was not accepted.
    ///
    /// The key or the secret is wrong, or they belong to another pod or another type of input. All uploads with these
    /// credentials fail. Correct the credentials or the pod, and send the request again.
    Unauthorized,
    /// mParticle refused the request with another status that a retry does not change, such as 400. The data was not
    /// accepted.
    ///
    /// [`Error::api_errors`](super::Error::api_errors) returns the reasons that mParticle listed. Correct the batch. For
    /// a redirect or 404, correct the base URL.
    ///
    /// mParticle refuses a bulk request as a whole if one of its batches is malformed.
    /// [`Client::upload_all`](crate::Client::upload_all) finds that batch and delivers the others.
    Rejected,
    /// The rate limit of mParticle did not let the request through in time. The data was not accepted.
    ///
    /// The client waits when mParticle answers with status 429, and then sends the request again. This error is returned
    /// if the wait does not fit into the time that the upload may take:
    /// [`Timeouts::overall`](crate::Timeouts::overall), which is 60 seconds by default, or `max_wait` of
    /// [`Client::upload_all`](crate::Client::upload_all). With [`RetryPolicy::never`](crate::RetryPolicy::never), the
    /// first 429 is returned as this error.
    ///
    /// Send the request again after [`Error::retry_after`](super::Error::retry_after).
    RateLimited,
    /// mParticle answered with a status of 500 or above. The data may have been accepted.
    ///
    /// Statuses 501 and 505 are not retried; check the base URL. Other statuses are retried, and the upload returns
    /// [`RetriesExhausted`](Self::RetriesExhausted), unless the [`RetryPolicy`](crate::RetryPolicy) allows a single
    /// attempt. Send the request again later.
    Server,
    /// The connection could not be established, or it broke before a response arrived.
    ///
    /// Nothing was sent if there was no connection. The data may have been accepted if the connection broke;
    /// [`Error::may_have_been_sent`](super::Error::may_have_been_sent) distinguishes the two. Send the request again
    /// later.
    ///
    /// [`Error::is_retryable`](super::Error::is_retryable) returns `false` if a certificate was rejected, if a proxy
    /// requires credentials, or if the transport panicked. Correct the configuration or the transport. Other failures are
    /// retried, and the upload returns [`RetriesExhausted`](Self::RetriesExhausted), unless the
    /// [`RetryPolicy`](crate::RetryPolicy) allows a single attempt.
    Transport,
    /// No response arrived in time, or mParticle answered with status 408. The data may have been accepted.
    ///
    /// The deadline of the upload passed during an attempt, or the [`RetryPolicy`](crate::RetryPolicy) allows a single
    /// attempt. Send the request again later.
    ///
    /// The upload may also have waited until its deadline while other requests took all
    /// [places in flight](crate::ClientBuilder::max_in_flight). Nothing was sent if
    /// [`Error::attempts`](super::Error::attempts) returns 0.
    Timeout,
    /// At least one attempt failed, and the client makes no further attempt. The data may have been accepted if
    /// [`Error::may_have_been_sent`](super::Error::may_have_been_sent) returns `true`.
    ///
    /// The [`source`](std::error::Error::source) is the error of the last attempt, with the kind
    /// [`Server`](Self::Server), [`Transport`](Self::Transport) or [`Timeout`](Self::Timeout). The message says why
    /// there is no further attempt: the number of attempts is limited by
    /// [`RetryPolicy`](crate::RetryPolicy), the duration by [`Timeouts`](crate::Timeouts), and the retries of all
    /// uploads of a client by a shared budget. Send the request again later.
    RetriesExhausted,
    /// The client or queue cannot send any more.
    ///
    /// The queue was shut down, the process was forked, or the background thread has ended. Nothing was sent. Create a new
    /// client or queue.
    ///
    /// An upload also fails with this kind if its Tokio runtime is shut down. The data may then have been accepted.
    Closed,
    /// The queue has no capacity for another batch. The queue did not accept the batch.
    ///
    /// Try again later, use [`Queue::send_timeout`], which waits for capacity, or increase the limits of the queue.
    ///
    /// [`Queue::send_timeout`]: https://docs.rs/mparticle-client/latest/mparticle_client/queue/struct.Queue.html#method.send_timeout
    Full,
    /// The spool of a queue cannot be opened, read or written. The call sent nothing, and the content of the spool is
    /// kept.
    ///
    /// Another process uses the spool, the disk is full, read-only or failing, the folder was deleted or replaced, the path
    /// is not a directory, or another version of this crate has written the spool. The [`source`](std::error::Error::source) is the underlying error. Resolve the
    /// problem, and try again.
    Storage,
}

impl ErrorKind {
    /// Whether the same request may succeed later.
    pub(super) fn is_retryable(self) -> bool {
        match self {
            Self::RateLimited
            | Self::Server
            | Self::Transport
            | Self::Timeout
            | Self::RetriesExhausted
            | Self::Full
            | Self::Storage => true,
            Self::Config
            | Self::Invalid
            | Self::TooLarge
            | Self::Unauthorized
            | Self::Rejected
            | Self::Closed => false,
        }
    }

    /// Returns what to do, if the message alone does not say it.
    pub(super) fn hint(self) -> Option<&'static str> {
        match self {
            Self::Unauthorized => {
                Some("check that the key and the secret belong to an input of this pod")
            }
            _ => None,
        }
    }
}
