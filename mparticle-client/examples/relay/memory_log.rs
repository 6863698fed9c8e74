//! A log in memory. It has the parts that every log has: records in order, and a reader that knows which are settled.

use bytes::Bytes;
use mparticle_client::relay::{BatchLog, LogError, LogReader, Settled};
use mparticle_client::{BatchResult, RateLimiter};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// A log in memory. Clones share the records.
#[derive(Clone, Default)]
pub(crate) struct MemoryLog {
    state: Arc<Mutex<State>>,
    appended: Arc<Notify>,
}

#[derive(Default)]
struct State {
    next: u64,
    records: BTreeMap<u64, Bytes>,
    undelivered: Vec<BatchResult>,
}

pub(crate) struct MemoryReader {
    log: MemoryLog,
    next: u64,
}

impl MemoryLog {
    pub(crate) fn append(&self, record: Bytes) {
        let mut state = self.lock();
        let number = state.next;
        state.records.insert(number, record);
        state.next += 1;
        self.appended.notify_one();
    }

    /// Returns the number of records that are not settled.
    pub(crate) fn pending(&self) -> usize {
        self.lock().records.len()
    }

    /// Returns the results of the batches that were not delivered.
    pub(crate) fn undelivered(&self) -> Vec<BatchResult> {
        self.lock().undelivered.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BatchLog for MemoryLog {
    type Reader = MemoryReader;

    async fn open(&self, _: &RateLimiter) -> Result<MemoryReader, LogError> {
        Ok(MemoryReader { log: self.clone(), next: 0 })
    }
}

impl LogReader for MemoryReader {
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
        for Settled { position, result, .. } in settled {
            state.records.remove(&position);
            if !result.is_delivered() {
                state.undelivered.push(result);
            }
        }
        Ok(())
    }
}
