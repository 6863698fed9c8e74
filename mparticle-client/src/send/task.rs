//! Runs an upload as a task of the caller's runtime, so that it makes progress while the caller's future is not polled.

use super::admission::Admission;
use crate::{Error, ErrorKind};
use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tracing::instrument::WithSubscriber;

/// Ends the task when the caller's future is dropped, and gives back at once what others wait for.
struct AbortOnDrop {
    task: AbortHandle,
    admission: Arc<Admission>,
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.admission.release();
        self.task.abort();
    }
}

/// Runs an upload as a task and waits for it.
///
/// # Errors
/// Of kind [`Config`](ErrorKind::Config) if there is no Tokio runtime, or one without timers or I/O, and of kind
/// [`Closed`](ErrorKind::Closed) if the runtime was shut down.
pub(super) async fn run<T: Send + 'static>(
    admission: Arc<Admission>,
    upload: impl Future<Output = T> + Send + 'static,
) -> Result<T, Error> {
    let runtime = Handle::try_current().map_err(|_| {
        let message =
            "there is no Tokio runtime: await the upload in one, or use the blocking client";
        Error::new(ErrorKind::Config, message)
    })?;
    let task = runtime.spawn(upload.with_current_subscriber());
    let _guard = AbortOnDrop { task: task.abort_handle(), admission };
    task.await.map_err(|error| match error.try_into_panic() {
        Ok(panic) => panicked(&*panic),
        Err(_) => {
            Error::new(ErrorKind::Closed, "the Tokio runtime was shut down during the upload")
        }
    })
}

/// Checks that there is a Tokio runtime with timers.
///
/// # Errors
/// Of kind [`Config`](ErrorKind::Config) if there is none.
pub(crate) async fn check_runtime() -> Result<(), Error> {
    // The timer is made inside the task, because making one without a runtime or without timers panics.
    run(Arc::default(), async { tokio::time::sleep(Duration::ZERO).await }).await
}

/// Explains the panics of Tokio that a runtime without drivers causes. Any other is a defect, of a transport most likely.
fn panicked(panic: &(dyn Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text =
        text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or_default();
    let missing = if text.contains("timer") {
        "timers: build it with `enable_time` or `enable_all`"
    } else if text.contains("IO is disabled") || text.contains("no reactor running") {
        "I/O: build it with `enable_io` or `enable_all`"
    } else {
        return Error::new(ErrorKind::Transport, "the upload panicked").permanent();
    };
    Error::new(ErrorKind::Config, format!("the Tokio runtime has no {missing}"))
}
