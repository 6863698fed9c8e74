//! Uploads a JSON Lines file of any length, and keeps what could not be uploaded.
//!
//! ```console
//! cargo run --example backfill -- FILE [--historical] [--failed FILE2]
//! ```
//!
//! Each line of the file is one of:
//! - a batch: `{"environment":"production","user_identities":{"customer_id":"42"},"events":[..]}`
//! - an event and its user: `{"user":{"user_identities":{"customer_id":"42"}},"event":{"event_type":..,"data":{..}}}`,
//!   where `user` is a batch without events. Consecutive lines of one user make up one batch.
//!
//! The environment is production where a line names none.
//!
//! **Nothing is lost.** Batches that fail, batches that there was no point in sending, and lines that cannot be read go
//! to the failed file, `FILE.failed.jsonl` unless told otherwise. It is made when it is needed and replaces no other
//! file. To try again, run the example on it. The exit status is 1 if there is one.
//!
//! **Nothing counts twice.** A batch without a `source_request_id` gets one that follows from the number and text of
//! its lines. So the example may be stopped at any time and run again on the same file, unchanged, whatever its name.
//! mParticle remembers ids for 30 days at least.

mod arguments;
mod entries;
mod failed_file;
mod line;
mod reading;
#[path = "../support/mod.rs"]
mod support;

use arguments::Arguments;
use failed_file::FailedFile;
use futures_util::stream;
use indicatif::{ProgressBar, ProgressStyle};
use mparticle_client::models::{Batch, Environment};
use mparticle_client::{FailedBatch, Outcome};
use reading::Reading;
use std::fs::File;
use std::process::ExitCode;
use std::time::Duration;
use support::{Destination, Failure};
use tokio::sync::mpsc;

/// How many batches are read ahead of the upload.
const READ_AHEAD: usize = 256;

/// With so many failures something is wrong that will not pass; they are held in memory until the end, too.
const MOST_FAILURES: usize = 10_000;

/// How many failures are shown.
const SHOWN: usize = 10;

#[tokio::main]
async fn main() -> Result<ExitCode, Failure> {
    support::start_log();
    let arguments = Arguments::parse(std::env::args_os().skip(1))?;
    let input = File::open(&arguments.input).map_err(|error| arguments.about_input(&error))?;
    let failed_file = FailedFile::new(&arguments)?;
    let destination = Destination::from_env().await?;
    let client = destination.client_builder().environment(Environment::Production).build()?;
    let progress = progress_bar(&input)?;

    // Reading blocks, so it has a thread of its own, which waits when the upload is slower.
    let (sender, mut batches) = mpsc::channel::<Batch>(READ_AHEAD);
    let reading = Reading::new(input, failed_file, progress.clone());
    let reading = tokio::task::spawn_blocking(move || reading.run(&sender));

    let (mut delivered, mut failed) = (0_u64, 0_u64);
    let count = |outcome: Outcome<'_>| {
        match outcome {
            Outcome::Delivered { .. } => delivered += 1,
            _ => failed += 1,
        }
        progress.set_message(format!("{delivered} delivered, {failed} failed"));
    };
    let mut upload = client
        .upload_all_stream(stream::poll_fn(|context| batches.poll_recv(context)))
        .max_rate_limit_wait(Duration::from_secs(60 * 60))
        .stop_after_failures(MOST_FAILURES)
        .on_outcome(count);
    if arguments.historical {
        upload = upload.historical();
    }
    let report = upload.await;

    // If the upload has stopped early, the rest of the file goes to the failed file: what was read ahead from here, and
    // all that follows from the thread, which notices that the channel is closed.
    batches.close();
    let mut read_ahead = Vec::new();
    while let Some(batch) = batches.recv().await {
        read_ahead.push(batch);
    }
    let Reading { mut failed_file, malformed, mut held_back, outcome, .. } = reading.await?;
    held_back += read_ahead.len();
    progress.finish();

    let (delivered, requests) = (report.delivered(), report.requests());
    if let Some(stopped) = report.stopped() {
        eprintln!("The upload stopped early: {stopped}.");
    }
    let failures = report.into_failed();
    show(&failures);
    let failed = failures.len();
    for batch in failures.into_iter().flat_map(FailedBatch::into_batches).chain(read_ahead) {
        failed_file.keep_batch(&batch)?;
    }
    let failed_file = failed_file.finish()?;

    println!("Delivered {delivered} batches; requests: {requests}.");
    destination.print_received();
    if let Some(path) = &failed_file {
        println!(
            "Failed: {failed} batches; not tried: {held_back}; unreadable lines: {malformed}."
        );
        println!("They are in {}. Run this on that file to try again.", path.display());
    }
    outcome.map_err(|error| arguments.about_input(&error))?;
    Ok(if failed_file.is_none() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(failures: &[FailedBatch]) {
    for failed in failures.iter().take(SHOWN) {
        eprintln!("batch {}: {:#}", failed.source_request_id(), failed.error());
    }
    if failures.len() > SHOWN {
        eprintln!("and {} more", failures.len() - SHOWN);
    }
}

fn progress_bar(input: &File) -> Result<ProgressBar, Failure> {
    let form = "{wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left; {msg}";
    let style = ProgressStyle::with_template(form)?;
    Ok(ProgressBar::new(input.metadata()?.len()).with_style(style))
}
