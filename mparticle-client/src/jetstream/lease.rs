//! The lease of a feed: at most one relay reads it at a time.
//!
//! The lease is a value that disappears if it is not renewed. It is acquired and renewed only if its sequence is the
//! expected one. Neither order nor completeness depend on it: if two relays read the feed for a moment, batches are sent
//! twice with the same ids. It avoids that as a rule.

use super::errors::{failed, timed_out};
use super::feed::Feed;
use super::lease_record::{Availability, LeaseRecord, availability};
use crate::{Error, ErrorKind, RateLimiter};
use async_nats::HeaderMap;
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::stream::{LastRawMessageErrorKind, Stream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// A relay that waits looks at the lease ten times in the time of a lease, and at least twice a second.
const MAX_POLL: Duration = Duration::from_millis(500);

const EXPECTED_SEQUENCE: &str = "Nats-Expected-Last-Subject-Sequence";

/// The lease, which a task renews until this is dropped.
pub(super) struct Lease {
    is_lost: Arc<AtomicBool>,
    release: Option<oneshot::Sender<oneshot::Sender<()>>>,
    task: JoinHandle<()>,
}

/// The access to the value of the lease.
struct LeaseStore {
    feed: Feed,
    stream: Stream,
    owner: String,
    limiter: RateLimiter,
}

/// The result of writing the lease.
enum Written {
    Stored {
        sequence: u64,
    },
    /// The sequence of the value is not the expected one.
    Conflict,
}

impl Lease {
    /// Waits until the lease is free, and acquires it. Restores the state of the rate limiter of the last owner.
    pub(super) async fn acquire(feed: &Feed, limiter: &RateLimiter) -> Result<Self, Error> {
        let store = LeaseStore {
            stream: feed.stream(feed.settings.lease_stream()).await?,
            feed: feed.clone(),
            owner: uuid::Uuid::new_v4().to_string(),
            limiter: limiter.clone(),
        };
        let poll = (feed.settings.lease / 10).min(MAX_POLL);
        let mut last_owner = None;
        loop {
            let last = store.last().await?;
            let seen = last.as_ref().map(|(sequence, record)| (*sequence, record.as_ref()));
            let availability = availability(seen);
            if let Some((_, Some(record))) = last {
                last_owner = Some(record);
            }
            if let Availability::Free { last_sequence } = availability {
                let acquired_at = Instant::now();
                if let Written::Stored { sequence } = store.write(last_sequence, false).await? {
                    if let Some(record) = last_owner {
                        limiter.restore(&record.limiter());
                    }
                    return Ok(Self::hold(store, sequence, acquired_at));
                }
            }
            sleep(poll.mul_f64(0.5 + fastrand::f64())).await;
        }
    }

    fn hold(store: LeaseStore, sequence: u64, acquired_at: Instant) -> Self {
        let is_lost = Arc::new(AtomicBool::new(false));
        let lost = Arc::clone(&is_lost);
        let (release, released) = oneshot::channel::<oneshot::Sender<()>>();
        let task = tokio::spawn(async move {
            let mut sequence = sequence;
            tokio::select! {
                () = store.renew(&mut sequence, acquired_at) => lost.store(true, Ordering::Relaxed),
                Ok(done) = released => {
                    // If the lease cannot be released, it expires.
                    _ = store.write(sequence, true).await;
                    _ = done.send(());
                }
            }
        });
        Self { is_lost, release: Some(release), task }
    }

    /// Returns an error if the lease is lost.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.is_lost.load(Ordering::Relaxed) { Err(lost()) } else { Ok(()) }
    }

    /// Gives the lease back, with the state of the rate limiter.
    pub(super) async fn release(mut self) {
        let (done, is_done) = oneshot::channel();
        if let Some(release) = self.release.take() {
            // The task has ended if the lease is lost.
            _ = release.send(done);
            _ = is_done.await;
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl LeaseStore {
    /// Renews the lease until it is lost.
    async fn renew(&self, sequence: &mut u64, acquired_at: Instant) {
        let lease = self.feed.settings.lease;
        let mut renewed_at = acquired_at;
        let mut next = acquired_at + lease / 3;
        loop {
            sleep_until(next).await;
            let began = Instant::now();
            let written = timeout(lease / 3, self.write(*sequence, false)).await;
            match written {
                Ok(Ok(Written::Stored { sequence: stored })) => {
                    *sequence = stored;
                    renewed_at = began;
                    next = began + lease / 3;
                    continue;
                }
                // An earlier renewal may have been stored although its response was lost.
                Ok(Ok(Written::Conflict)) => match timeout(lease / 3, self.last()).await {
                    Ok(Ok(Some((stored, Some(record))))) if record.owner == self.owner => {
                        *sequence = stored;
                    }
                    Ok(Ok(_)) => return,
                    Ok(Err(_)) | Err(_) => {}
                },
                Ok(Err(_)) | Err(_) => {}
            }
            let now = Instant::now();
            if now >= renewed_at + lease {
                return;
            }
            next = now + lease / 20;
        }
    }

    /// Returns the sequence and the value of the lease, if there is one.
    async fn last(&self) -> Result<Option<(u64, Option<LeaseRecord>)>, Error> {
        let subject = self.feed.settings.lease_subject();
        match self.stream.get_last_raw_message_by_subject(&subject).await {
            Ok(message) => Ok(Some((message.sequence, LeaseRecord::from_bytes(&message.payload)))),
            Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
            Err(error) => Err(failed("the lease of the feed cannot be read", error)),
        }
    }

    /// Writes the lease if the sequence of the last value is the expected one.
    async fn write(&self, expected: u64, released: bool) -> Result<Written, Error> {
        let record = LeaseRecord::new(&self.owner, released, &self.limiter.snapshot());
        let mut headers = HeaderMap::new();
        headers.insert(EXPECTED_SEQUENCE, expected.to_string());
        let (context, subject) = (&self.feed.jetstream.context, self.feed.settings.lease_subject());
        let publish = async {
            context.publish_with_headers(subject, headers, record.to_bytes().into()).await?.await
        };
        let what = "the lease of the feed cannot be written";
        match timeout(self.feed.settings.lease, publish).await {
            Ok(Ok(ack)) => Ok(Written::Stored { sequence: ack.sequence }),
            Ok(Err(error)) if error.kind() == PublishErrorKind::WrongLastSequence => {
                Ok(Written::Conflict)
            }
            Ok(Err(error)) => Err(failed(what, error)),
            Err(_) => Err(timed_out(what)),
        }
    }
}

fn lost() -> Error {
    Error::new(ErrorKind::Storage, "another relay may read the feed: the lease was not renewed")
}
