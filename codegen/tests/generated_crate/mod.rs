//! A crate of generated modules beside a copy of `support`, to be compiled.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const MANIFEST: &str = r#"
[package]
name = "generated"
version = "0.0.0"
edition = "2024"

[dependencies]
serde = { version = "1", features = ["derive"] }
serde_json = "1"

[workspace]
"#;

/// Warnings are errors, except for features of the models and for what Rust thinks of letters.
const FLAGS: &str = "-D warnings -A unexpected_cfgs -A confusable_idents -A mixed_script_confusables \
                     -A uncommon_codepoints";

/// A crate in the folder for temporary files of the tests.
pub(crate) struct GeneratedCrate {
    folder: PathBuf,
}

impl GeneratedCrate {
    /// Creates an empty crate; what an earlier run left is deleted, but not what it compiled of the dependencies.
    pub(crate) fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let source = folder.join("src");
        if source.exists() {
            fs::remove_dir_all(&source).unwrap();
        }
        fs::create_dir_all(&source).unwrap();
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        copy_folder(&workspace.join("mparticle-models/src/support"), &source.join("support"));
        fs::write(folder.join("Cargo.toml"), MANIFEST).unwrap();
        // The versions are the same as ours. Nothing is therefore downloaded.
        fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        Self { folder }
    }

    /// The folder of a module, to generate into.
    pub(crate) fn module(&self, name: &str) -> PathBuf {
        self.folder.join("src").join(name)
    }

    /// Compiles every module there is; the error is what the compiler says.
    pub(crate) fn check(&self) -> Result<(), String> {
        let source = self.folder.join("src");
        let entries = fs::read_dir(&source).unwrap().map(|entry| entry.unwrap().file_name());
        let modules = entries.map(|name| format!("pub mod {};\n", name.to_str().unwrap()));
        let library: String = modules.collect();
        fs::write(source.join("lib.rs"), library).unwrap();
        let output = Command::new(env!("CARGO"))
            .args(["check", "--quiet", "--offline"])
            .current_dir(&self.folder)
            // All crates share what is compiled of the dependencies.
            .env("CARGO_TARGET_DIR", self.folder.with_file_name("generated-target"))
            .env("RUSTFLAGS", FLAGS)
            .output()
            .unwrap();
        let report = String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(()) } else { Err(report.into_owned()) }
    }
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
