//! What only a clock or a store of the test's own can show.

mod clock;
mod store;
