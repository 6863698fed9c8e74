//! What every example begins and ends with: a log, a place to send to, and an error that can be read.

mod destination;
mod failure;

pub(crate) use destination::Destination;
pub(crate) use failure::Failure;

use tracing_subscriber::EnvFilter;

/// Writes to standard error what `RUST_LOG` asks for; without it, errors alone.
pub(crate) fn start_log() {
    let filter = EnvFilter::from_default_env();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
