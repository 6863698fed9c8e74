//! A relay: delivers encoded batches from a log.
//!
//! Producers [encode](crate::Client::encode) batches and append them to a log: a stream of NATS JetStream, a partition of
//! Kafka, a table. A relay reads the log, packs the batches of many producers into few requests, sends them, and tells
//! the log which batches are settled. It sends the stored bytes and parses no batch.
//!
//! A program implements [`BatchLog`] and [`LogReader`] for its log.
#![cfg_attr(
    feature = "jetstream",
    doc = "The module [`jetstream`](crate::jetstream) implements them for NATS JetStream."
)]
//!
//! # Guarantees
//! 1. A batch is sent until mParticle answers 2xx, mParticle refuses it, or it is 25 days old. Every attempt sends the
//!    same bytes with the same `source_request_id`.
//! 2. The batches of a user are sent in the order of the log, and a batch is sent only after the outcome of the earlier
//!    ones is known. If the reader is opened again after a failure, batches without an outcome are sent again, and
//!    mParticle recognizes those that had arrived.
//! 3. A batch that mParticle refuses does not prevent the delivery of others.
//! 4. Memory is limited: the relay reads only what the next requests can contain, and reads nothing during an outage.
//! 5. A failure for a reason outside the batches, such as status 401 or 404, closes the reader. Another process can then
//!    open one. The relay tries again after a minute.
//!
//! # Examples
//! The example [`relay`](https://github.com/mparticle-rs/mparticle/tree/main/mparticle-client/examples/relay)
//! contains a log in memory.
//!
//! ```no_run
//! # async fn example(log: impl mparticle_client::relay::BatchLog) -> Result<(), mparticle_client::Error> {
//! use mparticle_client::Client;
//! use std::time::Duration;
//!
//! let relay = Client::from_env()?
//!     .relay(log)
//!     .on_outcome(|result| {
//!         if let Some(error) = result.error() {
//!             eprintln!("{}: {error}", result.source_request_id());
//!         }
//!     })
//!     .start()
//!     .await?;
//!
//! // When the service stops:
//! let stats = relay.shutdown(Duration::from_secs(10)).await;
//! println!("{} delivered", stats.delivered);
//! # Ok(())
//! # }
//! ```

// `builder` configures, `handle` is what the caller holds, `supervisor` opens a reader again and again, and `delivery`
// feeds `crate::dispatch` from one reader.

mod builder;
mod delivery;
mod handle;
mod log;
mod stats;
mod supervisor;

pub use builder::RelayBuilder;
pub use handle::Relay;
pub use log::{BatchLog, LogError, LogReader, Settled};
pub use stats::{RelayState, RelayStats};
