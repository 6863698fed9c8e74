//! How batches are validated before they are sent.

/// What the client does about violations that [`Batch::validate`](crate::models::Batch::validate) finds.
///
/// The client never shortens or drops data. In every mode, numbers that JSON cannot express, batches and requests that
/// are too large, and violations of the rules of the historical endpoint are errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Validation {
    /// Returns an error of kind [`Invalid`](crate::ErrorKind::Invalid) for any violation and sends nothing.
    Strict,
    /// Logs the rule and the location of each violation as a warning, and sends the batch. This is the default.
    #[default]
    Warn,
    /// Does not validate batches.
    Off,
}
