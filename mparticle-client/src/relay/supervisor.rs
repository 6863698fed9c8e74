//! Opens a reader of the log, delivers from it until it fails, and starts again.

use super::delivery::{Delivery, End, Hook};
use super::log::{BatchLog, LogReader, into_error};
use super::stats::{RelayState, SharedStats};
use crate::dispatch::{Dispatch, DispatchSettings};
use crate::send::{RequestSender, full_jitter};
use crate::{Error, RetryPolicy};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// The time before a relay reads again after a failure for a reason outside its batches. Another process with other
/// credentials can take over in the meantime.
const PAUSE: Duration = Duration::from_secs(60);

/// The maximum time for which a log may take to close a reader.
pub(super) const MAX_CLOSE_TIME: Duration = Duration::from_secs(2);

pub(super) struct Supervisor<L> {
    pub(super) log: L,
    pub(super) sender: Arc<RequestSender>,
    pub(super) settings: DispatchSettings,
    pub(super) hook: Option<Hook>,
    pub(super) stats: Arc<SharedStats>,
    /// The deadline of the shutdown.
    pub(super) stop: watch::Receiver<Option<Instant>>,
}

impl<L: BatchLog> Supervisor<L> {
    /// Runs until the relay is shut down.
    pub(super) async fn run(mut self) {
        let mut failures = 0;
        while !self.is_stopping() {
            self.stats.enter(RelayState::Standby);
            let limiter = self.sender.rate_limiter();
            let opened = tokio::select! {
                biased;
                _ = self.stop.changed() => break,
                opened = self.log.open(&limiter), if !self.sender.is_disabled() => opened,
            };
            let end = match opened {
                Ok(reader) => {
                    failures = 0;
                    self.deliver(reader).await
                }
                Err(error) => End::LogFailed(into_error(error)),
            };
            match end {
                End::Stopped => break,
                End::Halted(error) => self.pause(error).await,
                End::LogFailed(error) => {
                    failures += 1;
                    self.back_off(error, failures).await;
                }
            }
        }
        self.stats.enter(RelayState::Stopped);
    }

    fn is_stopping(&self) -> bool {
        self.stop.borrow().is_some()
    }

    async fn deliver(&mut self, mut reader: L::Reader) -> End {
        tracing::info!("the relay reads the log");
        self.stats.enter(RelayState::Active);
        let dispatch = Dispatch::new(Arc::clone(&self.sender), self.settings.clone());
        let stop = self.stop.clone();
        let (hook, stats) = (self.hook.clone(), Arc::clone(&self.stats));
        let delivery = Delivery { reader: &mut reader, dispatch, hook, stats, stop, halted: None };
        let end = delivery.run().await;
        self.stats.forgotten();
        let is_closed = timeout(MAX_CLOSE_TIME, reader.close()).await.is_ok();
        if !is_closed {
            tracing::warn!("the reader of the log could not be closed in time");
        }
        end
    }

    async fn pause(&mut self, error: Error) {
        tracing::error!("the relay pauses and closes its reader: {error}");
        self.stats.enter(RelayState::Paused { kind: error.kind(), status: error.status() });
        self.stats.failed(error);
        self.sleep(PAUSE).await;
    }

    async fn back_off(&mut self, error: Error, failures: u32) {
        self.stats.enter(RelayState::Standby);
        let policy = RetryPolicy::default().with_max_delay(Duration::from_secs(5));
        let wait = full_jitter(&policy, failures, &mut fastrand::Rng::new());
        tracing::warn!(?wait, "the relay opens the log again: {error:#}");
        self.stats.failed(error);
        self.sleep(wait).await;
    }

    /// Sleeps until the time has passed or the relay is shut down.
    async fn sleep(&mut self, time: Duration) {
        tokio::select! {
            () = sleep(time) => {}
            _ = self.stop.changed() => {}
        }
    }
}
