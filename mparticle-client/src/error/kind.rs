//! The kinds of failure.

/// The kind of an [`Error`](super::Error).
///
/// The description of each kind says when it occurs, whether mParticle may have received the data, and what to do. The
/// last attempt of an upload determines the kind. mParticle may have accepted an earlier attempt even if it refused the
/// last one: [`Error::may_have_been_sent`](super::Error::may_have_been_sent) takes all attempts into account.
///
/// To send a request again, pass the result of [`Error::into_request`](super::Error::into_request) to
/// [`Client::resend`](crate::Client::resend). The batches keep their ids, and mParticle counts each batch once.
///
/// # Examples
/// ```
/// use mparticle_client::{Error, ErrorKind};
///
/// fn advice(error: &Error) -> &'static str {
///     match error.kind() {
///         ErrorKind::Config | ErrorKind::Unauthorized => "correct the configuration",
///         ErrorKind::Invalid | ErrorKind::Rejected => "correct the batch",
///         ErrorKind::TooLarge => "split the batch, or use `upload_all`",
///         _ if error.is_retryable() => "send the request again later",
///         _ => "look at the message",
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The configuration of a client or queue is invalid. Nothing was sent.
    ///
    /// Examples are an empty key, a key that contains white space, a malformed URL, an `http://` URL of a remote host,
    /// and a certificate that cannot be read. The message lists every problem. Correct the configuration.
    ///
    /// An upload also fails with this kind if it is awaited outside a Tokio runtime, or in a runtime without timers or
    /// I/O.
    Config,
    /// The data cannot be sent as it is. Nothing was sent.
    ///
    /// The reason is one of these:
    ///
    /// - A batch cannot be serialized, for example because a number is not finite.
    /// - A bulk request has no batches, or two batches with the same `source_request_id`.
    /// - A batch for the historical endpoint has no events, or has an event without a timestamp or with one that is
    ///   less than 72 hours old.
    /// - A batch violates a rule of mParticle, and the client uses
    ///   [`Validation::Strict`](crate::Validation::Strict).
    ///   [`Error::violations`](super::Error::violations) lists all violations.
    ///
    /// Correct the data at [`Error::pointer`](super::Error::pointer).
    Invalid,
    /// A batch or a request exceeds a limit. Nothing was sent.
    ///
    /// A batch may have up to 128,000 bytes. A request may have up to 100 batches and 256,000 bytes. A batch also has
    /// to fit into the capacity of a queue.
    ///
    /// Use [`Client::upload_all`](crate::Client::upload_all), which distributes batches over as many requests as
    /// necessary and splits a large batch by its events. Shorten an event that is too large by itself.
    TooLarge,
    /// mParticle refused the credentials with status 401 or 403. The data was not accepted.
    ///
    /// The key or the secret is wrong, or belongs to another pod or another type of input. All uploads with these
    /// credentials fail. Correct the credentials or the pod, and send the request again.
    Unauthorized,
    /// mParticle refused the request with another status that a retry does not change, such as 400. The data was not
    /// accepted.
    ///
    /// [`Error::api_errors`](super::Error::api_errors) returns the reasons that mParticle listed. Correct the batch, or
    /// the base URL after a redirect or status 404.
    ///
    /// If one batch of a bulk request is malformed, mParticle refuses the whole request.
    /// [`Client::upload_all`](crate::Client::upload_all) finds that batch and delivers the others.
    Rejected,
    /// mParticle's rate limit did not allow the request in time. The data was not accepted.
    ///
    /// If mParticle answers with status 429, the client waits and sends the request again. It returns this error if the
    /// wait would exceed the time limit of the upload: [`Timeouts::overall`](crate::Timeouts::overall), which is 60
    /// seconds by default, or [`UploadAll::max_wait`](crate::UploadAll::max_wait). With
    /// [`RetryPolicy::never`](crate::RetryPolicy::never), it returns this error for the first 429.
    ///
    /// Send the request again after [`Error::retry_after`](super::Error::retry_after).
    RateLimited,
    /// mParticle answered with a status of 500 or above. The data may have been accepted.
    ///
    /// The client does not retry statuses 501 and 505. Check the base URL.
    ///
    /// The client retries other statuses. The upload returns this kind for them only if the
    /// [`RetryPolicy`](crate::RetryPolicy) allows a single attempt, and [`RetriesExhausted`](Self::RetriesExhausted)
    /// otherwise. Send the request again later.
    Server,
    /// The connection could not be established, or it broke before a response arrived.
    ///
    /// Nothing was sent if there was no connection. The data may have been accepted if the connection broke.
    /// [`Error::may_have_been_sent`](super::Error::may_have_been_sent) distinguishes the two cases.
    ///
    /// The client does not retry if a certificate was rejected, if a proxy requires credentials, or if the transport
    /// cannot send the request or panicked. [`Error::is_retryable`](super::Error::is_retryable) then returns `false`.
    /// Correct the configuration or the transport.
    ///
    /// The client retries other failures. The upload returns this kind for them only if the
    /// [`RetryPolicy`](crate::RetryPolicy) allows a single attempt, and [`RetriesExhausted`](Self::RetriesExhausted)
    /// otherwise. Send the request again later.
    Transport,
    /// No response arrived in time, or mParticle answered with status 408. The data may have been accepted.
    ///
    /// The deadline of the upload passed during an attempt, or the [`RetryPolicy`](crate::RetryPolicy) allows a single
    /// attempt. Send the request again later.
    ///
    /// The deadline may also have passed while the maximum number of requests was
    /// [in flight](crate::ClientBuilder::max_in_flight). Nothing was sent if
    /// [`Error::attempts`](super::Error::attempts) returns 0.
    Timeout,
    /// At least one attempt failed, and the client makes no further attempt. The data may have been accepted if
    /// [`Error::may_have_been_sent`](super::Error::may_have_been_sent) returns `true`.
    ///
    /// The [`source`](std::error::Error::source) is the error of the last attempt, with the kind
    /// [`Server`](Self::Server), [`Transport`](Self::Transport) or [`Timeout`](Self::Timeout). The message says why the
    /// client makes no further attempt: [`RetryPolicy`](crate::RetryPolicy) limits the number of attempts,
    /// [`Timeouts`](crate::Timeouts) limits the duration, and a budget that all uploads of a client share limits the
    /// number of retries. Send the request again later.
    RetriesExhausted,
    /// The client or queue can no longer send. Nothing was sent.
    ///
    /// The queue was shut down, the process was forked, or the background thread has ended. Create a new client or
    /// queue.
    ///
    /// An upload also fails with this kind if its Tokio runtime is shut down. The data may then have been accepted if
    /// [`Error::may_have_been_sent`](super::Error::may_have_been_sent) returns `true`.
    Closed,
    /// The queue, or the stream of a feed in JetStream, has no capacity for another batch, and did not accept it. Nothing
    /// was sent.
    ///
    /// Try again later, wait for capacity, or increase the limits of the queue or of the stream.
    #[cfg_attr(
        feature = "queue",
        doc = "",
        doc = "See [`Queue::send_timeout`](crate::queue::Queue::send_timeout) and",
        doc = "[`QueueBuilder::max_pending`](crate::queue::QueueBuilder::max_pending)."
    )]
    Full,
    /// The spool of a queue cannot be opened, read or written. The call sent nothing, and the content of the spool is
    /// kept.
    ///
    /// Another process uses the spool, the disk is full, read-only or failing, the folder was deleted or replaced, the
    /// path is not a folder, or another version of this crate wrote the spool. The
    /// [`source`](std::error::Error::source) is the underlying error. Resolve the problem, and try again.
    ///
    /// A queue also returns this kind if a batch was not written to the spool in time. The batch may then still be
    /// delivered.
    ///
    /// The log of a [relay](crate::relay) and the feeds in JetStream use this kind if their servers do not answer or refuse
    /// an operation, and if a newer version of this crate stored a batch.
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

    /// Returns advice that the message does not contain.
    pub(super) fn hint(self) -> Option<&'static str> {
        match self {
            Self::Unauthorized => {
                Some("check that the key and the secret belong to an input of this pod")
            }
            _ => None,
        }
    }
}
