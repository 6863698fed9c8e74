//! Runs the command `mparticle` as a user does: as a process, against an emulator of mParticle in this process.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod bad_input;
mod emulator;
mod forms;
mod given_back;
mod help;
mod interrupts;
mod kills;
#[cfg(all(unix, feature = "jetstream"))]
#[path = "../fleet/server.rs"]
#[allow(clippy::panic, dead_code, reason = "the tests of fleets use more of it")]
mod nats_server;
mod plan;
mod plan_option;
mod process;
#[cfg(all(unix, feature = "jetstream"))]
mod relay;
mod resume;
mod server;
mod terminal;
mod upload;
mod validate;

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

/// A folder for the files of a test.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// The names of the files, in order.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

/// A line with a batch of one event.
fn batch(user: impl Into<i64>) -> String {
    let user = user.into();
    format!(
        r#"{{"environment":"development","mpid":{user},"events":[{{"event_type":"custom_event","data":{{"event_name":"e","custom_event_type":"other"}}}}]}}"#
    )
}

/// The same with a time in milliseconds.
fn batch_at(user: i64, millis: i64) -> String {
    batch(user)
        .replace("\"event_name\"", &format!("\"timestamp_unixtime_ms\":{millis},\"event_name\""))
}

/// A line with an event and its user.
fn event(user: i64, name: &str) -> String {
    format!(
        r#"{{"user":{{"mpid":{user}}},"event":{{"event_type":"custom_event","data":{{"event_name":"{name}","custom_event_type":"other"}}}}}}"#
    )
}

fn lines(lines: impl IntoIterator<Item = String>) -> String {
    lines.into_iter().map(|line| line + "\n").collect()
}

fn json_lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
