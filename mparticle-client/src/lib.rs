//! A client for mParticle's server-to-server Events API.
//!
//! ```no_run
//! use mparticle_client::Client;
//! use mparticle_client::models::{
//!     Batch, CustomEvent, CustomEventType, Environment, UserIdentities,
//! };
//!
//! # async fn example() -> Result<(), mparticle_client::Error> {
//! // Reads MPARTICLE_API_KEY, MPARTICLE_API_SECRET and MPARTICLE_POD.
//! let client = Client::from_env()?;
//! let batch = Batch::new(Environment::Production)
//!     .with_user_identities(UserIdentities::new().with_customer_id("42"))
//!     .with_event(CustomEvent::new("Signed up", CustomEventType::Navigation));
//! let receipt = client.upload_events(&batch).await?;
//! println!("accepted after {} attempt(s)", receipt.attempts());
//! # Ok(())
//! # }
//! ```
//!
//! | To | see |
//! |---|---|
//! | upload batches | [`Client`], and its settings in [`ClientBuilder`] |
//! | send from a service without waiting for the network | [`Queue`] (feature `queue`), which can keep batches on disk (feature `spool`) |
//! | send from many processes through NATS JetStream | the guide to [fleets](guide::fleet) (feature `jetstream`) |
//! | store batches in a log of your own, and send them from there | [`Client::encode`] and the module [`relay`] |
//! | upload without `async` | [`blocking::Client`] (feature `blocking`) |
//! | build batches and events | [`models`] |
//! | handle errors | [`Error`], whose [`ErrorKind`] says what to do |
//! | test a program without mParticle | [`Emulator`] (feature `testing`) |
//! | learn more | the [`guide`], which begins with the [first event](guide::first_event) |
//!
//! # Features
//! No feature is enabled by default.
//!
//! | feature | adds |
//! |---|---|
//! | `blocking` | the client without `async`, in the module [`blocking`] |
//! | `queue` | a background queue with one outcome for each batch, in the module [`queue`] |
//! | `spool` | the queue on disk: accepted batches survive a crash. Enables `queue` |
//! | `testing` | an emulator of the Events API, in the module [`testing`] |
//! | `data-plan` | batches are compared with a [data plan](guide::data_plans) before they are sent |
//! | `jetstream` | a durable queue for many processes on NATS JetStream, in the module `jetstream`. Needs Rust 1.89 |
//! | `cli` | the [command `mparticle`](guide::command), which uploads and checks files, compares them with data plans, and emulates mParticle. Needs Rust 1.87 |
//!
//! # Errors
//! An upload retries failed attempts, and then returns an [`Error`]. The error has a [kind](ErrorKind), the encoded request,
//! and the response if there was one. The guide to [errors](guide::errors) has a table of the kinds.
//!
//! ```no_run
//! # use mparticle_client::{Client, Error, Receipt, models::Batch};
//! # async fn example(client: Client, batch: Batch) -> Result<(), Error> {
//! if let Err(error) = client.upload_events(&batch).await {
//!     eprintln!("{error:#}");
//!     if error.is_retryable() {
//!         if let Some(request) = error.into_request() {
//!             // Later. mParticle recognizes the id and counts the batch once.
//!             client.resend(request).await?;
//!         }
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Guarantees
//! - **Every upload has a result.** It returns a receipt or an error, within 60 seconds by default. The error contains the
//!   encoded request, unless the batch could not be encoded.
//! - **Nothing counts twice.** A batch gets its `source_request_id` once, and every attempt sends the same bytes.
//! - **Bounded memory.** [`upload_all`](Client::upload_all) pulls batches as it needs them. A queue has a limit.
//! - **No secrets in logs or errors.** Keys, secrets, identities and attributes never appear there, unless
//!   [`danger_trace_bodies`](ClientBuilder::danger_trace_bodies) is set.
//!
//! The guide to [delivery](guide::delivery) describes retries, timeouts and rate limits, and what is not guaranteed.
//!
//! # Requirements
//! The crate requires Rust 1.85 or later, and a C compiler for the build. Uploads require a Tokio runtime with timers and
//! I/O; the blocking client does not. TLS is provided by rustls with ring and Mozilla's root certificates.
//!
#![cfg_attr(feature = "blocking", doc = include_str!("guide/links/blocking.md"))]
#![cfg_attr(not(feature = "blocking"), doc = include_str!("guide/links/no_blocking.md"))]
#![cfg_attr(feature = "queue", doc = include_str!("guide/links/queue.md"))]
#![cfg_attr(not(feature = "queue"), doc = include_str!("guide/links/no_queue.md"))]
#![cfg_attr(feature = "testing", doc = include_str!("guide/links/testing.md"))]
#![cfg_attr(not(feature = "testing"), doc = include_str!("guide/links/no_testing.md"))]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod base_url;
#[cfg(feature = "blocking")]
pub mod blocking;
mod builder;
mod client;
mod dispatch;
mod encoded_batch;
mod encoded_request;
mod encoding;
mod endpoint;
mod error;
pub mod guide;
#[cfg(feature = "jetstream")]
pub mod jetstream;
mod outcome;
#[cfg(feature = "queue")]
pub mod queue;
mod rate_limiter;
mod receipt;
pub mod relay;
mod send;
mod settings;
mod split_by_age;
#[cfg(feature = "spool")]
mod spool;
#[cfg(feature = "testing")]
pub mod testing;
mod timing;
pub mod transport;
mod upload_all;
mod violation_summary;

pub use builder::ClientBuilder;
pub use client::Client;
pub use encoded_batch::EncodedBatch;
pub use encoded_request::EncodedRequest;
pub use endpoint::Endpoint;
pub use error::{Error, ErrorKind};
pub use mparticle_models as models;
pub use outcome::{BatchResult, Outcome};
pub use rate_limiter::{RateLimiter, RateLimiterSnapshot};
pub use receipt::Receipt;
#[cfg(feature = "data-plan")]
pub use settings::OnFinding;
pub use settings::{Credentials, Pod, RetryPolicy, Timeouts, UnknownPod, Validation};
pub use split_by_age::SplitByAge;
pub use upload_all::{FailedBatch, Stopped, UploadAll, UploadObserver, UploadReport};
pub use violation_summary::{ViolatedRule, ViolationPlace, ViolationSummary};
