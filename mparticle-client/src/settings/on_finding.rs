//! What happens to batches that do not follow a data plan.

/// The handling of batches that do not follow the data plan of [`ClientBuilder::lint`](crate::ClientBuilder::lint).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnFinding {
    /// Logs the kind and the location of each finding as a warning, up to ten for a batch, and sends the batch. This is
    /// the default.
    #[default]
    Warn,
    /// Returns an error of kind [`Invalid`](crate::ErrorKind::Invalid) and does not send the batch.
    /// [`Error::findings`](crate::Error::findings) returns the findings.
    Reject,
}
