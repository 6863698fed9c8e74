//! Uploads a JSON Lines file of any length, and saves the batches that could not be uploaded.
//!
//! ```console
//! cargo run --example backfill -- FILE [--historical] [--failed FILE2]
//! ```
//!
//! Each line of the file is one of:
//! - a batch: `{"environment":"production","user_identities":{"customer_id":"42"},"events":[..]}`
//! - an event and its user: `{"user":{"user_identities":{"customer_id":"42"}},"event":{"event_type":..,"data":{..}}}`,
//!   where `user` is a batch without events. The events of consecutive lines with the same user become one batch.
//!
//! The environment is production if a line does not contain one.
//!
//! **No data is lost.** Batches that failed, batches that were not sent because the upload stopped, and lines that cannot
//! be parsed are written to the failed file. Its default name is `FILE.failed.jsonl`. It is created only if necessary, and
//! never replaces another file. To try again, run the example with the failed file as its input. The exit status is 1 if
//! a failed file was written.
//!
//! **No data is counted twice.** A batch without a `source_request_id` gets one that is derived from the number and the
//! text of its lines. The example can therefore be stopped at any time, and run again with the same unchanged file, even
//! under another name. mParticle remembers ids for at least 30 days.

mod arguments;
mod entries;
mod failed_file;
mod line;
mod reader;
#[path = "../support/mod.rs"]
mod support;

use arguments::Arguments;
use failed_file::FailedFile;
use futures_util::stream;
use indicatif::{ProgressBar, ProgressStyle};
use mparticle_client::models::{Batch, Environment};
use mparticle_client::{BatchResult, FailedBatch, Outcome};
use reader::Reader;
use std::fs::File;
use std::process::ExitCode;
use std::time::Duration;
use support::{Destination, Failure};
use tokio::sync::mpsc;

/// The maximum number of batches that are read ahead of the upload.
const READ_AHEAD: usize = 256;

/// The number of failures after which the upload stops. So many failures have a cause that a retry does not solve, and
/// failed batches are held in memory until the end.
const MAX_FAILURES: usize = 10_000;

/// The maximum number of failures that are printed.
const MAX_PRINTED: usize = 10;

#[tokio::main]
async fn main() -> Result<ExitCode, Failure> {
    support::init_logging();
    let arguments = Arguments::parse(std::env::args_os().skip(1))?;
    let input = File::open(&arguments.input).map_err(|error| arguments.with_input_name(&error))?;
    let failed_file = FailedFile::new(&arguments)?;
    let destination = Destination::from_env().await?;
    let client = destination.client_builder().environment(Environment::Production).build()?;
    let progress = progress_bar(&input)?;

    // Reading blocks and therefore runs on its own thread. The bounded channel makes it wait for the upload.
    let (sender, mut batches) = mpsc::channel::<Batch>(READ_AHEAD);
    let reader = Reader::new(input, failed_file, progress.clone());
    let reader = tokio::task::spawn_blocking(move || reader.run(&sender));

    let (mut delivered, mut failed) = (0_u64, 0_u64);
    let count_outcome = |result: &BatchResult| {
        match result.outcome() {
            Outcome::Delivered(_) => delivered += 1,
            _ => failed += 1,
        }
        progress.set_message(format!("{delivered} delivered, {failed} failed"));
    };
    let mut upload = client
        .upload_all_stream(stream::poll_fn(|context| batches.poll_recv(context)))
        .max_wait(Duration::from_secs(60 * 60))
        .stop_after_failures(MAX_FAILURES)
        .on_outcome(count_outcome);
    if arguments.historical {
        upload = upload.historical();
    }
    let report = upload.await;

    // If the upload stopped early, the remaining batches are written to the failed file: those in the channel below, and
    // those that were not read yet by the reader, which detects that the channel is closed.
    batches.close();
    let mut read_ahead = Vec::new();
    while let Some(batch) = batches.recv().await {
        read_ahead.push(batch);
    }
    let Reader { mut failed_file, malformed, mut not_sent, result, .. } = reader.await?;
    not_sent += read_ahead.len();
    progress.finish();

    let (delivered, requests) = (report.delivered(), report.requests());
    if let Some(stopped) = report.stopped() {
        eprintln!("The upload stopped early: {stopped}.");
    }
    let failures = report.into_failed();
    print_failures(&failures);
    let failed = failures.len();
    for batch in failures.into_iter().flat_map(FailedBatch::into_batches).chain(read_ahead) {
        failed_file.write_batch(&batch)?;
    }
    let failed_file = failed_file.finish()?;

    println!("Delivered {delivered} batches; requests: {requests}.");
    destination.print_received();
    if let Some(path) = &failed_file {
        println!("Failed: {failed} batches; not sent: {not_sent}; malformed lines: {malformed}.");
        println!("They are in {}. Run the example with that file to try again.", path.display());
    }
    result.map_err(|error| arguments.with_input_name(&error))?;
    Ok(if failed_file.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn print_failures(failures: &[FailedBatch]) {
    for failed in failures.iter().take(MAX_PRINTED) {
        eprintln!("batch {}: {:#}", failed.source_request_id(), failed.error());
    }
    if failures.len() > MAX_PRINTED {
        eprintln!("and {} more", failures.len() - MAX_PRINTED);
    }
}

fn progress_bar(input: &File) -> Result<ProgressBar, Failure> {
    let template = "{wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left; {msg}";
    let style = ProgressStyle::with_template(template)?;
    Ok(ProgressBar::new(input.metadata()?.len()).with_style(style))
}
