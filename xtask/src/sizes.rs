//! `cargo xtask sizes`: measures how a minimal program builds that uses the client, and the same for comparable crates.
//!
//! Each program is a package of its own in `target/sizes`, built in release mode with the newest versions of its
//! dependencies. The time does not include their download.

use std::fs;
use std::path::Path;
use std::time::Instant;

use crate::cargo::{cargo, output};
use crate::workspace;

const FOLDER: &str = "target/sizes";

/// A program to build.
struct Program {
    name: &'static str,
    dependencies: &'static str,
    main: &'static str,
}

const PROGRAMS: [Program; 3] = [
    Program {
        name: "mparticle-client",
        dependencies: "mparticle-client = { path = \"../../../mparticle-client\" }\n\
                       tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }\n",
        main: "use mparticle_client::models::{Batch, CustomEvent, CustomEventType, Environment};\n\
               use mparticle_client::{Client, Credentials};\n\
               #[tokio::main]\n\
               async fn main() -> Result<(), mparticle_client::Error> {\n\
               let client = Client::builder(Credentials::new(\"key\", \"secret\")).build()?;\n\
               let event = CustomEvent::new(\"Signed up\", CustomEventType::Navigation);\n\
               client.upload_events(&Batch::new(Environment::Production).with_event(event)).await?;\n\
               Ok(())\n\
               }\n",
    },
    Program {
        name: "posthog-rs",
        dependencies: "posthog-rs = \"*\"\n\
                       tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }\n",
        main: "#[tokio::main]\n\
               async fn main() {\n\
               let client = posthog_rs::client(\"key\").await;\n\
               let event = posthog_rs::Event::new(\"Signed up\", \"42\");\n\
               let _ = client.capture(event);\n\
               }\n",
    },
    Program {
        name: "sentry",
        dependencies: "sentry = \"*\"\n",
        main: "fn main() {\n\
               let _guard = sentry::init(\"https://key@example.com/1\");\n\
               sentry::capture_message(\"Signed up\", sentry::Level::Info);\n\
               }\n",
    },
];

/// What was measured of a program.
struct Size {
    version: String,
    crates: usize,
    seconds: f64,
    bytes: u64,
}

/// Builds each program and prints a table. The error is what to print.
pub(crate) fn run() -> Result<(), String> {
    let root = workspace::root()?;
    println!("| a program with | crates | release build | stripped size |");
    println!("|---|---|---|---|");
    for program in &PROGRAMS {
        let size = measure(program, &root)?;
        println!("{}", row(program.name, &size));
    }
    Ok(())
}

fn row(name: &str, size: &Size) -> String {
    let mebibytes = precise(size.bytes) / f64::from(1 << 20);
    let Size { version, crates, seconds, .. } = size;
    format!("| `{name}` {version} | {crates} | {seconds:.0} s | {mebibytes:.1} MiB |")
}

/// Sizes of programs are far below the numbers that an `f64` cannot represent.
#[expect(clippy::cast_precision_loss)]
fn precise(bytes: u64) -> f64 {
    bytes as f64
}

fn measure(program: &Program, root: &Path) -> Result<Size, String> {
    let folder = root.join(FOLDER).join(program.name);
    write(program, &folder).map_err(|error| format!("error: {}: {error}", folder.display()))?;
    run_cargo(&folder, "update --quiet")?;
    run_cargo(&folder, "fetch --quiet")?;
    let tree = run_cargo(&folder, "tree -e normal,build --prefix none -f {p}")?;
    let start = Instant::now();
    run_cargo(&folder, "build --release --quiet")?;
    let seconds = start.elapsed().as_secs_f64();
    let binary =
        folder.join("target/release/program").with_extension(std::env::consts::EXE_EXTENSION);
    let bytes = fs::metadata(&binary)
        .map_err(|error| format!("error: {}: {error}", binary.display()))?
        .len();
    Ok(Size { version: version(&tree, program.name), crates: crates(&tree), seconds, bytes })
}

/// Writes the package anew, so that nothing is built already.
fn write(program: &Program, folder: &Path) -> std::io::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder.join("src"))?;
    let manifest = format!(
        "[package]\nname = \"program\"\nedition = \"2024\"\n\n[dependencies]\n{}\n\
         [profile.release]\nstrip = true\n\n[workspace]\n",
        program.dependencies
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/main.rs"), program.main)
}

/// Counts the crates of a tree, without the program itself.
fn crates(tree: &str) -> usize {
    let mut lines: Vec<&str> = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect();
    lines.sort_unstable();
    lines.dedup();
    lines.iter().filter(|line| !line.is_empty()).count().saturating_sub(1)
}

/// Returns the version of a crate in a tree.
fn version(tree: &str, name: &str) -> String {
    let mut lines = tree.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(" v"));
    let rest = lines.next().unwrap_or_default();
    rest.split_whitespace().next().unwrap_or_default().to_owned()
}

/// Runs Cargo in the folder of a program, and returns its output.
fn run_cargo(folder: &Path, words: &str) -> Result<String, String> {
    output(cargo(words, folder).env_remove("CARGO_TARGET_DIR"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "program v0.0.0 (/folder)\n\
                        sentry v0.49.1\n\
                        log v0.4.0\n\
                        serde_derive v1.0.0 (proc-macro)\n\
                        log v0.4.0 (*)\n";

    #[test]
    fn each_crate_below_the_program_counts_once() {
        assert_eq!(crates(TREE), 3);
        assert_eq!(version(TREE, "sentry"), "0.49.1");
    }

    #[test]
    fn a_row_has_the_figures_of_one_program() {
        let size = Size { version: "1.2.3".into(), crates: 96, seconds: 54.4, bytes: 3_670_016 };
        assert_eq!(row("name", &size), "| `name` 1.2.3 | 96 | 54 s | 3.5 MiB |");
    }
}
