//! The thread that keeps timers and sockets going while callers wait.

use crate::{Error, ErrorKind};
use std::future::Future;
use std::process;
use std::thread;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::unconstrained;

/// A runtime on a thread of its own.
///
/// Futures are polled on the caller's thread, so they may borrow from it; the thread here turns only what they wait
/// for. Nothing is ever run by `Runtime::block_on` or dropped inside the caller's runtime, either of which would panic
/// where the caller is itself asynchronous.
#[derive(Debug)]
pub(super) struct Driver {
    handle: Handle,
    /// A forked process has this object but not the thread.
    process: u32,
    /// The thread ends when this is dropped.
    _alive: oneshot::Sender<()>,
}

impl Driver {
    pub(super) fn start() -> Result<Self, Error> {
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Config, format!("no background thread: {error}"))
                .with_source(error)
        };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let (alive, ended) = oneshot::channel();
        thread::Builder::new()
            .name("mparticle-client".to_owned())
            .spawn(move || {
                // The error of the dropped sender is the signal.
                let _ = runtime.block_on(ended);
            })
            .map_err(failed)?;
        Ok(Self { handle, process: process::id(), _alive: alive })
    }

    /// Waits for a future on this thread.
    ///
    /// It runs outside the cooperative budget of a task: inside one, an exhausted budget would never be renewed.
    pub(super) fn run<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        if process::id() != self.process {
            let message = "the process was forked after the client was made: make another client";
            return Err(Error::new(ErrorKind::Closed, message));
        }
        let _context = self.handle.enter();
        Ok(pollster::block_on(unconstrained(future)))
    }
}
