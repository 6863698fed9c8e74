//! Reads the file on a thread of its own, and sends batches to the upload.

use super::FailedFile;
use super::entries::{Entries, Entry};
use indicatif::ProgressBar;
use mparticle_client::models::Batch;
use std::fs::File;
use std::io::{self, BufReader};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::SendError;

/// Reads the input file. After [`run`](Self::run) it contains the result.
pub(crate) struct Reader {
    input: Option<File>,
    progress: ProgressBar,
    pub(crate) failed_file: FailedFile,
    /// The number of lines that could not be parsed.
    pub(crate) malformed: usize,
    /// The number of batches that were read after the upload had stopped.
    pub(crate) not_sent: usize,
    /// Whether the whole file was read.
    pub(crate) result: io::Result<()>,
}

impl Reader {
    pub(crate) fn new(input: File, failed_file: FailedFile, progress: ProgressBar) -> Self {
        let input = Some(input);
        Self { input, progress, failed_file, malformed: 0, not_sent: 0, result: Ok(()) }
    }

    /// Reads the whole file. Batches that the upload no longer accepts, and malformed lines, are written to the failed
    /// file.
    pub(crate) fn run(mut self, batches: &Sender<Batch>) -> Self {
        if let Some(input) = self.input.take() {
            self.result = self.read(input, batches);
        }
        self
    }

    fn read(&mut self, input: File, batches: &Sender<Batch>) -> io::Result<()> {
        let mut entries = Entries::new(BufReader::new(input));
        while let Some(entry) = entries.next()? {
            match entry {
                Entry::Batch(batch) => {
                    if let Err(SendError(batch)) = batches.blocking_send(*batch) {
                        self.failed_file.write_batch(&batch)?;
                        self.not_sent += 1;
                    }
                }
                Entry::Malformed { number, text, reason } => {
                    self.progress.suspend(|| eprintln!("line {number}: {reason}"));
                    self.failed_file.write_line(&text)?;
                    self.malformed += 1;
                }
            }
            self.progress.set_position(entries.bytes_read());
        }
        Ok(())
    }
}
