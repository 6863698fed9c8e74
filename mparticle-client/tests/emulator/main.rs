//! Tests of the emulator, over TCP and in memory.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod bare;
mod checks;
mod faults;
mod latency;
mod rate_limit;
mod recording;
mod records;
mod sdks;
mod time;
mod wire;
