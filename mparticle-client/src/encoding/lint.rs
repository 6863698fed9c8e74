//! The comparison of a batch with a data plan, before the batch is encoded.

use super::Encoder;
use super::check::{MAX_WARNINGS, not_logged, without_custom_names};
use crate::models::Batch;
use crate::models::data_plan::{Finding, FindingKind, Linter};
use crate::{Error, ErrorKind, OnFinding};
use std::sync::Arc;

/// A linter, and what to do with its findings.
#[derive(Clone, Debug)]
pub(crate) struct Linting {
    pub(crate) linter: Arc<Linter>,
    pub(crate) on_finding: OnFinding,
}

impl Encoder {
    /// Compares a batch with the data plan of the client, if it has one: logs findings with [`OnFinding::Warn`], and
    /// returns them as an error with [`OnFinding::Reject`].
    pub(super) fn lint(&self, id: &str, batch: &Batch) -> Result<(), Error> {
        let Some(Linting { linter, on_finding }) = &self.linting else { return Ok(()) };
        let mut findings = linter.lint(batch);
        findings.retain(|finding| finding.kind != FindingKind::OtherPlan);
        match on_finding {
            OnFinding::Warn => {
                log(id, &findings);
                Ok(())
            }
            OnFinding::Reject => into_result(findings),
        }
    }
}

fn into_result(findings: Vec<Finding>) -> Result<(), Error> {
    let Some(first) = findings.first() else { return Ok(()) };
    let (kind, pointer) = (first.kind, first.pointer.clone());
    let message = match findings.len() {
        1 => format!("the batch does not follow the data plan: {kind}"),
        count => {
            format!(
                "the batch does not follow the data plan in {count} places; the first is: {kind}"
            )
        }
    };
    let error = Error::new(ErrorKind::Invalid, message).with_pointer(pointer);
    Err(error.with_findings(findings))
}

/// Logs kinds and locations, but no values and no names of attributes.
fn log(id: &str, findings: &[Finding]) {
    for finding in findings.iter().take(MAX_WARNINGS) {
        tracing::warn!(
            source_request_id = id,
            finding = finding.kind.as_str(),
            pointer = without_custom_names(&finding.pointer),
            "the batch does not follow the data plan",
        );
    }
    if let Some(more) = not_logged(findings.len()) {
        tracing::warn!(
            source_request_id = id,
            more,
            "the batch does not follow the data plan in more places",
        );
    }
}
