//! The background thread of a blocking client.

use crate::{Error, ErrorKind};
use std::future::Future;
use std::process;
use std::thread;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::unconstrained;

/// A Tokio runtime on a background thread.
///
/// The caller's future is polled on the caller's thread, and may therefore borrow from the caller. The background
/// thread runs the uploads that the future spawns, timers and sockets. `Runtime::block_on` is not called and the
/// runtime is not dropped on the caller's thread, because both panic inside an asynchronous runtime.
#[derive(Debug)]
pub(super) struct Driver {
    handle: Handle,
    /// The process that started the thread. A forked process has a copy of this object, but not the thread.
    process: u32,
    /// Stops the background thread when it is dropped.
    _stop_on_drop: oneshot::Sender<()>,
}

impl Driver {
    /// Starts the background thread.
    ///
    /// # Errors
    /// - [`Config`](ErrorKind::Config): the runtime or the thread cannot be created.
    pub(super) fn start() -> Result<Self, Error> {
        let failed = |error: std::io::Error| {
            Error::new(ErrorKind::Config, format!("no background thread: {error}"))
                .with_source(error)
        };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let handle = runtime.handle().clone();
        let (stop_on_drop, stopped) = oneshot::channel();
        thread::Builder::new()
            .name("mparticle-client".to_owned())
            .spawn(move || {
                // The sender sends nothing. When it is dropped, the receiver resolves with an error.
                let _ = runtime.block_on(stopped);
            })
            .map_err(failed)?;
        Ok(Self { handle, process: process::id(), _stop_on_drop: stop_on_drop })
    }

    /// Blocks the calling thread until a future has completed.
    ///
    /// The future runs outside Tokio's cooperative budget. If this method is called inside a task whose budget is
    /// exhausted, the budget would not be renewed, and the future would never complete.
    ///
    /// # Errors
    /// - [`Closed`](ErrorKind::Closed): the process was forked after the client was created.
    pub(super) fn run<F: Future>(&self, future: F) -> Result<F::Output, Error> {
        if process::id() != self.process {
            let message =
                "the process was forked after the client was created: create another client";
            return Err(Error::new(ErrorKind::Closed, message));
        }
        let _context = self.handle.enter();
        Ok(pollster::block_on(unconstrained(future)))
    }
}
