//! A crate of files that were generated from data plans, to be compiled and run beside the models.

#![allow(dead_code, reason = "no test uses all of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A crate in the folder for temporary files of the tests.
pub(crate) struct PlanCrate {
    folder: PathBuf,
}

impl PlanCrate {
    /// Creates an empty crate. What an earlier run left is deleted, but not what it compiled of the dependencies.
    pub(crate) fn new(name: &str) -> Self {
        let folder = target().join("plans").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(folder.join("src")).unwrap();
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let models = workspace.join("mparticle-models");
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
             [dependencies]\nmparticle-models = {{ path = \"{}\", features = [\"data-plan\"] }}\n\n\
             [workspace]\n",
            models.display()
        );
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        // The same versions as ours, so that nothing is downloaded.
        fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        Self { folder }
    }

    /// Returns the path of a source file.
    pub(crate) fn source(&self, name: &str) -> PathBuf {
        self.folder.join("src").join(name)
    }

    /// Returns the path of a file beside the manifest.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.source(name), text).unwrap();
    }

    /// Runs a command of Cargo.
    pub(crate) fn cargo(&self, words: &str) -> Output {
        Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(words.split_whitespace())
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", target().join("plans/target"))
            // Nobody debugs it, or builds it twice.
            .env("CARGO_PROFILE_DEV_DEBUG", "false")
            .env("CARGO_INCREMENTAL", "0")
            .env_remove("RUSTFLAGS")
            .output()
            .unwrap()
    }

    /// Runs a command of Cargo, which has to succeed, and returns what it prints.
    pub(crate) fn succeed(&self, words: &str) -> String {
        let output = self.cargo(words);
        let errors = String::from_utf8_lossy(&output.stderr);
        let shown: String = errors.chars().take(8000).collect();
        assert!(output.status.success(), "cargo {words} failed:\n{shown}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a command of Cargo, which has to fail, and returns the errors of the compiler.
    pub(crate) fn fail(&self, words: &str) -> String {
        let output = self.cargo(words);
        assert!(!output.status.success(), "cargo {words} succeeded");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

/// The folder for temporary files of the tests.
fn target() -> PathBuf {
    // `target/debug/deps/test-program`
    let program = std::env::current_exe().unwrap();
    program.ancestors().nth(3).unwrap().join("tmp")
}

/// The data plans in the folder that `MPARTICLE_REFERENCE` names: those with a document.
pub(crate) fn reference() -> Vec<PathBuf> {
    let Some(folder) = std::env::var_os("MPARTICLE_REFERENCE") else {
        println!("skipped: MPARTICLE_REFERENCE is not set, so there are no data plans of others");
        return Vec::new();
    };
    let folder = Path::new(&folder).join("data-plans");
    let folders = ["documents", "plans", "versions"].map(|name| folder.join(name));
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap());
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Two of the files list plans without documents.
pub(crate) fn has_document(path: &Path) -> bool {
    fs::read_to_string(path).unwrap().contains("\"data_points\"")
}
