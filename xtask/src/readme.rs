//! Writes or checks the tables of `schema/README.md`, which are generated from `schema/differences.toml`.

use std::fs;
use std::path::Path;

use mparticle_codegen::drift::Readme;
use mparticle_codegen::{diagnostic, drift};

use crate::arguments::Task;
use crate::codegen;

/// Writes or checks the README in the folder of a schema. The error is the text to print.
pub(crate) fn sync(schema: &Path, task: Task) -> Result<(), String> {
    let readme = drift::readme(schema)
        .map_err(|diagnostics| diagnostic::render(&diagnostics, codegen::colored()))?;
    if readme.found == readme.expected {
        return Ok(());
    }
    match task {
        Task::Check => Err(complaint(&readme)),
        Task::Write => {
            fs::write(&readme.path, &readme.expected).map_err(|error| {
                format!("error: cannot write {}: {error}", readme.path.display())
            })?;
            println!("{}: 1 written", codegen::shown(&readme.path).display());
            Ok(())
        }
    }
}

/// Returns the first line that differs, and the command that updates the file.
fn complaint(readme: &Readme) -> String {
    let (mut found, mut expected) = (readme.found.lines(), readme.expected.lines());
    let mut line = 1;
    let (found, expected) = loop {
        match (found.next(), expected.next()) {
            (Some(found), Some(expected)) if found == expected => line += 1,
            (found, expected) => break (found, expected),
        }
    };
    let end = "(end of the file)";
    format!(
        "{} is not what differences.toml generates, line {line}:\n    found    | {}\n    expected | {}\n\n\
         to update it, run: cargo xtask codegen",
        codegen::shown(&readme.path).display(),
        found.unwrap_or(end),
        expected.unwrap_or(end),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_readme_is_refused_by_the_check_and_written_otherwise() {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("../codegen/tests/drift/schema");
        let folder = std::env::temp_dir().join(format!("xtask-readme-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for entry in fs::read_dir(&fixture).unwrap().map(Result::unwrap) {
            fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
        }
        let path = folder.join("README.md");
        let fresh = fs::read_to_string(&path).unwrap();
        let stale = fresh.replace("80 characters", "8 characters");
        fs::write(&path, &stale).unwrap();
        let complaint = sync(&folder, Task::Check).unwrap_err();
        let after_check = fs::read_to_string(&path).unwrap();
        sync(&folder, Task::Write).unwrap();
        let after_write = fs::read_to_string(&path).unwrap();
        let fresh_again = sync(&folder, Task::Check);
        fs::remove_dir_all(&folder).unwrap();
        assert!(complaint.contains("    found    | | `note` | words to the seller | 8 characters"));
        assert_eq!(after_check, stale);
        assert_eq!(after_write, fresh);
        assert_eq!(fresh_again, Ok(()));
    }

    #[test]
    fn a_stale_readme_is_named_with_its_first_line_and_the_command() {
        let readme = |found: &str, expected: &str| Readme {
            path: "README.md".into(),
            found: found.to_owned(),
            expected: expected.to_owned(),
        };
        let head = "README.md is not what differences.toml generates, line 2:\n";
        let end = "\n\nto update it, run: cargo xtask codegen";
        assert_eq!(
            complaint(&readme("a\nb\nc\n", "a\nx\nc\n")),
            format!("{head}    found    | b\n    expected | x{end}")
        );
        assert_eq!(
            complaint(&readme("a\n", "a\nx\n")),
            format!("{head}    found    | (end of the file)\n    expected | x{end}")
        );
    }
}
