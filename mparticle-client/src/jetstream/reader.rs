//! The reader of a relay: yields the messages of a feed in order, and acknowledges those that are settled.
//!
//! A reader begins with the lease and a new consumer. A new consumer delivers what is left in the stream in order. An old
//! one would deliver the messages of its last reader after newer ones.

use super::connection::ANSWER_TIME;
use super::dead_letters::store;
use super::deliveries::{Deliveries, Delivery};
use super::errors::{failed, timed_out};
use super::feed::Feed;
use super::lease::Lease;
use super::pull::Pull;
use crate::relay::{LogError, LogReader, Settled};
use crate::{Error, ErrorKind, RateLimiter};
use async_nats::Subject;
use async_nats::jetstream::consumer::{AckPolicy, pull};
use async_nats::jetstream::stream::ConsumerErrorKind;
use async_nats::jetstream::stream::Stream;
use async_nats::jetstream::{AckKind, ErrorCode, Message};
use bytes::Bytes;
use futures_util::future::try_join_all;
use std::fmt;
use std::time::Duration;
use tokio::time::{Instant, timeout};

const ACKNOWLEDGE: &str = "a message cannot be acknowledged";

/// The name of the consumer. A work queue allows one consumer for a subject.
const CONSUMER: &str = "relay";

/// The time after which the server delivers a message again if it was not acknowledged.
const ACK_WAIT: Duration = Duration::from_secs(60);

/// The maximum number of messages that a relay holds.
const MAX_HELD: i64 = 5_000;

/// The time without a message after which the reader looks whether the stream is empty.
const IDLE: Duration = Duration::from_secs(10);

/// Reads a [`Feed`] for a relay.
pub struct FeedReader {
    feed: Feed,
    stream: Stream,
    lease: Lease,
    pull: Pull,
    deliveries: Deliveries,
    idle_since: Option<Instant>,
    /// Whether the stream was not empty although the consumer delivered nothing.
    may_pass_over: bool,
}

/// A message of a feed.
pub struct FeedPosition {
    /// The sequence in the stream.
    sequence: u64,
    /// The subject of its acknowledgement.
    reply: Subject,
    stored: Bytes,
}

impl FeedReader {
    /// Waits for the lease, and begins with the first message that is not settled.
    pub(super) async fn open(feed: Feed, limiter: &RateLimiter) -> Result<Self, Error> {
        let lease = Lease::acquire(&feed, limiter).await?;
        let opened = async {
            let stream = feed.stream(feed.settings.stream()).await?;
            recreate_consumer(&feed, &stream).await?;
            let (context, name) = (feed.jetstream.context.clone(), feed.settings.stream());
            Ok((stream, Pull::new(context, &name, CONSUMER).await?))
        };
        match opened.await {
            Ok((stream, pull)) => Ok(Self {
                feed,
                stream,
                lease,
                pull,
                deliveries: Deliveries::default(),
                idle_since: None,
                may_pass_over: false,
            }),
            Err(error) => {
                lease.release().await;
                Err(error)
            }
        }
    }

    async fn next(&mut self) -> Result<(FeedPosition, Bytes), Error> {
        loop {
            let Some(message) = self.pull.next().await? else {
                self.idle().await?;
                continue;
            };
            self.idle_since = None;
            self.may_pass_over = false;
            let (number, position) = position(message)?;
            match self.deliveries.delivered(number, position.sequence) {
                Delivery::New => {
                    let stored = position.stored.clone();
                    return Ok((position, stored));
                }
                Delivery::Held => {}
                Delivery::Settled => self.acknowledge(&position).await?,
                Delivery::Gap => return Err(gap()),
            }
        }
    }

    /// Returns an error if the stream has been idle for some time and is not empty. After a crash of the server, its
    /// consumers may pass over messages.
    async fn idle(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        let since = *self.idle_since.get_or_insert(now);
        if !self.deliveries.is_idle() || now - since < IDLE {
            return Ok(());
        }
        let info = self.stream.get_info().await;
        let info = info.map_err(|error| failed("the stream of the feed cannot be read", error))?;
        match (info.state.messages, self.may_pass_over) {
            (0, _) => self.idle_since = Some(now),
            // They may have been appended a moment ago.
            (_, false) => self.may_pass_over = true,
            (messages, true) => {
                let message = format!("the consumer passes over {messages} messages of the stream");
                return Err(Error::new(ErrorKind::Storage, message));
            }
        }
        Ok(())
    }

    async fn settle_all(&mut self, settled: Vec<Settled<FeedPosition>>) -> Result<(), Error> {
        let undelivered = settled.iter().filter(|settled| !settled.result.is_delivered());
        try_join_all(undelivered.map(|Settled { position, result, .. }| {
            store(&self.feed, position.sequence, position.stored.clone(), result)
        }))
        .await?;
        let Some((last, others)) = settled.split_last() else { return Ok(()) };
        for Settled { position, .. } in others {
            self.acknowledge(position).await?;
        }
        // The server handles acknowledgements in order. One response therefore confirms all of them.
        self.acknowledge_and_wait(&last.position).await?;
        for Settled { position, .. } in &settled {
            self.deliveries.settled(position.sequence);
        }
        Ok(())
    }

    async fn acknowledge(&self, position: &FeedPosition) -> Result<(), Error> {
        let client = self.feed.jetstream.context.client();
        let sent = client.publish(position.reply.clone(), AckKind::Ack.into());
        let sent = timeout(ANSWER_TIME, sent).await.map_err(|_| timed_out(ACKNOWLEDGE))?;
        sent.map_err(|error| failed(ACKNOWLEDGE, error))
    }

    async fn acknowledge_and_wait(&self, position: &FeedPosition) -> Result<(), Error> {
        let client = self.feed.jetstream.context.client();
        let answered = client.request(position.reply.clone(), AckKind::Ack.into());
        let answered = timeout(ANSWER_TIME, answered).await.map_err(|_| timed_out(ACKNOWLEDGE))?;
        answered.map(|_| ()).map_err(|error| failed(ACKNOWLEDGE, error))
    }
}

impl LogReader for FeedReader {
    type Position = FeedPosition;

    async fn read(&mut self) -> Result<(FeedPosition, Bytes), LogError> {
        self.lease.check()?;
        Ok(self.next().await?)
    }

    async fn settle(&mut self, settled: Vec<Settled<FeedPosition>>) -> Result<(), LogError> {
        Ok(self.settle_all(settled).await?)
    }

    fn check(&mut self) -> Result<(), LogError> {
        Ok(self.lease.check()?)
    }

    async fn close(self) {
        self.lease.release().await;
    }
}

/// Deletes the consumer of the last reader, and creates another one.
async fn recreate_consumer(feed: &Feed, stream: &Stream) -> Result<(), Error> {
    match stream.delete_consumer(CONSUMER).await {
        Ok(_) => {}
        Err(error) => match error.kind() {
            ConsumerErrorKind::JetStream(api)
                if api.error_code() == ErrorCode::CONSUMER_NOT_FOUND => {}
            _ => return Err(failed("the old consumer of the feed cannot be deleted", error)),
        },
    }
    let config = pull::Config {
        durable_name: Some(CONSUMER.to_owned()),
        ack_policy: AckPolicy::Explicit,
        ack_wait: ACK_WAIT,
        filter_subject: feed.settings.subject(),
        max_ack_pending: MAX_HELD,
        ..pull::Config::default()
    };
    let created = stream.create_consumer(config).await;
    created.map_err(|error| failed("the consumer of the feed cannot be created", error))?;
    Ok(())
}

/// Returns the number of a delivery in the consumer, and the position of the message.
fn position(message: Message) -> Result<(u64, FeedPosition), Error> {
    let no_sequence = || Error::new(ErrorKind::Storage, "a message of the feed has no sequence");
    let (number, sequence) = match message.info() {
        Ok(info) => (info.consumer_sequence, info.stream_sequence),
        Err(error) => return Err(no_sequence().with_source(error)),
    };
    let async_nats::Message { reply, payload, .. } = message.message;
    let reply = reply.ok_or_else(no_sequence)?;
    Ok((number, FeedPosition { sequence, reply, stored: payload }))
}

fn gap() -> Error {
    Error::new(ErrorKind::Storage, "messages of the feed were lost on the way, and are read again")
}

impl fmt::Debug for FeedReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedReader").field("feed", &self.feed).finish_non_exhaustive()
    }
}

/// Omits the message, which contains personal data.
impl fmt::Debug for FeedPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedPosition").field("sequence", &self.sequence).finish_non_exhaustive()
    }
}
