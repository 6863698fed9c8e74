//! The errors and warnings about a plan.

use crate::diagnostic::{Code, Diagnostic, Origin};

/// Errors, which keep a plan from becoming Rust, and warnings.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) errors: Vec<Diagnostic>,
    pub(crate) warnings: Vec<Diagnostic>,
}

impl Report {
    pub(crate) fn error(
        &mut self,
        code: Code,
        origin: &Origin,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.errors.push(Diagnostic::new(code, origin.clone(), message).with_help(help));
    }

    pub(crate) fn warn(
        &mut self,
        code: Code,
        origin: &Origin,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.warnings.push(Diagnostic::new(code, origin.clone(), message).with_help(help));
    }
}
