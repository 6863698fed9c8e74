//! What kinds of failure there are, and what to do on each.

/// What kind of failure an [`Error`](super::Error) is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The client cannot be made as it was described: an empty key, a malformed URL, `http://` to a host that is not
    /// this one, an unreadable certificate. Correct the configuration; the message lists every mistake. An upload that
    /// is awaited outside a Tokio runtime ends like this, too.
    Config,
    /// The data cannot be sent as they are: a number that JSON cannot express, an empty bulk request, events too young
    /// for the historical endpoint, or, with [`Validation::Strict`](crate::Validation::Strict), any violation. Nothing
    /// was sent. Correct the batch.
    Invalid,
    /// A batch has more than 128,000 bytes, or a request more than 100 batches or 256,000 bytes. Nothing was sent.
    /// [`Client::upload_all`](crate::Client::upload_all) divides what can be divided.
    TooLarge,
    /// mParticle answered 401 or 403: the credentials are missing there, wrong, or those of another pod or input. Every
    /// other upload with them will fail, too. Correct them, then send again.
    Unauthorized,
    /// mParticle answered with another status that will not change by trying again, 400 above all.
    /// [`Error::api_errors`](super::Error::api_errors) tells why, if mParticle did. Correct the batch. A bulk request is
    /// refused as a whole for one bad batch; [`Client::upload_all`](crate::Client::upload_all) finds it.
    Rejected,
    /// mParticle accepts no requests until later than this upload may take. Send again after
    /// [`Error::retry_after`](super::Error::retry_after).
    RateLimited,
    /// mParticle answered with a status of 500 or more. Send again later.
    Server,
    /// No connection, or one that broke. [`Error::may_have_been_sent`](super::Error::may_have_been_sent) tells which.
    /// Send again later what [`Error::into_request`](super::Error::into_request) gives.
    Transport,
    /// No answer came within the time allowed, or mParticle answered 408. The request may have arrived. Send again later what
    /// [`Error::into_request`](super::Error::into_request) gives.
    Timeout,
    /// Every attempt that was allowed failed. [`source`](std::error::Error::source) is the failure of the last one.
    /// Send again later what [`Error::into_request`](super::Error::into_request) gives.
    RetriesExhausted,
    /// What would send is gone: the queue was shut down, the process was forked, or the client's background thread has
    /// ended. Make a new client or queue.
    Closed,
    /// The queue has no room for another batch at the moment. Try again later, let [`Queue::send`] wait for room, or
    /// allow more.
    ///
    /// [`Queue::send`]: https://docs.rs/mparticle-client/latest/mparticle_client/queue/struct.Queue.html#method.send
    Full,
    /// The spool cannot be opened, read or written: another process has it, the disk is full or read-only, the path is no
    /// folder, or a newer version has written it. What it holds is kept. The source tells what the system said.
    Storage,
}

impl ErrorKind {
    /// Whether sending the same again, later, may succeed.
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

    /// What to do, where the message alone does not tell.
    pub(super) fn hint(self) -> Option<&'static str> {
        match self {
            Self::Unauthorized => Some("check that key and secret belong to an input of this pod"),
            _ => None,
        }
    }
}
