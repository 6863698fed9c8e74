//! The function of the caller that receives outcomes, on a thread of its own.

use super::BatchResult;
use super::capacity::Permit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;
use std::{io, thread};

/// What the caller of [`QueueBuilder::on_outcome`](super::QueueBuilder::on_outcome) gave.
pub(super) type HookFunction = Arc<dyn Fn(&BatchResult) + Send + Sync>;

/// Calls the function with each outcome, in order. A function that blocks delays nothing but later calls.
///
/// An outcome keeps the capacity of its batch until the function returns. The memory of outcomes is therefore bounded as
/// that of batches is.
pub(super) struct OutcomeHook {
    outcomes: mpsc::Sender<(BatchResult, Permit)>,
    /// How many outcomes were sent to the thread.
    sent: AtomicU64,
    progress: Arc<HookProgress>,
}

/// How many calls have returned.
#[derive(Default)]
pub(super) struct HookProgress {
    returned: Mutex<u64>,
    changed: Condvar,
}

impl HookProgress {
    pub(super) fn returned(&self) -> u64 {
        *self.lock()
    }

    /// Blocks the thread until a number of calls have returned, or a time is over.
    pub(super) fn wait(&self, calls: u64, timeout: Duration) {
        // The result says which of the two happened, and so does `returned`.
        _ = self.changed.wait_timeout_while(self.lock(), timeout, |returned| *returned < calls);
    }

    fn call_returned(&self) {
        *self.lock() += 1;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.returned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OutcomeHook {
    /// Starts the thread. It ends when this is dropped and the last call has returned.
    pub(super) fn start(function: HookFunction) -> io::Result<Self> {
        let (outcomes, received) = mpsc::channel::<(BatchResult, Permit)>();
        let progress = Arc::new(HookProgress::default());
        let run = {
            let progress = Arc::clone(&progress);
            move || {
                for (result, permit) in received {
                    // Nothing of the queue is shared with the function, so nothing can be left in a broken state.
                    if catch_unwind(AssertUnwindSafe(|| function(&result))).is_err() {
                        tracing::error!("the outcome hook of the queue panicked");
                    }
                    drop(permit);
                    progress.call_returned();
                }
            }
        };
        thread::Builder::new().name("mparticle-outcomes".to_owned()).spawn(run)?;
        Ok(Self { outcomes, sent: AtomicU64::new(0), progress })
    }

    pub(super) fn call(&self, result: BatchResult, permit: Permit) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        // The thread receives until this is dropped.
        _ = self.outcomes.send((result, permit));
    }

    /// Returns how many outcomes were sent so far.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(super) fn progress(&self) -> &Arc<HookProgress> {
        &self.progress
    }
}
