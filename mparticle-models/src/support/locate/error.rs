//! The error of reading a document.

use std::fmt;

/// The error of reading a document.
///
/// The message contains types and lengths, but never a value of the document, because values are personal data.
#[derive(Debug)]
pub struct ReadError {
    kind: ReadErrorKind,
    pointer: String,
    message: String,
    source: serde_json::Error,
}

/// The kind of a [`ReadError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// The document is not JSON, or it is nested too deeply.
    Syntax,
    /// A required field is missing.
    Missing,
    /// A value has the wrong type.
    WrongType,
    /// A key occurs twice in an object.
    Repeated,
    /// Any other error.
    Other,
}

/// A mistake in a document, with its place.
#[derive(Debug)]
pub(super) struct Mistake {
    pub(super) kind: ReadErrorKind,
    pub(super) pointer: String,
    pub(super) message: String,
}

impl ReadError {
    pub(super) fn syntax(source: serde_json::Error) -> Self {
        Self { kind: ReadErrorKind::Syntax, ..Self::somewhere(source) }
    }

    pub(super) fn at(mistake: Mistake, source: serde_json::Error) -> Self {
        let Mistake { kind, pointer, message } = mistake;
        Self { kind, pointer, message, source }
    }

    pub(super) fn somewhere(source: serde_json::Error) -> Self {
        let message = source.to_string();
        let position = format!(" at line {} column {}", source.line(), source.column());
        let message = message.strip_suffix(&position).unwrap_or(&message).to_owned();
        Self { kind: ReadErrorKind::Other, pointer: String::new(), message, source }
    }

    /// Returns the kind of the error.
    #[must_use]
    pub fn kind(&self) -> ReadErrorKind {
        self.kind
    }

    /// Returns the JSON pointer of the wrong or missing value. It is empty for the whole document.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// Returns what was expected and what was found.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the line at which reading stopped. The first line is 1. The line is 0 if it is not known.
    #[must_use]
    pub fn line(&self) -> usize {
        self.source.line()
    }

    /// Returns the column at which reading stopped. The first column is 1. The column is 0 if it is not known.
    #[must_use]
    pub fn column(&self) -> usize {
        self.source.column()
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.pointer.is_empty() {
            write!(f, "at {}: ", self.pointer)?;
        } else if self.line() > 0 {
            write!(f, "at line {}, column {}: ", self.line(), self.column())?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}
