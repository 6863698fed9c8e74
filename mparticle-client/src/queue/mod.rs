//! A queue for services that must not wait for the network (feature `queue`).
//!
//! A request handler gives a batch to [`Queue::try_send`], [`Queue::send_timeout`] or [`Queue::send`] and continues. A
//! worker in the background joins, packs and delivers the batches, and reports the outcome of each.
//!
//! The guide explains [how to use it in a service](crate::guide::sending_from_a_service).
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
//! 1. Every batch that was accepted ends in exactly one [`Outcome`], even if the runtime is dropped, the outcome hook
//!    panics or the worker panics. At every moment, [`Stats`] obeys
//!    `accepted + recovered == delivered + discarded + rejected + expired + dropped + pending`.
//! 2. A number of batches and a number of bytes bound what is pending.
//! 3. The batches of a user arrive in the order in which they were accepted.
//! 4. A batch that may have been sent is sent again with the same `source_request_id` and the same bytes, or not at all.
//! 5. The queue waits during outages and rate limits, and drops nothing. A failure that no batch is to blame for, such as
//!    status 401 or 404, pauses it. A batch that mParticle refuses does not keep others from being delivered.
//! 6. With a spool (feature `spool`), 1 to 5 hold across a crash of the process or the machine, for every batch that
//!    [`Queue::send`] has accepted.

// The way of a batch:
//
//   handle       takes capacity, encodes the batch, and makes a `PendingBatch` with its `Completion`
//   store        with a spool, writes the batch to disk
//   shared       hands the batch over to the worker
//   accumulator  joins batches of one user and collects batches for a request
//   delivery     makes a `SealedBatch` under one id, notes that in the spool, and gives its documents to `crate::dispatch`
//   completion   gives the batch its outcome, which goes to the counts, the handle and the outcome hook

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
