//! A log in memory that one relay reads at a time, with a lease that passes on the state of the rate limiter.

use bytes::Bytes;
use mparticle_client::relay::{BatchLog, LogError, LogReader, Settled};
use mparticle_client::{RateLimiter, RateLimiterSnapshot};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

/// The time of the lease.
const LEASE: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(crate) struct SharedLog {
    state: Arc<Mutex<State>>,
    appended: Arc<Notify>,
}

struct State {
    next: u64,
    records: BTreeMap<u64, Bytes>,
    /// When the lease is free.
    free_at: Option<Instant>,
    limiter: RateLimiterSnapshot,
    owned_since: Option<Instant>,
    owned: Duration,
}

pub(crate) struct SharedReader {
    log: SharedLog,
    limiter: RateLimiter,
    next: u64,
    is_closed: bool,
}

impl SharedLog {
    pub(crate) fn new() -> Self {
        let state = State {
            next: 0,
            records: BTreeMap::new(),
            free_at: Some(Instant::now()),
            limiter: RateLimiterSnapshot::default(),
            owned_since: None,
            owned: Duration::ZERO,
        };
        Self { state: Arc::new(Mutex::new(state)), appended: Arc::default() }
    }

    pub(crate) fn append(&self, record: Bytes) {
        let mut state = self.lock();
        let number = state.next;
        state.records.insert(number, record);
        state.next += 1;
        self.appended.notify_one();
    }

    pub(crate) fn pending(&self) -> usize {
        self.lock().records.len()
    }

    /// Returns how long a relay has held the lease.
    pub(crate) fn owned(&self) -> Duration {
        let state = self.lock();
        state.owned + state.owned_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BatchLog for SharedLog {
    type Reader = SharedReader;

    async fn open(&self, limiter: &RateLimiter) -> Result<SharedReader, LogError> {
        loop {
            {
                let mut state = self.lock();
                let now = Instant::now();
                if state.free_at.is_some_and(|at| at <= now) {
                    state.free_at = None;
                    state.owned_since = Some(now);
                    limiter.restore(&state.limiter);
                    let (log, limiter) = (self.clone(), limiter.clone());
                    return Ok(SharedReader { log, limiter, next: 0, is_closed: false });
                }
            }
            sleep(LEASE / 10).await;
        }
    }
}

impl LogReader for SharedReader {
    type Position = u64;

    async fn read(&mut self) -> Result<(u64, Bytes), LogError> {
        loop {
            let found =
                self.log.lock().records.range(self.next..).next().map(|(n, r)| (*n, r.clone()));
            if let Some((number, record)) = found {
                self.next = number + 1;
                return Ok((number, record));
            }
            self.log.appended.notified().await;
        }
    }

    async fn settle(&mut self, settled: Vec<Settled<u64>>) -> Result<(), LogError> {
        let mut state = self.log.lock();
        for Settled { position, .. } in settled {
            state.records.remove(&position);
        }
        Ok(())
    }

    /// Renews the lease.
    fn check(&mut self) -> Result<(), LogError> {
        self.log.lock().limiter = self.limiter.snapshot();
        Ok(())
    }

    async fn close(mut self) {
        self.log.lock().limiter = self.limiter.snapshot();
        self.is_closed = true;
    }
}

/// A reader that was not closed belonged to a relay that was killed. Its lease has to expire.
impl Drop for SharedReader {
    fn drop(&mut self) {
        let mut state = self.log.lock();
        let since = state.owned_since.take();
        state.owned += since.map_or(Duration::ZERO, |since| since.elapsed());
        let wait = if self.is_closed { Duration::ZERO } else { LEASE };
        state.free_at = Some(Instant::now() + wait);
    }
}
