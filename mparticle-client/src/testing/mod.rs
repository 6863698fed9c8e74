//! An emulator of the Events API, for tests that must not reach mParticle.
//!
//! An [`Emulator`] checks requests, answers as mParticle documents, fails as a test scripts it, and records what it
//! received. It listens on a loopback socket, or receives requests in memory through its
//! [`transport`](Emulator::transport). Checks, scripts and records are the same in both cases.
//!
//! The guide has [examples for tests of a program](crate::guide::testing).
//!
//! # Examples
//! ```
//! use mparticle_client::testing::{Answer, Emulator};
//! use mparticle_client::transport::Transport;
//! # use base64::{Engine, engine::general_purpose::STANDARD};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let emulator = Emulator::builder()
//!     .credentials(mparticle_client::Credentials::new("key", "secret"))
//!     .in_memory();
//! emulator.script([Answer::status(429).retry_after(2)]);
//!
//! let request = http::Request::post(format!("{}/events", emulator.base_url()))
//!     .header("authorization", format!("Basic {}", STANDARD.encode("key:secret")))
//!     .header("content-type", "application/json")
//!     .body(bytes::Bytes::from(
//!         r#"{"environment":"production","source_request_id":"order-1"}"#,
//!     ))?;
//! let refused = emulator.transport().send(request.clone()).await?;
//! assert_eq!(refused.status(), 429);
//! let accepted = emulator.transport().send(request).await?;
//! assert_eq!(accepted.status(), 202);
//!
//! assert_eq!(emulator.requests().len(), 2);
//! emulator.assert_exactly_once(["order-1"]);
//! # Ok(())
//! # }
//! ```
//!
//! # Settings
//! | Setting | Default | Effect |
//! |---|---|---|
//! | [`credentials`](EmulatorBuilder::credentials) | arbitrary | the only credentials that are valid |
//! | [`rate_limit`](EmulatorBuilder::rate_limit) | none | a [`RateLimit`] in batches per second; [`Emulator::set_rate_limit`] changes it later |
//! | [`latency`](EmulatorBuilder::latency) | zero | the round-trip time of every request |
//! | [`bad_batches`](EmulatorBuilder::bad_batches) | [`RefuseRequest`](BadBatches::RefuseRequest) | the answer to a bulk request with an invalid batch |
//! | [`bare`](EmulatorBuilder::bare) | off | disables checks, scripts and records, for benchmarks and load tests; the rate limit, the latency and the [counters](Emulator::counts) remain |
//!
//! # Time
//! The emulator runs in the runtime that starts it, without additional threads. It uses Tokio's clock and therefore
//! works with paused time (`#[tokio::test(start_paused = true)]`): a latency, a `Retry-After` of an hour or a timeout
//! after [`Answer::hang`] takes no real time. The age of historical events is measured by the system clock, which Tokio
//! does not pause.
//!
//! # Documented and assumed behavior
//! The emulator is based on mParticle's documentation. No request was sent to mParticle to build it. If the
//! documentation leaves a question open, the emulator uses the stricter interpretation. A client that passes its checks
//! does not rely on leniency.
//!
//! | Request | Answer | Source |
//! |---|---|---|
//! | `POST` of valid batches to `/v2/events`, `/v2/bulkevents` or `/v2/bulkevents/historical` | 202 without a body | documented; the empty body is assumed |
//! | another path | 404 | assumed |
//! | another method | 405 with `Allow` | assumed |
//! | no `Authorization`, or a scheme other than `Basic` | 401 | documented for a missing header; assumed for another scheme |
//! | an invalid key or secret | 403 | documented |
//! | a content type other than `application/json` | 415 | assumed; the content type is documented |
//! | malformed JSON, or a required field is missing | 400 with `{"errors":[{"code":"BAD_REQUEST","message":...}]}` | documented, except for the text of the message |
//! | any other violation of the JSON Schema | 400 | assumed; limits are checked only if a source says that they are enforced |
//! | a bulk request with an invalid batch | 400 | assumed; [`BadBatches`] describes the alternative |
//! | a bulk request without a batch | 400 | assumed |
//! | more than 256,000 bytes, a batch of more than 128,000 bytes, or more than 100 batches | 400 | the limits are documented as 256 kb, 128 kb and 100; the status is assumed, and that a kb is 1,000 bytes |
//! | more than 10 MiB | 413 without latency; the request is neither recorded nor counted | assumed; this protects the test |
//! | a historical batch without events, or with an event that has no timestamp or is less than 72 hours old | 202; the batch is in [`Emulator::unprocessed`] | documented as "not processed"; the status is assumed |
//! | a batch whose `source_request_id` was accepted before | 202; the batch is in [`Emulator::duplicates`] | documented; the status is assumed. mParticle forgets ids after 30 to 60 days, the emulator never |
//! | more batches than the [`RateLimit`] allows | 429 with `Retry-After` and `X-mp-rate-limit-exceeded: feed` | documented; the token bucket is assumed, that a request is accepted or refused as a whole, and that a refused request takes no tokens |
//! | an accepted request under a rate limit | `X-mp-rate-limit-percentage-used` with the percentage of the bucket that is used, unless [`without_percentage_header`](RateLimit::without_percentage_header) is set | documented; the rounding to a whole number is assumed |
//! | any refused request | an error body in the format of 400 | assumed for statuses other than 400 |
//!
//! Faults are scripted with [`Answer`]. A scripted answer applies to the next request whose head arrives, regardless of
//! the request. A request whose body does not arrive completely is neither recorded nor counted.

mod answer;
mod builder;
mod counts;
mod emulator;
mod historical;
mod memory;
mod mismatch;
mod rate_limit;
mod received;
mod records;
mod reply;
mod rules;
mod schema;
mod service;
mod tcp;
mod token_bucket;

pub use answer::Answer;
pub use builder::{BadBatches, EmulatorBuilder};
pub use counts::Counts;
pub use emulator::Emulator;
pub use memory::InMemory;
pub use mismatch::Mismatch;
pub use rate_limit::RateLimit;
pub use received::{ReceivedBatch, ReceivedRequest, UnprocessedBatch};
