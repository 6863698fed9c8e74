//! A log in memory that one relay reads at a time, with a lease that passes on the state of the rate limiter.

use crate::memory_log::{MemoryLog, MemoryReader};
use bytes::Bytes;
use mparticle_client::relay::{BatchLog, LogError, LogReader, Settled};
use mparticle_client::{RateLimiter, RateLimiterSnapshot};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The time of the lease.
const LEASE: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub(crate) struct SharedLog {
    pub(crate) records: MemoryLog,
    lease: Arc<Mutex<Lease>>,
}

struct Lease {
    /// When the lease is free.
    free_at: Option<Instant>,
    limiter: RateLimiterSnapshot,
    owned_since: Option<Instant>,
    owned: Duration,
}

pub(crate) struct SharedReader {
    log: SharedLog,
    records: MemoryReader,
    limiter: RateLimiter,
    is_closed: bool,
}

impl SharedLog {
    pub(crate) fn new() -> Self {
        let lease = Lease {
            free_at: Some(Instant::now()),
            limiter: RateLimiterSnapshot::default(),
            owned_since: None,
            owned: Duration::ZERO,
        };
        Self { records: MemoryLog::default(), lease: Arc::new(Mutex::new(lease)) }
    }

    /// Returns how long a relay has held the lease.
    pub(crate) fn owned(&self) -> Duration {
        let lease = self.lease();
        lease.owned + lease.owned_since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn lease(&self) -> MutexGuard<'_, Lease> {
        self.lease.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the lease if it is free.
    fn acquire(&self, limiter: &RateLimiter) -> bool {
        let mut lease = self.lease();
        let now = Instant::now();
        let is_free = lease.free_at.is_some_and(|at| at <= now);
        if is_free {
            lease.free_at = None;
            lease.owned_since = Some(now);
            limiter.restore(&lease.limiter);
        }
        is_free
    }
}

impl BatchLog for SharedLog {
    type Reader = SharedReader;

    async fn open(&self, limiter: &RateLimiter) -> Result<SharedReader, LogError> {
        while !self.acquire(limiter) {
            sleep(LEASE / 10).await;
        }
        let records = self.records.open(limiter).await?;
        Ok(SharedReader { log: self.clone(), records, limiter: limiter.clone(), is_closed: false })
    }
}

impl LogReader for SharedReader {
    type Position = u64;

    async fn read(&mut self) -> Result<(u64, Bytes), LogError> {
        self.records.read().await
    }

    async fn settle(&mut self, settled: Vec<Settled<u64>>) -> Result<(), LogError> {
        self.records.settle(settled).await
    }

    /// Renews the lease.
    fn check(&mut self) -> Result<(), LogError> {
        self.log.lease().limiter = self.limiter.snapshot();
        Ok(())
    }

    async fn close(mut self) {
        self.log.lease().limiter = self.limiter.snapshot();
        self.is_closed = true;
    }
}

/// A reader that was not closed belonged to a relay that was killed. Its lease has to expire.
impl Drop for SharedReader {
    fn drop(&mut self) {
        let mut lease = self.log.lease();
        let since = lease.owned_since.take();
        lease.owned += since.map_or(Duration::ZERO, |since| since.elapsed());
        let wait = if self.is_closed { Duration::ZERO } else { LEASE };
        lease.free_at = Some(Instant::now() + wait);
    }
}
