//! Sends encoded requests and returns receipts.
//!
//! The [`RequestSender`] sends a request once, or repeats it until mParticle accepts it or a further attempt is
//! useless. Each upload runs as a [`task`]. Before each attempt, it waits for its [`admission`]: for the rate limiter,
//! then for a place [`in_flight`]. An [`attempt`] is one exchange with the server.
//!
//! The decisions are pure: [`retry`] decides whether and when to try again, [`backoff`] how long to wait, [`budget`]
//! how many retries all uploads of a client may make, and [`headers`] reads the headers of a response.

mod admission;
mod attempt;
mod attempt_error;
mod backoff;
mod budget;
mod expiry;
mod headers;
mod in_flight;
mod request_sender;
mod retry;
mod stall;
mod task;
mod upload;

#[cfg(test)]
pub(crate) use attempt_error::status_error;
pub(crate) use backoff::full_jitter;
pub(crate) use expiry::Expiry;
pub(crate) use headers::is_acceleration_limited;
pub(crate) use in_flight::InFlight;
pub(crate) use request_sender::{BodyLog, Delivery, RequestSender, SenderSettings};
pub(crate) use task::check_runtime;
