//! A chunk on its way: as one request, or in halves if mParticle finds fault with it.

use super::Deliver;
use super::intake::Sealed;
use super::ledger::{Item, Ledger};
use crate::encoding::chunk::Chunk;
use crate::order::Turn;
use crate::{EncodedRequest, Endpoint, Error, ErrorKind, Receipt};
use std::ops::Range;
use std::time::Duration;

/// The shortest wait before a request is sent again, lest a `Retry-After` of zero make it busy.
const MIN_WAIT: Duration = Duration::from_secs(1);

/// A chunk with all that belongs to it. Its batches are settled in order.
pub(super) struct Flight {
    pub(super) turn: Turn,
    endpoint: Endpoint,
    chunk: Chunk,
    /// What is not settled yet.
    items: std::vec::IntoIter<Item>,
    /// Which batches go next, the first ones last.
    stretches: Vec<Range<usize>>,
}

/// A request that has ended.
pub(super) struct Landed {
    flight: Flight,
    stretch: Range<usize>,
    result: Result<Receipt, Error>,
}

impl Flight {
    pub(super) fn new(turn: Turn, endpoint: Endpoint, sealed: Sealed) -> Self {
        let Sealed { chunk, items } = sealed;
        let all = 0..chunk.len();
        let stretches = vec![all];
        Self { turn, endpoint, chunk, items: items.into_iter(), stretches }
    }

    /// Whether a request remains to be made.
    pub(super) fn goes_on(&self) -> bool {
        !self.stretches.is_empty()
    }

    /// Makes the next request; one that mParticle does not want yet is made again, as long as patience lasts.
    pub(super) async fn send<D: Deliver>(mut self, deliver: &D, mut patience: Duration) -> Landed {
        let stretch = self.stretches.pop().unwrap_or_default();
        let Some((body, ids)) = self.chunk.part(stretch.clone()) else {
            let result = Err(Error::new(ErrorKind::Invalid, "the request has no batches"));
            return Landed { flight: self, stretch, result };
        };
        let unsent = EncodedRequest::new(self.endpoint, body, ids);
        let result = loop {
            let result = deliver.deliver(unsent.clone()).await;
            let Some(wait) = wait_after(&result).filter(|wait| *wait <= patience) else {
                break result;
            };
            patience = patience.saturating_sub(wait);
            tokio::time::sleep(wait).await;
        };
        Landed { flight: self, stretch, result }
    }

    /// Settles everything that was not sent.
    pub(super) fn abandon(&mut self, error: &Error, ledger: &mut Ledger<'_>) {
        self.stretches.clear();
        let first = self.chunk.len() - self.items.len();
        let ids = self.chunk.ids().iter().skip(first);
        for (item, id) in self.items.by_ref().zip(ids) {
            ledger.fail(item, id, error);
        }
    }
}

impl Landed {
    /// Settles the batches of the request, or halves it.
    pub(super) fn settle(self, ledger: &mut Ledger<'_>) -> Flight {
        let Self { mut flight, stretch, result } = self;
        let ids = flight.chunk.ids().iter().skip(stretch.start).take(stretch.len());
        match result {
            Ok(receipt) => {
                for (id, item) in ids.zip(flight.items.by_ref()) {
                    ledger.deliver(&item, id, &receipt);
                }
            }
            Err(error) if stretch.len() > 1 && error.blames_the_data() => {
                let middle = stretch.start + stretch.len() / 2;
                flight.stretches.push(middle..stretch.end);
                flight.stretches.push(stretch.start..middle);
            }
            Err(error) => {
                ledger.learn(&error);
                for (id, item) in ids.zip(flight.items.by_ref()) {
                    ledger.fail(item, id, &error);
                }
            }
        }
        flight
    }
}

/// How long to wait before the same request is made again.
fn wait_after(result: &Result<Receipt, Error>) -> Option<Duration> {
    let error = result.as_ref().err()?;
    let wait = error.retry_after().filter(|_| error.kind() == ErrorKind::RateLimited)?;
    Some(wait.max(MIN_WAIT))
}
