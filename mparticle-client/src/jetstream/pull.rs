//! Requests messages from a consumer.
//!
//! The client of NATS ends a request when its time is over, and then drops messages that were not read yet. A relay reads
//! nothing during an outage, which may last for hours. This file therefore requests messages only when they are read.

use super::connection::ANSWER_TIME;
use super::errors::failed;
use crate::{Error, ErrorKind};
use async_nats::jetstream::{Context, Message};
use async_nats::{StatusCode, Subscriber};
use futures_util::StreamExt;
use serde::Serialize;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

/// The number of messages in a request.
const MESSAGES: usize = 500;

/// The time after which a request without enough messages ends.
const EXPIRES: Duration = Duration::from_secs(5);

/// The interval at which the server reports that a request is still open.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// The time without any message from the server after which the request is made again.
const SILENCE: Duration = Duration::from_millis(2_500);

/// How often a request is made again before the reader fails.
const MAX_SILENCES: u32 = 4;

/// A consumer from which messages are requested.
pub(super) struct Pull {
    context: Context,
    /// The subject of requests.
    subject: String,
    /// The prefix of the subjects of responses. The number of the request follows.
    inbox: String,
    responses: Subscriber,
    /// The number of the last request.
    request: u64,
    /// The number of messages that the last request can still yield.
    outstanding: usize,
    /// When the last message from the server arrived, or the last request was sent. The future of [`next`](Self::next) may
    /// be dropped and created again many times in a silence.
    heard_at: Instant,
    silences: u32,
}

/// The body of a request.
#[derive(Serialize)]
struct PullRequest {
    batch: usize,
    expires: u64,
    idle_heartbeat: u64,
}

impl Pull {
    pub(super) async fn new(context: Context, stream: &str, consumer: &str) -> Result<Self, Error> {
        let client = context.client();
        let inbox = client.new_inbox();
        let responses = client
            .subscribe(format!("{inbox}.*"))
            .await
            .map_err(|error| failed("the consumer of the feed cannot be read", error))?;
        let subject = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}");
        Ok(Self {
            context,
            subject,
            inbox,
            responses,
            request: 0,
            outstanding: 0,
            heard_at: Instant::now(),
            silences: 0,
        })
    }

    /// Returns the next message, or `None` if there was none for the time of a request. The future can be dropped without
    /// losing a message.
    pub(super) async fn next(&mut self) -> Result<Option<Message>, Error> {
        loop {
            if self.outstanding == 0 {
                self.send_request().await?;
            }
            let silence = self.heard_at + SILENCE;
            let Ok(response) = timeout_at(silence, self.responses.next()).await else {
                self.silence()?;
                continue;
            };
            let message = response.ok_or_else(closed)?;
            self.heard_at = Instant::now();
            self.silences = 0;
            let Some(status) = message.status.filter(|status| *status != StatusCode::OK) else {
                self.outstanding = self.outstanding.saturating_sub(1);
                return Ok(Some(Message { message, context: self.context.clone() }));
            };
            if status == StatusCode::IDLE_HEARTBEAT || !self.is_current(&message.subject) {
                continue;
            }
            self.outstanding = 0;
            return match status {
                StatusCode::TIMEOUT | StatusCode::NOT_FOUND => Ok(None),
                _ => Err(ended(status, message.description.as_deref())),
            };
        }
    }

    async fn send_request(&mut self) -> Result<(), Error> {
        let request = PullRequest {
            batch: MESSAGES,
            expires: nanos(EXPIRES),
            idle_heartbeat: nanos(HEARTBEAT),
        };
        let body = serde_json::to_vec(&request).unwrap_or_default();
        // Set first: if the future is dropped while it sends, the request may have been sent.
        self.request += 1;
        self.outstanding = MESSAGES;
        self.heard_at = Instant::now();
        let reply = format!("{}.{}", self.inbox, self.request);
        let client = self.context.client();
        let sent = client.publish_with_reply(self.subject.clone(), reply, body.into());
        timeout(ANSWER_TIME, sent)
            .await
            .map_err(|_| silent())?
            .map_err(|error| failed("messages cannot be requested", error))
    }

    /// Handles that nothing arrived for some time: makes the request again, because it may have been lost.
    fn silence(&mut self) -> Result<(), Error> {
        self.silences += 1;
        self.outstanding = 0;
        if self.silences < MAX_SILENCES { Ok(()) } else { Err(silent()) }
    }

    /// Whether a status belongs to the last request.
    fn is_current(&self, subject: &str) -> bool {
        let number = subject.rsplit('.').next().and_then(|number| number.parse().ok());
        number == Some(self.request)
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn ended(status: StatusCode, description: Option<&str>) -> Error {
    let text = description.unwrap_or("no description");
    let message = format!("the consumer of the feed has ended: status {status}, {text}");
    Error::new(ErrorKind::Storage, message)
}

fn silent() -> Error {
    Error::new(ErrorKind::Storage, "the NATS server does not answer requests for messages")
}

fn closed() -> Error {
    Error::new(ErrorKind::Storage, "the connection to NATS was closed")
}
