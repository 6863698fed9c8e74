//! From an encoded request to a receipt.
//!
//! The decisions are made by pure parts: [`retry`] (whether and when to try again), [`backoff`], [`budget`] (how many
//! repetitions all uploads together may cost), [`gate`] (when the next request may leave) and [`headers`]. The
//! [`RequestSender`] drives them; an [`attempt`] is one exchange with the server.

mod attempt;
mod attempt_error;
mod backoff;
mod budget;
mod gate;
mod headers;
mod request_sender;
mod retry;

pub use gate::RateLimiter;
pub(crate) use request_sender::{BodyLog, RequestSender};
