//! The time of day, the age of batches, and deadlines that may be far away or absent.

use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, sleep_until};

/// Returns the time of day. Tests replace it.
pub(crate) type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The time after the acceptance of a batch in which it may be sent.
///
/// mParticle recognizes a `source_request_id` for 30 days. The difference is a margin for clocks that differ.
pub(crate) const MAX_AGE: Duration = Duration::from_secs(25 * 24 * 60 * 60);

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
