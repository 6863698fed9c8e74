//! `mparticle upload`: delivers batches from files and pipes, and remembers what was delivered.
//!
//! For each input, a [`reader`] on a thread of its own makes batches and passes them to one upload for each endpoint. An
//! [`observer`] takes the results into the [`state`], which writes the [`checkpoint`] and the [`failed_file`] before
//! further requests are sent.

mod checkpoint;
mod done;
mod failed_file;
mod observer;
mod options;
mod pending_records;
mod progress;
mod reader;
mod run;
mod state;
mod stop;
mod summary;

pub(crate) use done::Done;
pub(crate) use options::Arguments;

use crate::failure::Failure;
use crate::output;
use crate::runtime::runtime;
use run::Run;
use std::process::ExitCode;
use std::sync::Arc;
use stop::Stop;
use summary::Summary;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let sources = arguments.sources()?;
    let mapping = arguments.mapping()?;
    let client = arguments.client()?;
    let options = Arc::new(arguments.options()?);
    let runtime = runtime()?;
    let mut summary = Summary::new(arguments.check);
    let uploaded: Result<(), Failure> = runtime.block_on(async {
        let stop = Stop::default();
        tokio::spawn(stop.clone().on_interrupt());
        for source in sources {
            if stop.reason().is_some() {
                break;
            }
            let (client, options, stop) = (client.clone(), Arc::clone(&options), stop.clone());
            let run = Run { arguments, mapping: mapping.as_ref(), source, client, options, stop };
            run.upload(&mut summary).await?;
        }
        // It may have been interrupted before the first record.
        summary.stop(stop.reason(), None);
        Ok(())
    });
    // A thread that waits for standard input does not keep the process.
    runtime.shutdown_background();
    if uploaded.is_ok() || summary.has_content() {
        output::print(if arguments.json { summary.json() } else { summary.text() })?;
    }
    uploaded?;
    Ok(if summary.is_complete() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
