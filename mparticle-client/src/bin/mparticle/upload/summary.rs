//! The summary at the end.

use super::state::{Counts, State};
use super::stop::Reason;
use crate::text::{count, duration, number};
use mparticle_client::ViolationSummary;
use serde::Serialize;
use serde_json::json;
use std::fmt::Write;
use std::time::Instant;

/// The results of all inputs.
pub(super) struct Summary {
    is_check: bool,
    started: Instant,
    counts: Counts,
    requests: usize,
    rate_limit_used: Option<f64>,
    stopped: Option<(Reason, String)>,
    inputs: Vec<InputSummary>,
}

#[derive(Serialize)]
struct InputSummary {
    #[serde(rename = "input")]
    name: String,
    checkpoint: Option<String>,
    #[serde(rename = "failed_file")]
    failed: Option<String>,
    violations: ViolationSummary,
}

impl Summary {
    pub(super) fn new(is_check: bool) -> Self {
        Self {
            is_check,
            started: Instant::now(),
            counts: Counts::default(),
            requests: 0,
            rate_limit_used: None,
            stopped: None,
            inputs: Vec::new(),
        }
    }

    /// Adds an input. `halted` says why its upload has stopped by itself.
    pub(super) fn add(
        &mut self,
        state: &mut State,
        reason: Option<Reason>,
        halted: Option<String>,
    ) {
        let Counts { delivered, failed, not_sent, skipped, empty } = state.counts;
        self.counts.delivered += delivered;
        self.counts.failed += failed;
        self.counts.not_sent += not_sent;
        self.counts.skipped += skipped;
        self.counts.empty += empty;
        self.requests += state.requests();
        self.rate_limit_used = state.rate_limit_used.or(self.rate_limit_used);
        self.inputs.push(InputSummary {
            name: state.source.clone(),
            checkpoint: state.checkpoint.as_ref().map(|one| one.path.display().to_string()),
            failed: state
                .failed_file
                .as_ref()
                .and_then(|file| Some(file.written()?.display().to_string())),
            violations: std::mem::take(&mut state.violations),
        });
        let reason = reason.or(state.error.is_some().then_some(Reason::CannotWrite));
        self.stop(reason, state.error.clone().or(halted));
    }

    /// Notes why the upload ends early.
    pub(super) fn stop(&mut self, reason: Option<Reason>, why: Option<String>) {
        let Some(reason) = reason.filter(|_| self.stopped.is_none()) else { return };
        let why = why.unwrap_or_else(|| reason.to_string());
        self.stopped = Some((reason, why));
    }

    /// Whether anything was done.
    pub(super) fn has_content(&self) -> bool {
        self.counts != Counts::default()
    }

    /// Whether everything was delivered.
    pub(super) fn is_complete(&self) -> bool {
        self.stopped.is_none() && self.counts.failed == 0 && self.counts.not_sent == 0
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string never fails.
        _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let Counts { delivered, failed, not_sent, skipped, empty } = self.counts;
        let elapsed = self.started.elapsed();
        if self.is_check {
            writeln!(text, "Checked: {} would be sent.", count(delivered, "batch"))?;
        } else {
            let rate =
                number(delivered * 1000 / u64::try_from(elapsed.as_millis()).unwrap_or(1).max(1));
            let requests = count(u64::try_from(self.requests).unwrap_or_default(), "request");
            let (batches, time) = (count(delivered, "batch"), duration(elapsed));
            writeln!(text, "Delivered {batches} in {time} with {requests}, {rate} batches/s.")?;
        }
        if failed > 0 {
            let verb = if self.is_check { "would fail" } else { "failed" };
            writeln!(text, "{} or lines {verb}.", count(failed, "batch"))?;
        }
        if empty > 0 {
            writeln!(text, "{} had nothing to send.", count(empty, "record"))?;
        }
        if skipped > 0 {
            writeln!(
                text,
                "{} skipped, because earlier runs processed them.",
                count(skipped, "record")
            )?;
        }
        if not_sent > 0 {
            writeln!(text, "{} read, but not sent.", count(not_sent, "batch"))?;
        }
        if let Some(used) = self.rate_limit_used {
            writeln!(text, "{used} % of mParticle's rate limit was used at the end.")?;
        }
        let violations = self.inputs.iter().filter(|input| !input.violations.is_empty());
        for (index, InputSummary { violations, .. }) in violations.enumerate() {
            if index == 0 {
                writeln!(text, "Violations:")?;
            }
            violations.to_string().lines().try_for_each(|line| writeln!(text, "  {line}"))?;
        }
        if let Some((_, why)) = &self.stopped {
            writeln!(text, "Stopped: {why}.")?;
        }
        for InputSummary { failed, .. } in &self.inputs {
            if let Some(path) = failed {
                writeln!(
                    text,
                    "The failures are in {path}.\nTo send them again, run: mparticle upload {path}"
                )?;
            }
        }
        self.write_continuation(text)
    }

    /// Says how to continue.
    fn write_continuation(&self, text: &mut String) -> std::fmt::Result {
        if self.is_check || (self.stopped.is_none() && self.counts.not_sent == 0) {
            return Ok(());
        }
        match self.inputs.last().and_then(|input| input.checkpoint.as_ref()) {
            Some(path) => writeln!(
                text,
                "To continue, run the same command again.\n{path} has what was delivered."
            ),
            None => writeln!(
                text,
                "There is no checkpoint. Upload the same input again: the ids are the same, and mParticle counts nothing twice."
            ),
        }
    }

    pub(super) fn json(&self) -> String {
        let Counts { delivered, failed, not_sent, skipped, empty } = self.counts;
        let outcome = match &self.stopped {
            None if self.is_complete() => "complete",
            None => "incomplete",
            Some((Reason::Interrupted, _)) => "interrupted",
            Some(_) => "stopped",
        };
        let report = json!({
            "outcome": outcome,
            "reason": self.stopped.as_ref().map(|(_, why)| why),
            "checked_only": self.is_check,
            "delivered": delivered,
            "failed": failed,
            "not_sent": not_sent,
            "skipped_records": skipped,
            "records_without_content": empty,
            "requests": self.requests,
            "seconds": self.started.elapsed().as_secs_f64(),
            "rate_limit_percentage_used": self.rate_limit_used,
            "inputs": self.inputs,
        });
        format!("{report:#}\n")
    }
}
