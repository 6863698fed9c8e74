//! A durable queue for many processes, on NATS JetStream (feature `jetstream`).
//!
//! When the memory and the disk of one machine are not enough, [`Producer`]s append batches to a stream, and a few
//! [relays](crate::relay) deliver them. The guide explains [how to send from a fleet](crate::guide::fleet), what an
//! acknowledged batch has survived, and which versions of the server to use.
//!
//! # Examples
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use mparticle_client::Client;
//! use mparticle_client::jetstream::{JetStream, Producer};
//! use mparticle_client::models::{Batch, Environment};
//! use std::time::Duration;
//!
//! let servers = ["nats://a.example.com", "nats://b.example.com"];
//! let jetstream = JetStream::connect(servers).await?;
//! let feed = jetstream.feed("web-prod").replicas(3).max_bytes(8 << 30).ensure().await?;
//!
//! // In the producers, which need no credentials of mParticle:
//! let producer =
//!     Producer::builder(feed.clone()).environment(Environment::Production).build();
//! producer.send(Batch::from_str(r#"{ "mpid": 42 }"#)?).await?;
//!
//! // In the relays:
//! let relay = Client::from_env()?.relay(feed.clone()).concurrency(8).start().await?;
//! println!("{:?}", relay.stats());
//! relay.shutdown(Duration::from_secs(10)).await;
//!
//! // Batches that mParticle refused:
//! for letter in feed.dead_letters().list(100).await? {
//!     println!("{}: {}", letter.source_request_id, letter.reason);
//!     feed.dead_letters().redrive(letter.id).await?;
//! }
//! # Ok(())
//! # }
//! ```

// `connection` connects, `feed` creates the streams that `settings` describes, and `producer` appends to them in the order
// of `user_order`. `reader` is the reader of a relay: it holds the `lease`, requests messages with `pull`, checks their
// sequence with `deliveries`, and stores what was not delivered as `dead_letters`.

mod connection;
mod dead_letters;
mod deliveries;
mod errors;
mod feed;
mod lease;
mod lease_record;
mod producer;
mod pull;
mod reader;
mod send_error;
mod settings;
mod user_order;

pub use connection::{JetStream, JetStreamBuilder};
pub use dead_letters::{DeadLetter, DeadLetters};
pub use feed::{Feed, FeedBuilder, FeedStats};
pub use producer::{Producer, ProducerBuilder};
pub use send_error::SendError;
