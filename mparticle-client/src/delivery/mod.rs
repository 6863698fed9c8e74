//! From an encoded request to a receipt.
//!
//! The decisions are made by pure parts: [`retry`] (whether and when to try again), [`backoff`], [`budget`] (how many
//! repetitions all uploads together may cost), [`gate`] (when the next request may leave) and [`headers`]. The
//! [`Courier`] drives them; an [`attempt`] is one exchange with the server.

mod attempt;
mod backoff;
mod budget;
mod courier;
mod failure;
mod gate;
mod headers;
mod retry;

pub(crate) use courier::{BodyLog, Courier};
pub use gate::RateGate;
