//! What only a clock or a store of the test's own can show.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic")]

mod clock;
mod store;
