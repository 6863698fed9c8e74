//! Shared by all examples: logging, the destination of uploads, and an error type for `main`.

mod destination;
mod failure;

pub(crate) use destination::Destination;
pub(crate) use failure::Failure;

use tracing_subscriber::EnvFilter;

/// Logs to standard error according to `RUST_LOG`. Logs only errors if it is not set.
pub(crate) fn init_logging() {
    let filter = EnvFilter::from_default_env();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
