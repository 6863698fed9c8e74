//! Brings a folder in line with the generated files, or says where the two differ.
//!
//! One comparison serves writing and checking: [`sync`] lists the differences first and then, unless it
//! only checks, removes them. Files are compared byte for byte, so changed line endings count too.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

/// The word that marks a file as generated; it stands at the beginning of each.
pub const MARK: &str = "@generated";

/// How many lines of each side a stale file shows.
const SHOWN_LINES: usize = 3;

/// How far into a file [`MARK`] is looked for, in bytes.
const MARK_WITHIN: usize = 1024;

/// What to do about differences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Report them, touch nothing.
    Check,
    /// Write what is stale or missing and delete every other file: the folder belongs to the generator.
    Write,
    /// As [`Mode::Write`], in a folder that may hold somebody's own work: if a file to delete does not
    /// carry the [`MARK`], nothing is touched and the error names it.
    WriteGuarded,
}

/// A file that is not as the generator would have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The file's path relative to the folder, with `/` between its parts. It ends in `/` for an empty folder.
    pub path: String,
    /// How it differs.
    pub kind: DifferenceKind,
}

/// How a file differs from what the generator makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DifferenceKind {
    /// Its contents are other ones.
    Stale {
        /// The first line that differs, counted from 1.
        line: usize,
        /// The generated lines from there on, a few of them.
        expected: Vec<String>,
        /// The lines that stand in the file instead.
        found: Vec<String>,
    },
    /// It does not exist.
    Missing,
    /// It exists, though nothing generates it.
    Orphaned,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        match &self.kind {
            DifferenceKind::Missing => write!(f, "missing: {path}"),
            DifferenceKind::Orphaned => write!(f, "orphaned: {path}"),
            DifferenceKind::Stale { line, expected, found } => {
                write!(f, "stale: {path}, line {line}:")?;
                for (label, lines) in [("found", found), ("expected", expected)] {
                    if lines.is_empty() {
                        write!(f, "\n    {label:<8} (end of the file)")?;
                    }
                    for (index, text) in lines.iter().enumerate() {
                        let label = if index == 0 { label } else { "" };
                        write!(f, "\n    {label:<8} | {text}")?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// Compares `dir` with `files` (relative paths with `/`, and contents) and acts as `mode` says.
///
/// Returns every difference there was, in the order of the paths. A folder that does not exist is an empty one.
///
/// # Errors
/// When the folder cannot be read or written, and when [`Mode::WriteGuarded`] meets a file it must not delete.
pub fn sync(
    dir: &Path,
    files: &BTreeMap<String, String>,
    mode: Mode,
) -> io::Result<Vec<Difference>> {
    let present = list(dir)?;
    let differences = compare(files, &present)?;
    if mode == Mode::WriteGuarded {
        guard(dir, &present, &differences)?;
    }
    if mode != Mode::Check {
        apply(dir, files, &present, &differences)?;
    }
    Ok(differences)
}

/// Everything below `dir` that is not a folder with something in it, by its relative path.
fn list(dir: &Path) -> io::Result<BTreeMap<String, PathBuf>> {
    let mut present = BTreeMap::new();
    let mut folders = vec![(String::new(), dir.to_path_buf())];
    while let Some((prefix, folder)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if prefix.is_empty() && error.kind() == io::ErrorKind::NotFound => break,
            entries => entries.map_err(|error| at(&folder, &error))?,
        };
        let mut empty = true;
        for entry in entries {
            let entry = entry?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                folders.push((format!("{path}/"), entry.path()));
            } else {
                present.insert(path, entry.path());
            }
            empty = false;
        }
        if empty && !prefix.is_empty() {
            present.insert(prefix, folder);
        }
    }
    Ok(present)
}

fn compare(
    files: &BTreeMap<String, String>,
    present: &BTreeMap<String, PathBuf>,
) -> io::Result<Vec<Difference>> {
    let mut differences = Vec::new();
    let paths: BTreeSet<&String> = files.keys().chain(present.keys()).collect();
    for path in paths {
        let kind = match (files.get(path), present.get(path)) {
            (Some(expected), Some(place)) => {
                let found = fs::read(place).map_err(|error| at(place, &error))?;
                stale(expected, &found)
            }
            (Some(_), None) => Some(DifferenceKind::Missing),
            (None, _) => Some(DifferenceKind::Orphaned),
        };
        differences.extend(kind.map(|kind| Difference { path: path.clone(), kind }));
    }
    Ok(differences)
}

/// Where two texts begin to differ, if they do.
fn stale(expected: &str, found: &[u8]) -> Option<DifferenceKind> {
    if expected.as_bytes() == found {
        return None;
    }
    let found = String::from_utf8_lossy(found);
    let same = expected
        .split_inclusive('\n')
        .zip(found.split_inclusive('\n'))
        .take_while(|(expected, found)| expected == found)
        .count();
    let from = |text: &str| {
        let lines = text.split_inclusive('\n').skip(same);
        lines.take(SHOWN_LINES).map(visible).collect()
    };
    Some(DifferenceKind::Stale { line: same + 1, expected: from(expected), found: from(&found) })
}

/// A line without its end, with what cannot be seen written out.
fn visible(line: &str) -> String {
    let (line, end) = match line.strip_suffix('\n') {
        Some(line) => (line, ""),
        None => (line, " (no newline at the end)"),
    };
    let escape = |c: char| {
        if c.is_control() { c.escape_default().to_string() } else { c.into() }
    };
    line.chars().map(escape).chain([end.to_owned()]).collect()
}

/// Refuses when a file that would be deleted was not generated.
fn guard(
    dir: &Path,
    present: &BTreeMap<String, PathBuf>,
    differences: &[Difference],
) -> io::Result<()> {
    let mut foreign = Vec::new();
    for (path, place) in orphans(present, differences) {
        if path.ends_with('/') || !is_marked(place)? {
            foreign.push(path);
        }
    }
    if foreign.is_empty() {
        return Ok(());
    }
    let message = format!(
        "{} holds what was not generated: {}; nothing was written, choose an empty folder or move this away",
        dir.display(),
        foreign.join(", "),
    );
    Err(io::Error::new(io::ErrorKind::AlreadyExists, message))
}

fn orphans<'a>(
    present: &'a BTreeMap<String, PathBuf>,
    differences: &[Difference],
) -> impl Iterator<Item = (&'a str, &'a Path)> {
    let orphaned = differences.iter().filter(|d| d.kind == DifferenceKind::Orphaned);
    orphaned
        .filter_map(|d| present.get_key_value(&d.path))
        .map(|(path, place)| (path.as_str(), place.as_path()))
}

fn is_marked(place: &Path) -> io::Result<bool> {
    let contents = fs::read(place).map_err(|error| at(place, &error))?;
    let beginning = contents.get(..MARK_WITHIN).unwrap_or(&contents);
    Ok(beginning.windows(MARK.len()).any(|window| window == MARK.as_bytes()))
}

/// Removes the differences: orphans first, because a file may stand where a folder has to be, or the other way round.
fn apply(
    dir: &Path,
    files: &BTreeMap<String, String>,
    present: &BTreeMap<String, PathBuf>,
    differences: &[Difference],
) -> io::Result<()> {
    for (path, place) in orphans(present, differences) {
        let removed =
            if path.ends_with('/') { fs::remove_dir(place) } else { fs::remove_file(place) };
        removed.map_err(|error| at(place, &error))?;
        remove_empty_folders(dir, place);
    }
    for difference in differences {
        if let Some(contents) = files.get(&difference.path) {
            let place = dir.join(&difference.path);
            let folder = place.parent().unwrap_or(dir);
            fs::create_dir_all(folder).map_err(|error| at(folder, &error))?;
            fs::write(&place, contents).map_err(|error| at(&place, &error))?;
        }
    }
    Ok(())
}

/// Removes the folders between `dir` and `place` as far as they are empty now; one that is not stops it.
fn remove_empty_folders(dir: &Path, place: &Path) {
    let folders = place.ancestors().skip(1).take_while(|folder| *folder != dir);
    for folder in folders {
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
}

/// The same error with the place in its message.
fn at(place: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", place.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// A folder that is deleted when the test ends.
    struct Folder(PathBuf);

    impl Folder {
        /// A folder with two generated files, as `files()` has them.
        fn new() -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let name = format!("mparticle-codegen-output-{}-{number}", std::process::id());
            let folder = Self(std::env::temp_dir().join(name));
            sync(&folder.0, &files(), Mode::Write).unwrap();
            folder
        }

        fn put(&self, path: &str, contents: impl AsRef<[u8]>) {
            let place = self.0.join(path);
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(place, contents).unwrap();
        }

        fn read(&self, path: &str) -> String {
            fs::read_to_string(self.0.join(path)).unwrap()
        }

        fn check(&self) -> Vec<String> {
            let differences = sync(&self.0, &files(), Mode::Check).unwrap();
            differences.iter().map(ToString::to_string).collect()
        }

        /// Writes, and proves that nothing is left to do.
        fn mend(&self) {
            sync(&self.0, &files(), Mode::Write).unwrap();
            assert_eq!(self.check(), Vec::<String>::new());
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn files() -> BTreeMap<String, String> {
        [("mod.rs", "// @generated\nmod a;\n"), ("sub/a.rs", "// @generated\n1\n2\n3\n4\n5\n")]
            .map(|(path, contents)| (path.to_owned(), contents.to_owned()))
            .into()
    }

    #[test]
    fn a_written_folder_has_no_differences() {
        assert_eq!(Folder::new().check(), Vec::<String>::new());
    }

    #[test]
    fn every_way_to_break_a_file_is_reported_with_its_first_lines_and_mended() {
        let cases = [
            (
                "// @generated\n1\nx\n3\ny\n5\n",
                "stale: sub/a.rs, line 3:\n    found    | x\n             | 3\n             | y\n    \
                 expected | 2\n             | 3\n             | 4",
            ),
            (
                "// @generated\n1\n2\n3\n4\n5",
                "stale: sub/a.rs, line 6:\n    found    | 5 (no newline at the end)\n    expected | 5",
            ),
            (
                "// @generated\n1\n2\n3\n4\n5\n\n",
                "stale: sub/a.rs, line 7:\n    found    | \n    expected (end of the file)",
            ),
            (
                "",
                "stale: sub/a.rs, line 1:\n    found    (end of the file)\n    expected | // @generated\n             \
                 | 1\n             | 2",
            ),
            (
                "// @generated\r\n1\r\n",
                "stale: sub/a.rs, line 1:\n    found    | // @generated\\r\n             | 1\\r\n    \
                 expected | // @generated\n             | 1\n             | 2",
            ),
        ];
        for (contents, report) in cases {
            let folder = Folder::new();
            folder.put("sub/a.rs", contents);
            assert_eq!(folder.check(), [report]);
            folder.mend();
        }
    }

    #[test]
    fn a_file_that_is_not_text_is_stale() {
        let folder = Folder::new();
        folder.put("mod.rs", [0xff, 0xfe, b'\n']);
        assert_eq!(folder.check().len(), 1);
        folder.mend();
    }

    #[test]
    fn a_missing_file_is_reported_and_written() {
        let folder = Folder::new();
        fs::remove_dir_all(folder.0.join("sub")).unwrap();
        assert_eq!(folder.check(), ["missing: sub/a.rs"]);
        folder.mend();
    }

    #[test]
    fn orphaned_files_and_folders_are_reported_and_deleted() {
        let folder = Folder::new();
        folder.put("b.rs", "");
        folder.put("deep/er/c.rs", "");
        fs::create_dir_all(folder.0.join("empty/too")).unwrap();
        assert_eq!(
            folder.check(),
            ["orphaned: b.rs", "orphaned: deep/er/c.rs", "orphaned: empty/too/"]
        );
        folder.mend();
        assert!(!folder.0.join("deep").exists() && !folder.0.join("empty").exists());
    }

    #[test]
    fn files_and_folders_that_stand_in_each_others_place_are_swapped() {
        let folder = Folder::new();
        fs::remove_dir_all(folder.0.join("sub")).unwrap();
        fs::remove_file(folder.0.join("mod.rs")).unwrap();
        folder.put("sub", "");
        folder.put("mod.rs/x", "");
        assert_eq!(
            folder.check(),
            ["missing: mod.rs", "orphaned: mod.rs/x", "orphaned: sub", "missing: sub/a.rs"]
        );
        folder.mend();
    }

    #[test]
    fn checking_touches_nothing() {
        let folder = Folder::new();
        folder.put("mod.rs", "changed");
        folder.put("orphan.rs", "");
        folder.check();
        assert_eq!(folder.read("mod.rs"), "changed");
        assert!(folder.0.join("orphan.rs").exists());
    }

    #[test]
    fn only_files_that_differ_are_written() {
        let folder = Folder::new();
        let modified = |path: &str| fs::metadata(folder.0.join(path)).unwrap().modified().unwrap();
        let before = modified("mod.rs");
        folder.put("sub/a.rs", "changed");
        std::thread::sleep(std::time::Duration::from_millis(20));
        let differences = sync(&folder.0, &files(), Mode::Write).unwrap();
        assert_eq!(differences.len(), 1);
        assert_eq!(modified("mod.rs"), before);
    }

    #[test]
    fn guarded_writing_deletes_marked_files_only() {
        let folder = Folder::new();
        folder.put("old.rs", "// @generated by an earlier run\n");
        sync(&folder.0, &files(), Mode::WriteGuarded).unwrap();
        assert_eq!(folder.check(), Vec::<String>::new());

        folder.put("mod.rs", "stale");
        folder.put("thesis.txt", "not generated");
        let error = sync(&folder.0, &files(), Mode::WriteGuarded).unwrap_err().to_string();
        assert!(error.contains("was not generated: thesis.txt;"), "{error}");
        assert_eq!(folder.read("thesis.txt"), "not generated");
        assert_eq!(folder.read("mod.rs"), "stale");
    }

    #[test]
    fn an_unreadable_place_is_named() {
        let folder = Folder::new();
        let error = sync(&folder.0.join("mod.rs"), &files(), Mode::Check).unwrap_err().to_string();
        assert!(error.contains("mod.rs: "), "{error}");
    }
}
