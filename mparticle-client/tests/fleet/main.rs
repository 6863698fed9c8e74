//! Fleets: producers and relays on a real NATS server. The tests are skipped if there is none.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may panic")]

mod bad_input;
#[cfg(unix)]
mod chaos;
mod dead_letters;
mod delivery;
mod rate;
mod server;
mod support;
mod takeover;
