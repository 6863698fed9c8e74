//! The schema that mParticle publishes, as it is, becomes Rust that compiles beside `support` alone.
//!
//! The published files are not ours to keep here: they are read from the folder that the environment variable
//! `MPARTICLE_REFERENCE` names.

#![allow(clippy::unwrap_used, reason = "a helper of a test may panic, too")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mparticle_codegen::diagnostic::render;
use mparticle_codegen::generate;

const SCHEMA: &str = "mparticle.inbound.eventsapi.schema.json";
const BULK_SCHEMA: &str = "mparticle.inbound.eventsapi.bulk.schema.json";

/// The folder of the published files, or none, said aloud.
fn reference() -> Option<PathBuf> {
    let folder = std::env::var_os("MPARTICLE_REFERENCE").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: MPARTICLE_REFERENCE is not set, so there is no published schema");
    }
    folder
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn the_published_schema_compiles_beside_support_alone() {
    let Some(reference) = reference() else { return };
    let overrides = workspace().join("schema/official.overrides.toml");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("published");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    generate(&reference.join(SCHEMA), Some(&overrides), &folder.join("src/generated"))
        .unwrap_or_else(|diagnostics| panic!("{}", render(&diagnostics, false)));
    write(&folder, "Cargo.toml", MANIFEST);
    write(&folder, "src/lib.rs", LIBRARY);
    copy_folder(&workspace().join("mparticle-models/src/support"), &folder.join("src/support"));
    // The same versions as ours, so that nothing is downloaded.
    fs::copy(workspace().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();

    let status = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--offline"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .env("RUSTFLAGS", "-D warnings -A unexpected_cfgs")
        .status()
        .unwrap();
    assert!(status.success(), "the output does not compile; see {}", folder.display());
}

#[test]
fn the_published_bulk_schema_leads_to_the_same_types() {
    let Some(reference) = reference() else { return };
    let overrides = workspace().join("schema/official.overrides.toml");
    let generated = |file: &str| {
        let out = tempfile::tempdir().unwrap();
        generate(&reference.join(file), Some(&overrides), out.path())
            .unwrap_or_else(|diagnostics| panic!("{}", render(&diagnostics, false)));
        fs::read_to_string(out.path().join("events_api.rs")).unwrap()
    };
    assert_eq!(generated(SCHEMA), generated(BULK_SCHEMA));
}

const MANIFEST: &str = r#"
[package]
name = "published"
version = "0.0.0"
edition = "2024"

[dependencies]
serde = { version = "1", features = ["derive"] }
serde_json = "1"

[workspace]
"#;

const LIBRARY: &str = "pub mod generated;\npub mod support;\n";

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
