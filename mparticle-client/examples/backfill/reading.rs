//! The thread that reads: from the file into the channel, or into the failed file.

use super::FailedFile;
use super::entries::{Entries, Entry};
use indicatif::ProgressBar;
use mparticle_client::models::Batch;
use std::fs::File;
use std::io::{self, BufReader};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::SendError;

/// The file while it is read, and what came of it.
pub(crate) struct Reading {
    input: Option<File>,
    progress: ProgressBar,
    pub(crate) failed_file: FailedFile,
    /// How many lines are neither a batch nor an event.
    pub(crate) malformed: usize,
    /// How many batches were read after the upload had stopped.
    pub(crate) held_back: usize,
    /// Whether all of the file was read.
    pub(crate) outcome: io::Result<()>,
}

impl Reading {
    pub(crate) fn new(input: File, failed_file: FailedFile, progress: ProgressBar) -> Self {
        let input = Some(input);
        Self { input, progress, failed_file, malformed: 0, held_back: 0, outcome: Ok(()) }
    }

    /// Reads to the end of the file.
    pub(crate) fn run(mut self, batches: &Sender<Batch>) -> Self {
        if let Some(input) = self.input.take() {
            self.outcome = self.read(input, batches);
        }
        self
    }

    fn read(&mut self, input: File, batches: &Sender<Batch>) -> io::Result<()> {
        let mut entries = Entries::new(BufReader::new(input));
        while let Some(entry) = entries.next()? {
            match entry {
                Entry::Batch(batch) => {
                    if let Err(SendError(batch)) = batches.blocking_send(*batch) {
                        self.failed_file.keep_batch(&batch)?;
                        self.held_back += 1;
                    }
                }
                Entry::Malformed { number, text, reason } => {
                    self.progress.suspend(|| eprintln!("line {number}: {reason}"));
                    self.failed_file.keep_line(&text)?;
                    self.malformed += 1;
                }
            }
            self.progress.set_position(entries.bytes_read());
        }
        Ok(())
    }
}
