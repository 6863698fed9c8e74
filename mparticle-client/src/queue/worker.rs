//! The worker of a queue as a future, and its thread.

use super::delivery::Delivery;
use crate::{Error, ErrorKind};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::{io, thread};
use tokio::runtime::Builder;

/// A future that sends the batches of a queue. It completes when the queue has been shut down.
///
/// [`QueueBuilder::build_with_worker`](super::QueueBuilder::build_with_worker) returns it. Spawn it in a Tokio runtime
/// with timers and I/O. If the worker is dropped, the queue is closed, and the pending batches are dropped or left in
/// the spool.
#[must_use = "nothing is sent unless it is polled"]
pub struct Worker(Pin<Box<dyn Future<Output = ()> + Send>>);

impl Worker {
    pub(super) fn new(delivery: Delivery) -> Self {
        Self(Box::pin(delivery.run()))
    }

    /// Starts a thread that runs the worker in its own runtime.
    pub(super) fn start(self) -> Result<(), Error> {
        let failed = |error: io::Error| {
            let message = format!("no background thread could be started: {error}");
            Error::new(ErrorKind::Config, message).with_source(error)
        };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let run = move || runtime.block_on(self);
        thread::Builder::new().name("mparticle-queue".to_owned()).spawn(run).map_err(failed)?;
        Ok(())
    }
}

impl Future for Worker {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").finish_non_exhaustive()
    }
}
