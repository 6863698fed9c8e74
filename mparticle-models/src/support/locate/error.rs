//! Why a document could not be read, and where.

use std::fmt;

/// The error of reading a document.
///
/// Its text names kinds and lengths, never a value of the document, for those are personal data.
#[derive(Debug)]
pub struct ReadError {
    kind: ReadErrorKind,
    pointer: String,
    message: String,
    source: serde_json::Error,
}

/// What is wrong with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadErrorKind {
    /// It is not JSON, or nested too deeply.
    Syntax,
    /// A required field is missing.
    Missing,
    /// A value is of another kind than expected.
    WrongType,
    /// A key stands twice in one object.
    Repeated,
    /// Anything else.
    Other,
}

/// What the walk along a shape found.
#[derive(Debug)]
pub(super) struct Trouble {
    pub(super) kind: ReadErrorKind,
    pub(super) pointer: String,
    pub(super) message: String,
}

impl ReadError {
    pub(super) fn syntax(source: serde_json::Error) -> Self {
        Self { kind: ReadErrorKind::Syntax, ..Self::somewhere(source) }
    }

    pub(super) fn at(trouble: Trouble, source: serde_json::Error) -> Self {
        let Trouble { kind, pointer, message } = trouble;
        Self { kind, pointer, message, source }
    }

    pub(super) fn somewhere(source: serde_json::Error) -> Self {
        let message = source.to_string();
        let position = format!(" at line {} column {}", source.line(), source.column());
        let message = message.strip_suffix(&position).unwrap_or(&message).to_owned();
        Self { kind: ReadErrorKind::Other, pointer: String::new(), message, source }
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> ReadErrorKind {
        self.kind
    }

    /// The JSON pointer of the value that is wrong or missing; empty for the whole document.
    #[must_use]
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// What was expected and what was found.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The line at which reading stopped, counted from 1; 0 when unknown.
    #[must_use]
    pub fn line(&self) -> usize {
        self.source.line()
    }

    /// The column at which reading stopped, counted from 1; 0 when unknown.
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
