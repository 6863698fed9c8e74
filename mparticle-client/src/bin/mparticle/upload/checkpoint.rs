//! The checkpoint: a file beside the input that says which records are done.
//!
//! Its first line is a JSON object that describes the input. Each further line adds what was done since:
//!
//! - `done RECORD CHECKSUM`: all records up to this one, whose text has this checksum
//! - `also FIRST LAST`: these records as well
//! - `failed PATH`: failures of this input are in this file
//!
//! Lines are only appended. A last line without a line break was cut off by a crash and is ignored.

use super::done::Done;
use super::pending_records::Progress;
use crate::failure::Failure;
use crate::input::{Mark, Namespace};
use fs4::{FileExt, TryLockError};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The version of the format.
const VERSION: u32 = 1;

/// How every checkpoint begins.
const BEGINNING: &[u8] = b"{\"mparticle_checkpoint\":";

/// How often the file is synced to disk. What was written survives the death of the process without that.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// The first line of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    mparticle_checkpoint: u32,
    pub(crate) input: String,
    pub(crate) namespace: Namespace,
    /// The time at which the ages of events are measured, the same in all runs.
    pub(crate) started_unixtime_ms: u64,
}

impl Header {
    pub(crate) fn new(input: String, namespace: Namespace, started_unixtime_ms: u64) -> Self {
        Self { mparticle_checkpoint: VERSION, input, namespace, started_unixtime_ms }
    }

    fn to_json(&self) -> String {
        // A struct of text and numbers can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// A checkpoint that is locked for this process.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    pub(crate) path: PathBuf,
    file: File,
    synced: Instant,
    written: Mark,
}

/// What a checkpoint says.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) header: Header,
    pub(crate) done: Done,
    pub(crate) failed: Option<PathBuf>,
}

impl Checkpoint {
    /// Opens a checkpoint, or creates it with a header.
    pub(crate) fn open(path: &Path, header: Header) -> Result<(Self, Content), Failure> {
        let failure = |error: io::Error| Failure::of_file(path, &error);
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        let mut file = options.open(path).map_err(failure)?;
        match FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let message =
                    format!("{} is in use: another upload of the input runs", path.display());
                return Err(Failure::new(message));
            }
            Err(TryLockError::Error(error)) => return Err(failure(error)),
        }
        let mut text = Vec::new();
        file.read_to_end(&mut text).map_err(failure)?;
        let complete = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let content = Content::parse(&text, complete)
            .map_err(|why| Failure::new(format!("{}: {why}", path.display())))?;
        // Only now is it certain that the file is a checkpoint.
        file.set_len(complete as u64).map_err(failure)?;
        file.seek(SeekFrom::End(0)).map_err(failure)?;
        let mut checkpoint =
            Self { path: path.to_owned(), file, synced: Instant::now(), written: Mark::default() };
        if let Some(content) = content {
            return Ok((checkpoint, content));
        }
        checkpoint.file.write_all(format!("{}\n", header.to_json()).as_bytes()).map_err(failure)?;
        checkpoint.file.sync_data().map_err(failure)?;
        Ok((checkpoint, Content { header, done: Done::default(), failed: None }))
    }

    /// Appends how far the upload has come since the last time.
    pub(crate) fn append(&mut self, progress: &Progress) -> io::Result<()> {
        let Progress { low, beyond } = progress;
        if *low == self.written && beyond.is_empty() {
            return Ok(());
        }
        self.written = *low;
        let Mark { record, checksum } = low;
        let mut lines = format!("done {record} {checksum}\n");
        for (first, last) in beyond {
            // Writing to a string never fails.
            _ = writeln!(lines, "also {first} {last}");
        }
        self.file.write_all(lines.as_bytes())
    }

    /// Appends the name of the file with the failures.
    pub(crate) fn append_failed(&mut self, failed: &Path) -> io::Result<()> {
        let failed = std::path::absolute(failed)?;
        let name = failed.to_str().filter(|name| !name.contains('\n'));
        let name =
            name.ok_or_else(|| io::Error::other("the name of the failed file is no text"))?;
        self.file.write_all(format!("failed {name}\n").as_bytes())
    }

    /// Whether it is time to sync.
    pub(crate) fn is_sync_due(&self) -> bool {
        self.synced.elapsed() >= SYNC_EVERY
    }

    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.synced = Instant::now();
        self.file.sync_data()
    }
}

impl Content {
    /// Parses the complete lines of a checkpoint. `None` if there is none.
    fn parse(text: &[u8], complete: usize) -> Result<Option<Self>, String> {
        let no_checkpoint = || "this is no checkpoint, and is not overwritten".to_owned();
        let is_begun = text.starts_with(BEGINNING) || BEGINNING.starts_with(text);
        if !is_begun {
            return Err(no_checkpoint());
        }
        let Some(text) = text.get(..complete).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let text = std::str::from_utf8(text).map_err(|_| no_checkpoint())?;
        let mut lines = text.lines();
        let first = lines.next().unwrap_or_default();
        let version = serde_json::from_str::<serde_json::Value>(first)
            .ok()
            .and_then(|header| header.get("mparticle_checkpoint")?.as_u64())
            .ok_or_else(no_checkpoint)?;
        if version != u64::from(VERSION) {
            return Err(format!(
                "the checkpoint has version {version}, and this program reads version {VERSION}"
            ));
        }
        let header: Header = serde_json::from_str(first).map_err(|error| error.to_string())?;
        let (mut low, mut beyond, mut failed) = (Mark::default(), Vec::new(), None);
        for (number, line) in (2..).zip(lines) {
            let damaged = || format!("line {number} of the checkpoint is damaged");
            let numbers = |text: &str| {
                let (one, other) = text.split_once(' ')?;
                Some((one.parse::<u64>().ok()?, other.parse::<u64>().ok()?))
            };
            match line.split_once(' ') {
                Some(("failed", path)) => failed = Some(PathBuf::from(path)),
                Some(("also", range)) => beyond.push(numbers(range).ok_or_else(damaged)?),
                Some(("done", place)) => {
                    let (record, checksum) = numbers(place).ok_or_else(damaged)?;
                    let checksum = u32::try_from(checksum).map_err(|_| damaged())?;
                    low = Mark { record, checksum };
                    // The ranges below are not needed any more.
                    beyond.retain(|(_, last)| *last > record);
                }
                _ => return Err(damaged()),
            }
        }
        Ok(Some(Self { header, done: Done::new(low, beyond), failed }))
    }
}

#[cfg(test)]
mod tests {
    use super::{Checkpoint, Done, Header, Mark, Progress};
    use crate::input::Namespace;
    use std::fs;

    fn header() -> Header {
        Header::new("in.jsonl".into(), Namespace::of_content(b"head"), 7)
    }

    #[test]
    fn a_checkpoint_says_what_was_appended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c");
        let (mut checkpoint, content) = Checkpoint::open(&path, header()).unwrap();
        assert_eq!((content.done, content.failed), (Done::default(), None));
        let mark = |record, checksum| Mark { record, checksum };
        for (low, beyond) in [(mark(0, 0), vec![(4, 6)]), (mark(5, 9), vec![(8, 8), (10, 12)])] {
            checkpoint.append(&Progress { low, beyond }).unwrap();
        }
        checkpoint.append_failed("/a b.jsonl".as_ref()).unwrap();
        drop(checkpoint);
        // A line that a crash has cut off.
        let mut text = fs::read_to_string(&path).unwrap();
        let complete = text.len();
        text.push_str("done 99");
        fs::write(&path, text).unwrap();
        let other = Header { started_unixtime_ms: 8, ..header() };
        let (_, content) = Checkpoint::open(&path, other).unwrap();
        assert_eq!(content.header, header());
        assert_eq!(content.done, Done::new(mark(5, 9), vec![(4, 6), (8, 8), (10, 12)]));
        assert_eq!(content.failed, Some("/a b.jsonl".into()));
        assert_eq!(fs::read(&path).unwrap().len(), complete);
    }

    #[test]
    fn a_checkpoint_belongs_to_one_run_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c");
        let open = Checkpoint::open(&path, header()).unwrap();
        let failure = Checkpoint::open(&path, header()).unwrap_err().to_string();
        assert!(failure.contains("is in use"), "{failure}");
        drop(open);
        assert!(Checkpoint::open(&path, header()).is_ok());
    }

    #[test]
    fn another_file_or_version_is_refused_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c");
        for (text, message) in [
            ("{\"mpid\":1}\n", "is no checkpoint"),
            ("hello\n", "is no checkpoint"),
            ("hello", "is no checkpoint"),
            ("one\ntwo", "is no checkpoint"),
            ("{\"mparticle_checkpoint\":2}\n", "has version 2"),
        ] {
            fs::write(&path, text).unwrap();
            let failure = Checkpoint::open(&path, header()).unwrap_err().to_string();
            assert!(failure.contains(message), "{failure}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        let line = header().to_json();
        // A header that a crash has cut off.
        for length in [0, 5, line.len()] {
            fs::write(&path, &line[..length]).unwrap();
            let (_, content) = Checkpoint::open(&path, header()).unwrap();
            assert_eq!(content.header, header());
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{line}\n"));
        }
        for damage in ["done 1", "done 1 -1", "also x 1", "more"] {
            fs::write(&path, format!("{line}\n{damage}\n")).unwrap();
            let failure = Checkpoint::open(&path, header()).unwrap_err().to_string();
            assert!(failure.contains("line 2 of the checkpoint is damaged"), "{failure}");
        }
    }
}
