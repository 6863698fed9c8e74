//! Tests of the public interface of the queue, with the emulator.
#![cfg(feature = "queue")]
#![allow(
    clippy::indexing_slicing,
    clippy::large_futures,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may panic"
)]

mod basics;
mod bounds;
mod coalescing;
mod conservation;
mod credentials;
mod endings;
mod hook;
mod load;
mod log;
#[path = "../log/mod.rs"]
mod log_writer;
mod privacy;
mod refusals;
mod runtimes;
mod send_timeout;
mod spool;
mod support;
mod times;
mod triggers;
