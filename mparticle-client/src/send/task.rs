//! Runs an upload as a task of the caller's runtime. It then makes progress while the caller's future is not polled.

use super::admission::Admission;
use crate::{Error, ErrorKind};
use std::any::Any;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tracing::instrument::WithSubscriber;

/// Aborts the task when the caller's future is dropped, and releases at once what other uploads wait for.
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
/// - [`Config`](ErrorKind::Config): there is no Tokio runtime, or it has no timers or I/O.
/// - [`Transport`](ErrorKind::Transport): the upload panicked.
/// - [`Closed`](ErrorKind::Closed): the runtime was shut down.
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
/// - [`Config`](ErrorKind::Config): there is no Tokio runtime, or it has no timers.
/// - [`Closed`](ErrorKind::Closed): the runtime was shut down.
pub(crate) async fn check_runtime() -> Result<(), Error> {
    // The timer is created inside the task, because creating it panics if the runtime has no timers.
    run(Arc::default(), async { tokio::time::sleep(Duration::ZERO).await }).await
}

/// Converts a panic into an error. Tokio panics if a runtime lacks drivers. Any other panic is a defect, most likely of
/// a transport.
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
