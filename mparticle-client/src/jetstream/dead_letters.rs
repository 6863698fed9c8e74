//! The dead letters of a feed: batches that were not delivered.

use super::errors::{AppendFailure, append_failure, failed, timed_out};
use super::feed::Feed;
use crate::{BatchResult, EncodedBatch, Error, ErrorKind, Outcome};
use async_nats::HeaderMap;
use async_nats::header::NATS_MESSAGE_ID;
use async_nats::jetstream::stream::RawMessageErrorKind;
use bytes::Bytes;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::timeout;

const REASON: &str = "Mparticle-Reason";
const STATUS: &str = "Mparticle-Status";
const EXPIRED: &str = "expired";

/// The time in which a dead letter has to be stored.
const STORE_TIME: Duration = Duration::from_secs(5);

/// The batches of a feed that mParticle refused, and those that were more than 25 days old. Returned by
/// [`Feed::dead_letters`].
///
/// They are kept for 25 days. They contain personal data: requests to delete the data of a user concern them, too.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    feed: Feed,
}

/// A batch that was not delivered.
///
/// `Debug` omits the batch, which contains personal data.
#[derive(Clone)]
#[non_exhaustive]
pub struct DeadLetter {
    /// Identifies the dead letter in its feed.
    pub id: u64,
    /// The `source_request_id` of the batch. It is empty if the message is not an encoded batch.
    pub source_request_id: String,
    /// Why the batch was not delivered: the message of the error, or "expired".
    pub reason: String,
    /// The status with which mParticle refused the batch.
    pub status: Option<u16>,
    /// When the batch was moved to the dead letters, by the clock of the server.
    pub since: SystemTime,
    /// The message as it was in the feed, which is the [stored form](EncodedBatch::to_bytes) of a batch.
    pub stored: Bytes,
}

/// Stores a message that was not delivered as a dead letter. If it is stored twice within two minutes, the server keeps
/// one.
pub(super) async fn store(
    feed: &Feed,
    sequence: u64,
    stored: Bytes,
    result: &BatchResult,
) -> Result<(), Error> {
    let mut headers = HeaderMap::new();
    let id = format!("{sequence}-{}", result.source_request_id().escape_debug());
    headers.insert(NATS_MESSAGE_ID, id);
    let reason = match result.outcome() {
        Outcome::Rejected(error) | Outcome::Failed(error) => error.to_string(),
        _ => EXPIRED.to_owned(),
    };
    // A header must not contain line breaks.
    headers.insert(REASON, reason.escape_debug().to_string());
    if let Some(status) = result.error().and_then(Error::status) {
        headers.insert(STATUS, status.as_u16().to_string());
    }
    append(feed, feed.settings.dead_subject(), headers, stored).await
}

async fn append(
    feed: &Feed,
    subject: String,
    headers: HeaderMap,
    payload: Bytes,
) -> Result<(), Error> {
    let what = "a message cannot be stored";
    let context = &feed.jetstream.context;
    let publish = async { context.publish_with_headers(subject, headers, payload).await?.await };
    match timeout(STORE_TIME, publish).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) if append_failure(&error) == AppendFailure::Full => {
            Err(Error::new(ErrorKind::Full, "the stream is full").with_source(error))
        }
        Ok(Err(error)) => Err(failed(what, error)),
        Err(_) => Err(timed_out(what)),
    }
}

impl DeadLetters {
    pub(super) fn new(feed: Feed) -> Self {
        Self { feed }
    }

    /// Returns up to `limit` dead letters, the oldest first.
    ///
    /// # Errors
    /// - [`Storage`](ErrorKind::Storage): the servers do not answer, or the stream was deleted.
    pub async fn list(&self, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        self.list_after(0, limit).await
    }

    /// Returns up to `limit` dead letters whose [`id`](DeadLetter::id) is greater than `id`, the oldest first.
    ///
    /// # Errors
    /// - [`Storage`](ErrorKind::Storage): as for [`list`](Self::list).
    pub async fn list_after(&self, id: u64, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        let settings = &self.feed.settings;
        let stream = self.feed.stream(settings.dead_stream()).await?;
        let mut letters = Vec::new();
        let mut next = id.saturating_add(1);
        while letters.len() < limit {
            let request = stream.raw_message_builder().sequence(next);
            match request.next_by_subject(settings.dead_subject()).send().await {
                Ok(message) => {
                    next = message.sequence.saturating_add(1);
                    letters.push(letter(message));
                }
                Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => break,
                Err(error) => return Err(failed("the dead letters cannot be read", error)),
            }
        }
        Ok(letters)
    }

    /// Appends a dead letter to the feed again, and deletes it from the dead letters. The batch keeps its
    /// `source_request_id` and its bytes.
    ///
    /// It may arrive after later batches of its user. Its age is measured anew. If an earlier attempt arrived more than
    /// 30 days ago, mParticle may count the batch twice.
    ///
    /// # Errors
    /// - [`Invalid`](ErrorKind::Invalid): there is no such dead letter, or it is not an encoded batch.
    /// - [`Full`](ErrorKind::Full): the feed has reached its limit.
    /// - [`Storage`](ErrorKind::Storage): the servers do not answer. The batch may be in the feed and in the dead
    ///   letters. It is delivered once if it is redriven again.
    pub async fn redrive(&self, id: u64) -> Result<(), Error> {
        let settings = &self.feed.settings;
        let stream = self.feed.stream(settings.dead_stream()).await?;
        let message = match stream.get_raw_message(id).await {
            Ok(message) => message,
            Err(error) if error.kind() == RawMessageErrorKind::NoMessageFound => {
                let text = format!("there is no dead letter {id}");
                return Err(Error::new(ErrorKind::Invalid, text));
            }
            Err(error) => return Err(failed("the dead letter cannot be read", error)),
        };
        let batch = EncodedBatch::from_bytes(&message.payload)?.encoded_again(SystemTime::now());
        let mut headers = HeaderMap::new();
        // The server still recognizes the id with which the batch was appended before.
        headers.insert(NATS_MESSAGE_ID, format!("redriven-{id}"));
        append(&self.feed, settings.subject(), headers, batch.to_bytes()).await?;
        self.delete(id).await
    }

    /// Deletes a dead letter. Does nothing if there is none with this id.
    ///
    /// # Errors
    /// - [`Storage`](ErrorKind::Storage): the servers do not answer.
    pub async fn delete(&self, id: u64) -> Result<(), Error> {
        let stream = self.feed.stream(self.feed.settings.dead_stream()).await?;
        let Err(error) = stream.delete_message(id).await else { return Ok(()) };
        let exists = stream.get_raw_message(id).await.is_ok();
        if exists { Err(failed("the dead letter cannot be deleted", error)) } else { Ok(()) }
    }
}

fn letter(message: async_nats::jetstream::message::StreamMessage) -> DeadLetter {
    let header = |name: &str| message.headers.get(name).map(|value| value.as_str().to_owned());
    let batch = EncodedBatch::from_bytes(&message.payload).ok();
    let id = batch.as_ref().map(EncodedBatch::source_request_id).unwrap_or_default();
    let nanos = u64::try_from(message.time.unix_timestamp_nanos()).unwrap_or_default();
    DeadLetter {
        id: message.sequence,
        source_request_id: id.to_owned(),
        reason: header(REASON).unwrap_or_default(),
        status: header(STATUS).and_then(|status| status.parse().ok()),
        since: UNIX_EPOCH + Duration::from_nanos(nanos),
        stored: message.payload,
    }
}

impl fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetter")
            .field("id", &self.id)
            .field("source_request_id", &self.source_request_id)
            .field("reason", &self.reason)
            .field("status", &self.status)
            .field("bytes", &self.stored.len())
            .finish_non_exhaustive()
    }
}
