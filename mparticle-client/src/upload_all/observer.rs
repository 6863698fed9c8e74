//! What a program learns while an upload runs.

use super::FailedBatch;
use crate::{Error, Outcome};

/// Observes an upload while it runs, for programs that record how far it has come.
///
/// Passed to [`UploadAll::observer`](super::UploadAll::observer). The methods are called one after the other, in the task
/// that polls the upload. They should return quickly, because nothing is sent meanwhile.
///
/// A batch is identified by its position in the source. The first batch is at 0.
///
/// # Examples
/// ```
/// # use mparticle_client::{Client, models::Batch};
/// use mparticle_client::{FailedBatch, Outcome, UploadObserver};
///
/// #[derive(Default)]
/// struct Progress {
///     done: Vec<usize>,
///     written: usize,
/// }
///
/// impl UploadObserver for Progress {
///     fn delivered(&mut self, position: usize, _: &Outcome) {
///         self.done.push(position);
///     }
///
///     fn failed(&mut self, batch: FailedBatch) {
///         eprintln!("batch {}: {}", batch.position(), batch.error());
///     }
///
///     fn checkpoint(&mut self, _requests: usize) {
///         // Store the positions in `done` here.
///         self.written = self.done.len();
///     }
/// }
///
/// # async fn example(client: Client, batches: Vec<Batch>) {
/// let mut progress = Progress::default();
/// let report = client.upload_all(batches).observer(&mut progress).await;
/// println!("{} of {} batches delivered", progress.written, report.given());
/// # }
/// ```
pub trait UploadObserver {
    /// Called when a batch was delivered, or discarded by a disabled client.
    fn delivered(&mut self, position: usize, outcome: &Outcome);

    /// Called when a batch was not delivered. The report of the upload does not contain the batch, therefore an upload
    /// with an observer does not hold failed batches in memory.
    fn failed(&mut self, batch: FailedBatch);

    /// Called when all results that are known have been reported, and before further requests are sent.
    ///
    /// A program that stores its progress here repeats only the requests that were in flight when it was killed.
    /// `requests` is the number of requests that were made so far.
    fn checkpoint(&mut self, requests: usize) {
        let _ = requests;
    }

    /// Called when an outage begins, with the error of the last request, and with `None` when it ends.
    ///
    /// A change is reported within 200 milliseconds.
    fn outage(&mut self, cause: Option<&Error>) {
        let _ = cause;
    }
}

impl<O: UploadObserver + ?Sized> UploadObserver for &mut O {
    fn delivered(&mut self, position: usize, outcome: &Outcome) {
        (**self).delivered(position, outcome);
    }

    fn failed(&mut self, batch: FailedBatch) {
        (**self).failed(batch);
    }

    fn checkpoint(&mut self, requests: usize) {
        (**self).checkpoint(requests);
    }

    fn outage(&mut self, cause: Option<&Error>) {
        (**self).outage(cause);
    }
}
