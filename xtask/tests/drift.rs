//! The exit status of `cargo xtask drift` says whether something is left to do.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn schema() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema")
}

fn drift(path: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask")).arg("drift").arg(path).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn the_exit_status_is_zero_without_differences() {
    let output = drift(&schema());
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(text(&output.stdout), "0 differences from schema/\n");
}

#[test]
fn the_exit_status_is_one_with_a_difference() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("drift");
    fs::create_dir_all(&folder).unwrap();
    for entry in fs::read_dir(schema()).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
    }
    let screen = fs::read_to_string(folder.join("screen.json")).unwrap();
    let field = r#""depth": { "type": "number" }, "activity_type": {"#;
    fs::write(folder.join("screen.json"), screen.replace("\"activity_type\": {", field)).unwrap();
    let output = drift(&folder);
    assert_eq!(output.status.code(), Some(1));
    let place = "screen.json#/$defs/ScreenViewEvent/properties/depth";
    let expected =
        format!("adds field depth\n  --> {place}\n  ours: {place}\n\n1 difference from schema/\n");
    assert_eq!(text(&output.stderr), expected);
}

#[test]
fn a_file_that_does_not_exist_is_named() {
    let output = drift(Path::new("gone.json"));
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).starts_with("error[unreadable-file]: cannot read `gone.json`"));
}
