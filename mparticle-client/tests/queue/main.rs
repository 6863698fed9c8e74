//! The queue as its users see it, against the emulator.
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
mod endings;
mod spool;
mod support;
mod triggers;
