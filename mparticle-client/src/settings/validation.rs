//! How much is checked before a batch is sent.

/// What to do about violations that [`Batch::validate`](crate::models::Batch::validate) finds.
///
/// Whatever the choice, nothing is ever cut or left out; numbers that JSON cannot express, sizes, and the rules of the
/// historical endpoint are always errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Validation {
    /// Any violation is an error of kind [`Invalid`](crate::ErrorKind::Invalid), and nothing is sent.
    Strict,
    /// Violations are logged as warnings, rule and place alone, and the batch is sent.
    #[default]
    Warn,
    /// Nothing is checked.
    Off,
}
