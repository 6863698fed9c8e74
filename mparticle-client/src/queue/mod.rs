//! A queue that delivers batches in the background (feature `queue`).
//!
//! A request handler passes a batch to [`Queue::try_send`], [`Queue::send_timeout`] or [`Queue::send`], and does not
//! wait for the network. A background worker joins, packs and delivers the batches, and reports the outcome of each.
//!
//! The guide explains [how to use a queue in a service](crate::guide::sending_from_a_service).
//!
//! # Examples
//! ```
//! use mparticle_client::Client;
//! use mparticle_client::models::{Batch, Environment};
//! use std::time::Duration;
//!
//! # async fn example(client: Client) -> Result<(), Box<dyn std::error::Error>> {
//! let queue = client.queue().build().await?;
//! let batch = Batch::new(Environment::Production).with_mpid(12345);
//! let handle = queue.send_timeout(batch, Duration::from_millis(50)).await?;
//! assert!(handle.await.is_delivered());
//! queue.shutdown(Duration::from_secs(10)).await;
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//! 1. Every accepted batch has exactly one [`Outcome`], even if the runtime is dropped, the outcome hook panics or the
//!    worker panics. At all times, [`Stats`] satisfies
//!    `accepted + recovered == delivered + discarded + rejected + expired + dropped + pending`.
//! 2. The number and the size of the pending batches are limited.
//! 3. The batches of a user arrive in the order in which the queue accepted them.
//! 4. A batch that may have been sent is sent again with the same `source_request_id` and the same bytes, or not at
//!    all.
//! 5. The queue waits during outages and rate limits, and drops nothing. A failure for a reason outside the batches,
//!    such as status 401 or 404, pauses the queue. A batch that mParticle refuses does not prevent the delivery of
//!    others.
//! 6. With a spool (feature `spool`), 1 to 5 hold across a crash of the process or the machine, for every batch that
//!    [`Queue::send`] has accepted.

// The steps from a call to an outcome:
//
//   handle       acquires capacity, encodes the batch, and creates a `PendingBatch` with its `Completion`
//   store        with a spool, writes the batch to disk
//   shared       passes the batch to the worker
//   accumulator  joins batches of one user and collects batches for a request
//   delivery     creates a `SealedBatch`, writes a seal to the spool, and passes the documents to `crate::dispatch`
//   completion   reports the outcome to the counts, the handle and the outcome hook

mod accumulator;
mod builder;
mod capacity;
mod completion;
mod counts;
mod delivery;
mod delivery_handle;
mod encode;
mod handle;
mod ids;
mod outcome_hook;
mod pending_batch;
mod record;
#[cfg(feature = "spool")]
mod recovery;
mod report;
mod sealed_batch;
mod send_error;
mod shared;
mod stats;
pub(crate) mod store;
#[cfg(all(test, feature = "testing"))]
mod tests;
mod worker;

pub use crate::{BatchResult, Outcome};
pub use builder::QueueBuilder;
pub use delivery_handle::DeliveryHandle;
pub use handle::Queue;
#[cfg(feature = "spool")]
pub use recovery::Recovery;
pub use report::Report;
pub use send_error::SendError;
pub use stats::{Pause, Stats};
pub use worker::Worker;
