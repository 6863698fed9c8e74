#![doc = include_str!("../README.md")]
//!
//! # Documentation
//! [`Client`] has the methods for uploading, [`ClientBuilder`] has the settings, and [`ErrorKind`] describes the failures.
//! The [`guide`] has these pages:
//!
//! - [first event](guide::first_event)
//! - [many batches](guide::many_batches)
//! - [sending from a service](guide::sending_from_a_service)
//! - [errors](guide::errors)
//! - [delivery](guide::delivery)
//! - [testing](guide::testing)
//! - [connections](guide::connections)
//! - [observing](guide::observing)
//! - [what mParticle sends you](guide::what_mparticle_sends_you)
//! - [the command `mparticle`](guide::command)

mod base_url;
#[cfg(feature = "blocking")]
pub mod blocking;
mod builder;
mod client;
mod dispatch;
mod encoded_request;
mod encoding;
mod endpoint;
mod error;
pub mod guide;
mod outcome;
#[cfg(feature = "queue")]
pub mod queue;
mod rate_limiter;
mod receipt;
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
pub use encoded_request::EncodedRequest;
pub use endpoint::Endpoint;
pub use error::{Error, ErrorKind};
pub use mparticle_models as models;
pub use outcome::{BatchResult, Outcome};
pub use rate_limiter::{RateLimiter, RateLimiterSnapshot};
pub use receipt::Receipt;
pub use settings::{Credentials, Pod, RetryPolicy, Timeouts, UnknownPod, Validation};
pub use split_by_age::SplitByAge;
pub use upload_all::{FailedBatch, Stopped, UploadAll, UploadObserver, UploadReport};
pub use violation_summary::{ViolatedRule, ViolationPlace, ViolationSummary};
