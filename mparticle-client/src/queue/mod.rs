//! A queue for services that must not wait for the network (feature `queue`).
//!
//! [`Client::queue`](crate::Client::queue) describes it. A handler gives a batch to [`Queue::send`] or
//! [`Queue::try_send`] and goes on; a worker in the background joins, packs and delivers, and tells the outcome of
//! every batch.
//!
//! What holds:
//! 1. Every batch that was accepted ends in exactly one [`Outcome`], also when the runtime is dropped, the hook panics or
//!    the worker does. At every moment [`Stats`] obeys
//!    `accepted + recovered == delivered + discarded + rejected + expired + dropped + pending`.
//! 2. What is pending is bounded by a number of batches and a number of bytes.
//! 3. Batches of one user arrive in the order in which they were accepted.
//! 4. What may have been sent is sent again with the same `source_request_id` and the same bytes, or not at all.
//! 5. Outages and rate limits wait, and never drop. 401 and 403 pause the queue. A batch that mParticle refuses is found
//!    and does not keep others from being delivered.
//! 6. With a spool (feature `spool`), 1 to 5 hold across a crash of the process or of the machine, for every batch that
//!    [`Queue::send`] has accepted.

// Inside: a batch becomes an `entry` with a `ticket` and a share of the `room`; `shared` hands it to the worker, by way of
// the `spool` if there is one. The worker (`engine`) lets batches of one user join (`filling`), makes `parcel`s of them,
// waits for their turn, packs them with the client's chunker (`flight`) and sends them with the client's retry loop and
// rate limiter. Whatever happens to a ticket, it is settled, once, at the latest by being dropped.

mod builder;
mod chunk;
mod delivery_handle;
mod engine;
mod entry;
mod filling;
mod flight;
mod handle;
mod hook;
mod ids;
mod order;
mod parcel;
#[cfg(feature = "spool")]
mod record;
#[cfg(feature = "spool")]
mod recovery;
mod report;
mod room;
mod send_error;
mod shared;
#[cfg(feature = "spool")]
mod spool;
#[cfg(not(feature = "spool"))]
#[path = "no_spool.rs"]
mod spool;
mod stats;
#[cfg(feature = "spool")]
mod store;
#[cfg(all(test, feature = "testing"))]
mod tests;
mod ticket;
mod worker;

pub use crate::{BatchResult, Outcome};
pub use builder::QueueBuilder;
pub use delivery_handle::DeliveryHandle;
pub use handle::Queue;
#[cfg(feature = "spool")]
pub use recovery::Recovery;
pub use report::Report;
pub use send_error::SendError;
pub use stats::Stats;
pub use worker::Worker;
