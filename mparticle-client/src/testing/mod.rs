//! An emulator of the Events API, for tests that must not reach mParticle.
//!
//! An [`Emulator`] checks what it is sent as mParticle would, answers as mParticle documents, fails as a test scripts
//! it, and tells afterwards what it received. It listens on a loopback socket, or takes requests in memory by its
//! [`transport`](Emulator::transport); either way the rules, scripts and records are the same.
//!
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
//!     .body(bytes::Bytes::from(r#"{"environment":"production","source_request_id":"order-1"}"#))?;
//! let throttled = emulator.transport().send(request.clone()).await?;
//! assert_eq!(throttled.status(), 429);
//! let accepted = emulator.transport().send(request).await?;
//! assert_eq!(accepted.status(), 202);
//!
//! assert_eq!(emulator.requests().len(), 2);
//! emulator.assert_exactly_once(["order-1"]);
//! # Ok(())
//! # }
//! ```
//!
//! # Time
//! It runs in the runtime that starts it, on tokio's clock, and uses no thread of its own. So it may be used with
//! paused time, `#[tokio::test(start_paused = true)]`: a [hang](Answer::hang) lasts until the client's timeout, which
//! comes at once, and an hour's `Retry-After` costs nothing. The age of historical events is measured by the system's
//! clock, which tokio does not pause.
//!
//! An answer comes at once, unless a [latency](EmulatorBuilder::latency) is set or the answer is
//! [delayed](Answer::delayed).
//!
//! # Load tests
//! [`EmulatorBuilder::rate_limit`] sets a limit, and [`Emulator::set_rate_limit`] changes it later. An emulator that is
//! [bare](EmulatorBuilder::bare) neither checks nor records requests, but it has the rate limit, the latency and the
//! [counters](Emulator::counts).
//!
//! # What is known, and what is assumed
//! Nothing here was learnt by sending requests to mParticle. What its documentation leaves open is decided on the side
//! of caution, so that a client that passes here asks no favour there.
//!
//! | Request | Answer | |
//! |---|---|---|
//! | `POST` of good batches to `/v2/events`, `/v2/bulkevents` or `/v2/bulkevents/historical` | 202 | documented; that the body is empty is assumed |
//! | another path | 404 | assumed |
//! | another method | 405 with `Allow` | assumed |
//! | no `Authorization`, or one that is not of basic authentication | 401 | documented for a missing one; assumed for another scheme |
//! | an invalid key or secret | 403 | documented |
//! | a content type other than `application/json` | 415 | assumed; that the type is `application/json` is documented |
//! | malformed JSON, or a missing field that is required | 400 with `{"errors":[{"code":"BAD_REQUEST","message":...}]}` | documented, save for the words of the message |
//! | anything else that breaks the JSON Schema | 400 | assumed; limits that no source says are enforced are left out |
//! | a bulk request with a bad batch | 400 | assumed; see [`BadBatches`] for the other reading |
//! | a bulk request without a batch | 400 | assumed |
//! | more than 256,000 bytes, a batch of more than 128,000, or more than 100 batches | 400 | the limits are documented, as 256 kb, 128 kb and 100; the status, and that a kb is 1,000 bytes, are assumed |
//! | more than 10 MiB | 413, and not recorded | assumed; it protects the test |
//! | a historical batch without events, with an event without a time, or with one less than 72 hours old | 202, and the batch is in [`Emulator::unprocessed`] | "not processed" is documented; the status is assumed |
//! | a batch whose `source_request_id` was accepted before | 202, and the batch is in [`Emulator::duplicates`] | documented; that the answer is 202 is assumed. mParticle forgets ids after 30 to 60 days, the emulator never |
//! | more batches than the [`RateLimit`] allows | 429 with `Retry-After` and `X-mp-rate-limit-exceeded: feed` | documented; that the limit is a token bucket and all or nothing, and that a refused request does not count, are assumed |
//! | `X-mp-rate-limit-percentage-used` on 202, with a rate limit | whole percents of the bucket; none [if so set](RateLimit::without_percentage_header) | documented; the rounding is assumed |
//! | errors other than 400 | a body of the same shape | assumed, for the message's sake |
//!
//! Faults are [`Answer`]s. A scripted answer is used up by the next request whose head arrives, whatever it asks for. A
//! request whose body does not arrive whole is not recorded.

mod answer;
mod builder;
mod counts;
mod emulator;
mod exactly_once;
mod historical;
mod memory;
mod rate_limit;
mod received;
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
pub use exactly_once::Mismatch;
pub use memory::InMemory;
pub use rate_limit::RateLimit;
pub use received::{ReceivedBatch, ReceivedRequest, UnprocessedBatch};
