//! The time of day, and deadlines that may be far away or absent.

use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, sleep_until};

/// Returns the time of day. Tests replace it.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Replaces longer waits, which could overflow a clock.
const FAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Returns the instant `wait` after `start`. A wait of more than a year is treated as a year.
pub(crate) fn after(start: Instant, wait: Duration) -> Instant {
    start + wait.min(FAR)
}

/// Sleeps until an instant, or forever if there is none.
pub(crate) async fn sleep_until_some(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
