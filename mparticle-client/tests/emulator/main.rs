//! The emulator's checks, faults and records, over TCP and in memory.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic")]

mod checks;
mod faults;
mod records;
mod time;
mod wire;
