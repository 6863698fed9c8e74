//! How batches are validated before they are sent.

/// The handling of violations that [`Batch::validate`](crate::models::Batch::validate) finds.
///
/// The client never shortens or drops data. In every mode, the client returns an error for numbers that JSON cannot
/// represent, for batches and requests that are too large, and for violations of the rules of the historical endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Validation {
    /// Returns an error of kind [`Invalid`](crate::ErrorKind::Invalid) for any violation and sends nothing.
    Strict,
    /// Logs the rule and the location of each violation as a warning, up to ten for a batch, and sends the batch. This
    /// is the default.
    #[default]
    Warn,
    /// Does not validate batches.
    Off,
}
