//! From an encoded request to a receipt.
//!
//! The [`RequestSender`] sends a request once, or repeats it until it is accepted or there is no point in trying again.
//! Each upload runs as a [`task`]. Before each attempt it waits for its [`admission`]: its turn at the rate limiter, then
//! a place [`in_flight`]. An [`attempt`] is one exchange with the server.
//!
//! The decisions are made by pure parts: [`retry`] (whether and when to try again), [`backoff`], [`budget`] (how many
//! retries all uploads together may make) and [`headers`].

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
