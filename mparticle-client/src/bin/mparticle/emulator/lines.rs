//! The lines that are printed about a request.

use super::journal::{ReceivedBatch, Request};
use crate::input::Problem;
use crate::text::count;

/// Describes a request in a line, with further lines for what is wrong with it.
pub(super) fn of(request: &Request) -> String {
    let head = [&request.time(), &request.status_text(), &request.method, &request.path];
    let head = head.map(String::as_str).join(" ");
    let mut lines = vec![format!("{head}{}", content(&request.batches))];
    lines.extend(request.message.iter().map(|message| format!("  refused: {message}")));
    lines.extend(request.batches.iter().flat_map(remarks));
    // What a program sent must not control the terminal.
    lines.iter().map(|line| line.replace(char::is_control, "\u{fffd}") + "\n").collect()
}

/// Describes the batches of a request.
fn content(batches: &[ReceivedBatch]) -> String {
    match batches {
        [] => String::new(),
        [batch] => format!("  {}: {}", batch.user(), batch.events_text()),
        batches => {
            let events: usize = batches.iter().map(|batch| batch.events().len()).sum();
            let (batches, events) = (batches.len() as u64, events as u64);
            format!("  {}, {}", count(batches, "batch"), count(events, "event"))
        }
    }
}

/// Returns the lines for what is wrong with a batch.
fn remarks(batch: &ReceivedBatch) -> Vec<String> {
    let duplicate = batch.is_duplicate.then(|| format!("  {}: duplicate", batch.user()));
    let unprocessed = batch.unprocessed.iter().map(|reason| format!("  not processed: {reason}"));
    let violations = batch.violations.iter().map(|problem| {
        let Problem { pointer, message, rule, .. } = problem;
        format!("  {}: {pointer}: {message} ({rule})", problem.level())
    });
    duplicate.into_iter().chain(unprocessed).chain(violations).collect()
}
