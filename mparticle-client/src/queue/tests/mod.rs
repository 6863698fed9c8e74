//! Tests that require their own clock or store.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

mod clock;
mod store;
