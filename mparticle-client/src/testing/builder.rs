//! How an emulator is set up.

use super::Emulator;
use super::rate_limit::{Bucket, RateLimit};
use super::rules::Rules;
use super::service::{Extent, Service};
use super::tcp::Server;
use crate::Credentials;
use std::io;
use std::sync::Arc;

/// Sets up an [`Emulator`].
#[derive(Clone, Debug)]
#[must_use]
pub struct EmulatorBuilder {
    credentials: Credentials,
    rate_limit: Option<RateLimit>,
    bad_batches: BadBatches,
    extent: Extent,
}

/// What becomes of a bulk request some of whose batches are bad.
///
/// mParticle documents 400 for malformed JSON and for missing fields, and also that "bulk returns 202 even if some
/// batches are bad", but not which mistake is which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadBatches {
    /// 400, and none of its batches is taken.
    #[default]
    RefuseRequest,
    /// 202, and only its good batches are taken; the others are in [`Emulator::unprocessed`].
    DropSilently,
}

impl EmulatorBuilder {
    pub(super) fn new() -> Self {
        Self {
            credentials: Credentials::new("emulated-key", "emulated-secret"),
            rate_limit: None,
            bad_batches: BadBatches::default(),
            extent: Extent::Full,
        }
    }

    /// The one pair that is valid; a made-up one unless set.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = credentials;
        self
    }

    /// How many batches per second are taken; no limit unless set.
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        self.rate_limit = Some(limit);
        self
    }

    /// What becomes of a bulk request some of whose batches are bad; it is refused unless set.
    pub fn bad_batches(mut self, treatment: BadBatches) -> Self {
        self.bad_batches = treatment;
        self
    }

    /// Answers 202 to everything, checks nothing, records nothing and follows no script: for benchmarks of clients.
    pub fn bare(mut self) -> Self {
        self.extent = Extent::Bare;
        self
    }

    /// Starts it on a free port of the loopback interface, as a task of the tokio runtime that this is called in.
    ///
    /// # Errors
    /// When no socket can be bound.
    pub async fn start(self) -> io::Result<Emulator> {
        let (credentials, service) = self.service();
        let server = Server::start(Arc::clone(&service)).await?;
        Ok(Emulator::new(service, credentials, Some(server)))
    }

    /// One without a socket, to be used by its [`transport`](Emulator::transport).
    #[must_use]
    pub fn in_memory(self) -> Emulator {
        let (credentials, service) = self.service();
        Emulator::new(service, credentials, None)
    }

    fn service(self) -> (Credentials, Arc<Service>) {
        let rules = Rules { credentials: self.credentials.clone(), bad_batches: self.bad_batches };
        let bucket = self.rate_limit.map(Bucket::new);
        (self.credentials, Arc::new(Service::new(rules, self.extent, bucket)))
    }
}
