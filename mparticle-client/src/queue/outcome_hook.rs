//! The outcome hook: a function of the caller that receives outcomes on its own thread.

use super::BatchResult;
use super::capacity::Permit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;
use std::{io, thread};

/// The function that was passed to [`QueueBuilder::on_outcome`](super::QueueBuilder::on_outcome).
pub(super) type HookFunction = Arc<dyn Fn(&BatchResult) + Send + Sync>;

/// Calls the function with each outcome, in order. If the function blocks, only later calls are delayed.
///
/// An outcome keeps the capacity of its batch until the function returns. The limits of the queue therefore also limit
/// the memory that outcomes take.
pub(super) struct OutcomeHook {
    outcomes: mpsc::Sender<(BatchResult, Permit)>,
    /// The number of outcomes that were sent to the thread.
    sent: AtomicU64,
    progress: Arc<HookProgress>,
}

/// The number of calls that have returned.
#[derive(Default)]
pub(super) struct HookProgress {
    returned: Mutex<u64>,
    changed: Condvar,
}

impl HookProgress {
    pub(super) fn returned(&self) -> u64 {
        *self.lock()
    }

    /// Blocks the thread until a number of calls have returned, or until the timeout elapses.
    pub(super) fn wait(&self, calls: u64, timeout: Duration) {
        // The result is not needed, because `returned` provides the same information.
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
    /// Starts the thread. The thread ends when the hook was dropped and the last call has returned.
    pub(super) fn start(function: HookFunction) -> io::Result<Self> {
        let (outcomes, received) = mpsc::channel::<(BatchResult, Permit)>();
        let progress = Arc::new(HookProgress::default());
        let run = {
            let progress = Arc::clone(&progress);
            move || {
                for (result, permit) in received {
                    // The function shares no state with the queue. A panic therefore leaves no state inconsistent.
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
        // The thread receives until the hook is dropped. Sending therefore succeeds.
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
