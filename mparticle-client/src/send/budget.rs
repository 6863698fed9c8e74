//! How many retries all uploads of a client may make together.
//!
//! When the server is down every upload fails and every one wants to try again, which multiplies the load just when it
//! hurts. A shared budget bounds that: each retry takes a token, and tokens come back with time and with successes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// One retry. Tokens are counted in billionths, so a nanosecond is worth one of them and nothing is ever rounded.
const TOKEN: u64 = 1_000_000_000;
/// How many retries a client can make at once.
const CAPACITY: u64 = 100 * TOKEN;
/// What a nanosecond brings back: a token per second.
const PER_NANOSECOND: u64 = TOKEN / 1_000_000_000;
/// What a success brings back: a tenth of a token.
const PER_SUCCESS: u64 = TOKEN / 10;

/// The retries that all clones of a client have left. Its clones share it, too.
#[derive(Clone, Debug, Default)]
pub(crate) struct RetryBudget {
    bucket: Arc<Mutex<BucketState>>,
}

/// A token that is put back when it is dropped before it was spent.
#[derive(Debug)]
#[must_use]
pub(crate) struct Withdrawal {
    budget: RetryBudget,
    spent: bool,
}

/// What is in the bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
struct BucketState {
    tokens: u64,
    /// Tokens that are withdrawn and neither spent nor back. Their place is not refilled, so that putting one back
    /// makes the bucket what it would have been without the withdrawal.
    withdrawn: u64,
    /// Up to when time was credited.
    refilled: Option<Instant>,
}

impl RetryBudget {
    /// Takes a token for a retry; `None` when there is none.
    pub(crate) fn withdraw(&self, now: Instant) -> Option<Withdrawal> {
        let taken = self.lock().withdraw(now);
        taken.then(|| Withdrawal { budget: self.clone(), spent: false })
    }

    /// Credits an upload that succeeded.
    pub(crate) fn succeeded(&self, now: Instant) {
        self.lock().succeeded(now);
    }

    fn lock(&self) -> MutexGuard<'_, BucketState> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Withdrawal {
    /// Uses the token up, because the retry is being sent.
    pub(crate) fn spend(mut self) {
        self.spent = true;
    }
}

impl Drop for Withdrawal {
    fn drop(&mut self) {
        let mut bucket = self.budget.lock();
        if self.spent {
            bucket.spend();
        } else {
            bucket.put_back();
        }
    }
}

impl BucketState {
    fn withdraw(&mut self, now: Instant) -> bool {
        self.refill(now);
        let Some(rest) = self.tokens.checked_sub(TOKEN) else { return false };
        self.tokens = rest;
        self.withdrawn = self.withdrawn.saturating_add(TOKEN);
        true
    }

    fn spend(&mut self) {
        self.withdrawn = self.withdrawn.saturating_sub(TOKEN);
    }

    fn put_back(&mut self) {
        self.withdrawn = self.withdrawn.saturating_sub(TOKEN);
        self.add(TOKEN);
    }

    fn succeeded(&mut self, now: Instant) {
        self.refill(now);
        self.add(PER_SUCCESS);
    }

    fn refill(&mut self, now: Instant) {
        let refilled = *self.refilled.get_or_insert(now);
        let nanos = now.saturating_duration_since(refilled).as_nanos();
        self.refilled = Some(refilled.max(now));
        self.add(u64::try_from(nanos).unwrap_or(u64::MAX).saturating_mul(PER_NANOSECOND));
    }

    fn add(&mut self, tokens: u64) {
        let room = CAPACITY.saturating_sub(self.withdrawn);
        self.tokens = self.tokens.saturating_add(tokens).min(room);
    }
}

impl Default for BucketState {
    fn default() -> Self {
        Self { tokens: CAPACITY, withdrawn: 0, refilled: None }
    }
}

#[cfg(test)]
mod tests;
