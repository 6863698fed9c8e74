//! The file with what could not be delivered. It can be uploaded like any other input.

use crate::input::{Mapping, Problem, RecordText};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use mparticle_client::models::Batch;
use serde_json::{Map, Value, json};
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// A file that is created when the first line is written. It never replaces another file.
#[derive(Debug)]
pub(crate) struct FailedFile {
    /// The name of the file, if it is known.
    path: Option<PathBuf>,
    /// The name from which others are derived if a file with the name exists.
    base: PathBuf,
    open: Option<BufWriter<File>>,
    /// Whether something was written since the last sync.
    is_dirty: bool,
}

/// Where something failed, and why.
pub(crate) struct Why<'a> {
    pub(crate) file: &'a str,
    pub(crate) line: u64,
    pub(crate) problem: &'a Problem,
}

/// The first field of a line.
#[derive(serde::Serialize)]
struct Reason<'a> {
    file: &'a str,
    line: u64,
    rule: &'a str,
    pointer: &'a str,
    #[serde(rename = "reason")]
    message: &'a str,
}

impl FailedFile {
    /// A file with a name derived from an input, or the one that an earlier run has written.
    pub(crate) fn new(base: PathBuf, path: Option<PathBuf>) -> Self {
        Self { path, base, open: None, is_dirty: false }
    }

    /// Returns the name of the file if this run has written it.
    pub(crate) fn written(&self) -> Option<&Path> {
        self.open.as_ref().and(self.path.as_deref())
    }

    /// Writes a batch that was not delivered. Returns the name of the file if it was created.
    pub(crate) fn write_batch(
        &mut self,
        batch: &Batch,
        why: &Why<'_>,
    ) -> io::Result<Option<PathBuf>> {
        let content = serde_json::to_value(batch)?;
        self.write(why, [("batch", content)])
    }

    /// Writes a record that was not sent, as it was found.
    pub(crate) fn write_record(
        &mut self,
        text: &RecordText,
        mapping: Option<&Mapping>,
        why: &Why<'_>,
    ) -> io::Result<Option<PathBuf>> {
        match (text, mapping) {
            (RecordText::Json(text), _) => self.write(why, original(text)),
            (RecordText::Row(row), Some(mapping)) => {
                self.write(why, [("cells", json!(mapping.cells(row)))])
            }
            (RecordText::Row(row), None) => {
                self.write(why, [("text", json!(row.iter().collect::<Vec<_>>().join(",")))])
            }
            (RecordText::Refused(_), _) => self.write::<&str>(why, []),
        }
    }

    /// Makes what was written durable.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        let Some(file) = self.open.as_mut().filter(|_| self.is_dirty) else { return Ok(()) };
        file.flush()?;
        file.get_ref().sync_data()?;
        self.is_dirty = false;
        Ok(())
    }

    fn write<K: Into<String>>(
        &mut self,
        Why { file, line, problem }: &Why<'_>,
        content: impl IntoIterator<Item = (K, Value)>,
    ) -> io::Result<Option<PathBuf>> {
        let Problem { rule, pointer, message, .. } = problem;
        let failed = serde_json::to_string(&Reason { file, line: *line, rule, pointer, message })?;
        // The reason comes first, where it can be seen.
        let content: Map<String, Value> =
            content.into_iter().map(|(key, value)| (key.into(), value)).collect();
        let content = serde_json::to_string(&content)?;
        let rest = content.strip_prefix('{').unwrap_or_default();
        let comma = if rest == "}" { "" } else { "," };
        let created = self.create()?;
        self.is_dirty = true;
        if let Some(open) = &mut self.open {
            writeln!(open, "{{\"failed\":{failed}{comma}{rest}")?;
        }
        Ok(created)
    }

    /// Opens the file. Returns its name if it was created.
    fn create(&mut self) -> io::Result<Option<PathBuf>> {
        if self.open.is_some() {
            return Ok(None);
        }
        if let Some(path) = &self.path {
            let is_new = !path.exists();
            self.open = Some(BufWriter::new(open_to_append(path)?));
            return Ok(is_new.then(|| path.clone()));
        }
        for number in 1..1000 {
            let path = numbered(&self.base, number);
            match File::create_new(&path) {
                Ok(file) => {
                    sync_folder_of(&path)?;
                    self.open = Some(BufWriter::new(file));
                    self.path = Some(path.clone());
                    return Ok(Some(path));
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(ErrorKind::AlreadyExists, "there are 999 failed files of this input"))
    }
}

/// Returns the name of the failed file of an input: `NAME.failed.jsonl`, then `NAME.failed-2.jsonl`.
fn numbered(input: &Path, number: u32) -> PathBuf {
    let mut name = input.as_os_str().to_owned();
    match number {
        1 => name.push(".failed.jsonl"),
        _ => name.push(format!(".failed-{number}.jsonl")),
    }
    name.into()
}

/// Returns the name of an input without the ending of a failed file.
pub(crate) fn base_name(input: &Path) -> PathBuf {
    let base = input.to_str().and_then(|name| {
        let (base, number) = name.strip_suffix(".jsonl")?.rsplit_once(".failed")?;
        let is_number = number
            .strip_prefix('-')
            .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        (number.is_empty() || is_number).then(|| PathBuf::from(base))
    });
    base.unwrap_or_else(|| input.to_owned())
}

/// Returns the fields that hold a record of JSON: as a batch if it can be one, otherwise as text.
fn original(text: &[u8]) -> Vec<(String, Value)> {
    match serde_json::from_slice::<Value>(text) {
        // A line of a failed file that fails again.
        Ok(Value::Object(mut fields)) if fields.contains_key("failed") => {
            fields.remove("failed");
            fields.into_iter().collect()
        }
        Ok(Value::Object(fields)) if !fields.contains_key("event") && is_exact(text) => {
            vec![("batch".to_owned(), Value::Object(fields))]
        }
        _ => match std::str::from_utf8(text) {
            Ok(text) => vec![("text".to_owned(), text.into())],
            Err(_) => vec![("bytes".to_owned(), BASE64.encode(text).into())],
        },
    }
}

/// Whether JSON survives reading and writing: it has no repeated keys and no numbers that lose digits.
fn is_exact(text: &[u8]) -> bool {
    Batch::from_slice(text).is_ok()
}

/// Makes the name of a file durable.
#[cfg(unix)]
fn sync_folder_of(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Does nothing, because other systems than Unix have no such operation.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it fails on Unix")]
fn sync_folder_of(_: &Path) -> io::Result<()> {
    Ok(())
}

/// Opens a file to append lines. Removes a last line that a crash has cut off.
fn open_to_append(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    let mut end = file.metadata()?.len();
    while end > 0 {
        let start = end.saturating_sub(64 * 1024);
        file.seek(SeekFrom::Start(start))?;
        let mut part = Vec::new();
        (&mut file).take(end - start).read_to_end(&mut part)?;
        if let Some(place) = part.iter().rposition(|byte| *byte == b'\n') {
            end = start + place as u64 + 1;
            break;
        }
        end = start;
    }
    file.set_len(end)?;
    file.seek(SeekFrom::End(0))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::{FailedFile, Problem, RecordText, Why, base_name};
    use std::fs;
    use std::path::Path;

    const WHY: &str =
        r#"{"failed":{"file":"in","line":7,"rule":"type","pointer":"/a","reason":"bad"}"#;

    fn write(file: &mut FailedFile, text: &[u8]) -> Option<std::path::PathBuf> {
        let problem = Problem::new("type", "bad").at("/a");
        let why = Why { file: "in", line: 7, problem: &problem };
        file.write_record(&RecordText::Json(text.to_vec()), None, &why).unwrap()
    }

    #[test]
    fn a_record_is_kept_as_it_was_found() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("in");
        fs::write(folder.path().join("in.failed.jsonl"), "mine").unwrap();
        let mut file = FailedFile::new(base.clone(), None);
        assert_eq!(file.written(), None);
        let path = write(&mut file, br#"{"mpid":1}"#).unwrap();
        assert!(path.ends_with("in.failed-2.jsonl"));
        for text in [b"{oops".as_slice(), b"\xff", br#"{"mpid":{}}"#, br#"{"event":1}"#] {
            assert_eq!(write(&mut file, text), None);
        }
        write(&mut file, br#"{"failed":{"line":1},"text":"again"}"#);
        file.sync().unwrap();
        let expected = [
            r#""batch":{"mpid":1}}"#,
            r#""text":"{oops"}"#,
            r#""bytes":"/w=="}"#,
            r#""text":"{\"mpid\":{}}"}"#,
            r#""text":"{\"event\":1}"}"#,
            r#""text":"again"}"#,
        ]
        .map(|content| format!("{WHY},{content}"));
        assert_eq!(fs::read_to_string(&path).unwrap().lines().collect::<Vec<_>>(), expected);

        // A later run continues the same file after an incomplete line.
        let mut text = fs::read_to_string(&path).unwrap();
        text.push_str("{\"fail");
        fs::write(&path, text).unwrap();
        let mut file = FailedFile::new(base, Some(path.clone()));
        write(&mut file, b"last");
        file.sync().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 7);
        assert!(text.ends_with("\"text\":\"last\"}\n"));
    }

    #[test]
    fn the_failures_of_a_failed_file_are_numbered() {
        for (input, base) in [
            ("in.jsonl", "in.jsonl"),
            ("in.jsonl.failed.jsonl", "in.jsonl"),
            ("a/in.jsonl.failed-12.jsonl", "a/in.jsonl"),
            ("in.failed-x.jsonl", "in.failed-x.jsonl"),
        ] {
            assert_eq!(base_name(Path::new(input)), Path::new(base));
        }
    }
}
