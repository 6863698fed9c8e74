//! Converts errors of NATS.

use crate::{Error, ErrorKind};
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::{PublishError, PublishErrorKind};
use std::error::Error as StdError;

/// Returns an error for an operation that failed. The text of an error of NATS contains those of its sources.
pub(super) fn failed(what: &str, error: impl StdError) -> Error {
    Error::new(ErrorKind::Storage, format!("{what}: {error}"))
}

/// Returns an error of an operation that got no response in time.
pub(super) fn timed_out(what: &str) -> Error {
    Error::new(ErrorKind::Storage, format!("{what}: the NATS server did not answer in time"))
}

/// What a failed attempt to append a batch means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AppendFailure {
    /// The stream has reached its limit, and did not store the batch.
    Full,
    /// The message is larger than the stream or the server allows.
    TooLarge,
    /// The server did not store the batch. It may do so later.
    NotStored,
    /// The server may have stored the batch.
    Unknown,
}

pub(super) fn append_failure(error: &PublishError) -> AppendFailure {
    match error.kind() {
        PublishErrorKind::StreamNotFound => AppendFailure::NotStored,
        PublishErrorKind::MaxPayloadExceeded => AppendFailure::TooLarge,
        PublishErrorKind::Other => error_of_api(error).map_or(AppendFailure::Unknown, by_code),
        _ => AppendFailure::Unknown,
    }
}

fn by_code(error: &async_nats::jetstream::Error) -> AppendFailure {
    match error.error_code() {
        ErrorCode::ACCOUNT_RESOURCES_EXCEEDED | ErrorCode::INSUFFICIENT_RESOURCES => {
            AppendFailure::Full
        }
        ErrorCode::STREAM_STORE_FAILED if error.to_string().contains("maximum") => {
            AppendFailure::Full
        }
        ErrorCode::STREAM_MESSAGE_EXCEEDS_MAXIMUM => AppendFailure::TooLarge,
        _ => AppendFailure::NotStored,
    }
}

fn error_of_api(error: &PublishError) -> Option<&async_nats::jetstream::Error> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        source = error.source();
    }
    None
}
